"""Runs: registered, corrected, closed and marked by the same verbs as through every other face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db.models import QuerySet
from django.urls import URLPattern

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.call import Answer, Call
from catalogue.faces.mymdc.columns import (
    FIXED,
    anything,
    checked,
    flag,
    integer,
    moment,
    refers,
    text,
)
from catalogue.faces.mymdc.errors import TAKEN, Missing, Wrong
from catalogue.faces.mymdc.listing import page_of
from catalogue.faces.mymdc.metadata import rules, runs_shown
from catalogue.faces.mymdc.resource import Resource, at
from catalogue.ground.actor import Actor
from catalogue.ground.models import Technique
from runs import commands, deleting, lookup, reporting
from runs.models import Run

# What the flags say. 2 is written down as closed, 1 as the state of a run that was registered; that
# -1 is aborted, and the numbers of Unclear and Not interesting, are our choice.
STATUS: Final = {1: "open", 2: "closed", -1: "aborted"}
QUALITY: Final = {-1: "", 0: "not_interesting", 1: "good", 2: "unclear"}
UNMARKED: Final = -1
NOT_NEGATIVE: Final = rules.between(0, wire.BIGGEST)
NESTED: Final = "runs_techniques_attributes"


def _status(run: Run) -> int:
    return next(number for number, status in STATUS.items() if status == run.status)


def _quality(run: Run) -> int:
    return next(number for number, quality in QUALITY.items() if quality == run.quality)


class Runs(Resource):
    path, wrapper = "runs", "run"
    columns = (
        integer(
            "run_number", read="number", write="number", lookup="number",
            required=True, fixed=True, rules=(rules.between(1, 9999),),
        ),
        text("run_alias", 64, read="alias", write="alias", lookup="alias"),
        refers(
            "experiment_id", lookup.experiments,
            write="experiment", lookup="experiment", required=True,
        ),
        refers("sample_id", lookup.samples, write="sample", lookup="sample"),
        moment("begin_at", required=True),
        moment("end_at"),
        integer("first_train", required=True, rules=(NOT_NEGATIVE,)),
        integer("last_train"),
        flag("flg_available", read="available", write="available", default=True, empty=True),
        integer("flg_status", read=_status, write="status", rules=(rules.one_of(STATUS),)),
        text("original_format", 60),
        text("system_msg", read="system_message", write="system_message"),
        text("description", read="comment", write="comment"),
        integer("flg_run_quality", read=_quality, write="quality", rules=(rules.one_of(QUALITY),)),
        integer(
            "size", read=lambda run: run.bytes if run.file_count else run.heartbeat_bytes,
            write="heartbeat_bytes", default=0, empty=0, rules=(NOT_NEGATIVE,),
        ),
        text("flg_cal_data_status", 8, write="calibration_status"),
        text("cal_pipeline_reply", write="calibration_reply"),
        text("cal_pipeline_full_feedback", write="calibration_feedback"),
        integer(
            "cal_num_requests", write="calibration_requests",
            rules=(rules.between(0, 2**31 - 1),),
        ),
        moment("cal_last_request_at", write="calibration_requested_at"),
        moment("cal_last_begin_at", write="calibration_begin_at"),
        moment("cal_last_end_at", write="calibration_end_at"),
        text("cal_input_path", 1024, write="input_path"),
        text("cal_output_path", 1024, write="output_path"),
        moment("migration_request_at", write="migration_requested_at"),
        moment("migration_begin_at"),
        moment("migration_end_at"),
        anything(NESTED, write="technique_changes"),
    )  # fmt: skip

    def rows(self, actor: Actor) -> QuerySet[Run]:
        return lookup.runs(actor)

    def everywhere(self) -> QuerySet[Run]:
        return lookup.every_run()

    def told(self, actor: Actor) -> QuerySet[Run]:
        return lookup.runs_told(actor, whole=True)

    def shown(self, rows: Sequence[Run]) -> list[Any]:
        return runs_shown.whole(self.columns, rows)

    # ------------------------------------------------------------ writing

    def create(self, call: Call) -> Answer:
        """Register a run under the number that its DAQ gave it."""
        values = self._checked(call, None)
        self.refuse_taken(values, None)
        with self._taken_meanwhile(values, None):
            run = self.make(call, values)
        return Answer(self.one(call, run.pk), 201)

    def update(self, call: Call, pk: str) -> Answer:
        """Correct a run, end it, mark it: what the body names."""
        run = self.row(call, pk)
        self.change(call, run, self._checked(call, run))
        return Answer(self.one(call, pk))

    def _checked(self, call: Call, run: Run | None) -> dict[str, Any]:
        """The values, with what is wrong with the run's folder and the order of its trains told
        together with what is wrong with each column."""
        given = call.attributes(self.wrapper)
        info: dict[str, Any] = {}
        values: dict[str, Any] = {}
        try:
            values = checked(self.columns, given, run, call.actor)
        except Wrong as wrong:
            if isinstance(wrong.info, str):
                raise
            info = dict(wrong.info)
        if run is not None and _other_folder(given, run):
            info["run_folder"] = [FIXED]
        complaint = _trains(given, run)
        if complaint is not None and "last_train" not in info:
            info["last_train"] = [complaint]
        if info:
            raise Wrong(info)
        return values

    def refuse_taken(self, values: dict[str, Any], row: Any | None) -> None:
        experiment, number = values["experiment"], values["number"]
        same = self.everywhere().filter(proposal=experiment.proposal_id, number=number)
        if (taken := same.first()) is None:
            return
        info = {"run_number": ["must be unique per proposal"]}
        if taken.experiment_id == experiment.pk:
            info = {"experiment_id": [TAKEN], "run_number": [*info["run_number"], TAKEN]}
        raise Wrong(info)

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        techniques = _technique_changes(values.pop("technique_changes"), None)
        experiment = values.pop("experiment")
        named = ("number", "begin_at", "sample", "first_train", "alias", "comment")
        run = commands.register(
            experiment.proposal,
            by=call.actor,
            experiment=experiment,
            techniques=[t for t in techniques if isinstance(t, Technique)],
            **{name: values.pop(name) for name in named},
        )
        if values.get("quality") == UNMARKED:
            del values["quality"]  # what it has from its proposal stands
        self._report(call, run, {name: v for name, v in values.items() if v is not None})
        return run

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        techniques = _technique_changes(values.pop("technique_changes", None), row)
        self._report(call, row, values)
        if techniques:
            reporting.change_techniques(row, changes=techniques, by=call.actor)

    def _report(self, call: Call, run: Run, values: dict[str, Any]) -> None:
        by = call.actor
        # Only what the body names: by now, somebody else may have closed or marked the run.
        status = STATUS.get(values.pop("status", None))
        quality = QUALITY.get(values.pop("quality", None))
        external = {
            name: values.pop(name) for name in runs_shown.PROCESSING.values() if name in values
        }
        ends: dict[str, Any] = {}
        if run.status == "open" and status not in (None, "open"):
            moved = values.get("begin_at", run.begin_at) != run.begin_at
            ends = {"end_at": values.get("end_at") if moved else values.pop("end_at", None)}
            if status == "closed":
                trains = ("first_train", "last_train")
                ends |= {name: values.pop(name) for name in trains if name in values}
        run = reporting.correct(run, to=values, by=by)
        if status is not None:
            reporting.report_status(run, to=status, by=by, **ends)
        if quality:
            if quality != run.quality:
                commands.assess(run, quality=quality, by=by)
        elif quality is not None:
            reporting.report_no_mark(run, by=by)
        if external:
            reporting.report_processing(run, to=external, by=by)

    def remove(self, call: Call, row: Any) -> None:
        deleting.delete_run(row, by=call.actor)

    # ------------------------------------------------------------ further addresses

    def more(self) -> list[URLPattern]:
        return [
            at("runs/runs_by_proposal", get=self.by_proposal),
            at("runs/all_raw_data_groups_ids", get=self.raw_data_groups),
            at("runs/run_influxdb_parameters", get=self.influxdb),
        ]

    def by_proposal(self, call: Call) -> Answer:
        """The runs of a proposal by number, in pages."""
        rows = lookup.runs_of(call.actor, asked_number(call, "proposal_number"))
        return page_of(call, rows, self.shown)

    def raw_data_groups(self, call: Call) -> Answer:
        """The ids of the groups of raw data of a run."""
        groups = lookup.groups(call.actor).filter(run=asked_run(call), kind="RAW")
        return Answer(list(groups.order_by("pk").values_list("pk", flat=True)))

    def influxdb(self, call: Call) -> Answer:
        """Refused, truthfully: time series are kept elsewhere."""
        asked_run(call)
        raise Wrong("The catalogue keeps no time series of the slow control")


def scalars(rows: Sequence[Run]) -> list[dict[str, Any]]:
    """What is told of runs where they are one of many."""
    return runs_shown.scalars(Runs.columns, rows)


def asked_number(call: Call, name: str) -> int:
    """A number that the query names. Raises `Missing` where it names none."""
    try:
        number = wire.integer(call.query.get(name))
    except wire.Unreadable:
        number = None
    if number is None or not 0 <= number < 2**31:
        raise Missing
    return number


def asked_run(call: Call) -> Run:
    """The run that the query names by its number and its proposal's."""
    proposal, number = asked_number(call, "proposal_number"), asked_number(call, "run_number")
    return lookup.run_numbered(call.actor, proposal, number)


def _read(given: Mapping[str, Any], name: str) -> int | None:
    try:
        return wire.integer(given.get(name))
    except wire.Unreadable:
        return None


def _other_folder(given: Mapping[str, Any], run: Run) -> bool:
    """Whether the body would have the run lie elsewhere: its folder follows from its number."""
    number = _read(given, "run_number")
    named = given.get("run_folder", run.folder)
    return ("run_number" in given and number not in (None, run.number)) or named != run.folder


def _trains(given: Mapping[str, Any], run: Run | None) -> str | None:
    """What is wrong with the order of the trains, as the run would have them."""
    first, last = _read(given, "first_train"), _read(given, "last_train")
    if run is not None:
        first = first if "first_train" in given else run.first_train
        last = last if "last_train" in given else run.last_train
    if first is None or last is None or first <= last:
        return None
    return f"must be greater than or equal to {first}"


def _technique_changes(value: Any, run: Run | None) -> list[Technique | int]:
    """Techniques to add, and ids of links to take away, in the order of the body; nothing for the
    empty values that clients send."""
    items = list(value.values()) if isinstance(value, dict) else value
    if items in (None, "", []):
        return []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Wrong({NESTED: ["is invalid"]})
    changes: list[Technique | int] = []
    known = {t.pk: t for t in lookup.techniques().filter(pk__in=_ids(items, "technique_id"))}
    links = lookup.technique_links([run]).get(run.pk, []) if run is not None else []
    own = {link.pk for link in links}
    for item in items:
        link, technique = _read(item, "id"), _read(item, "technique_id")
        if link is not None and link not in own:
            raise Wrong({NESTED: ["must exist"]})
        if link is not None and wire.flag(item.get("_destroy")):
            changes.append(link)
        elif link is None and technique in known:
            changes.append(known[technique])
        elif link is None:
            raise Wrong({"techniques": ["must exist"]})
    return changes


def _ids(items: Sequence[Mapping[str, Any]], name: str) -> list[int]:
    return [number for item in items if (number := _read(item, name)) is not None]


RESOURCES: tuple[type[Resource], ...] = (Runs,)
