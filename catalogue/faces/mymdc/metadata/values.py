"""Parameters (values of the slow control), reports of corrections, and dark runs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from django.db.models import Case, QuerySet, Value, When
from django.urls import URLPattern

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.call import Answer, Call
from catalogue.faces.mymdc.columns import (
    BLANK,
    Column,
    anything,
    flag,
    integer,
    matches,
    moment,
    real,
    refers,
    shown,
    text,
)
from catalogue.faces.mymdc.errors import NOT_FOUND, Wrong
from catalogue.faces.mymdc.metadata import records, rules
from catalogue.faces.mymdc.resource import Resource, Unique, at
from catalogue.ground.actor import Actor
from runs import lookup, pipelines, slow_control
from runs.models import DarkRequest, Report

LINKS: Final = {
    "runs_parameters_attributes": ("run_id", "runs", lookup.runs),
    "data_groups_parameters_attributes": ("data_group_id", "data_groups", lookup.groups),
}
Known = dict[tuple[str, int | None], Any]
DEEPEST: Final = 100
"""Levels of JSON that is kept as it came."""
REPORT_NAME: Final = re.compile(r"\S+\.pdf")
# R (requested) and F (finished) are written down; the letters of the others are our choice.
DARK: Final = {"R": "requested", "IP": "running", "F": "finished", "E": "failed"}


def _measured(name: str) -> Column:
    return real(name, lookup=name, required=True)


class Parameters(Resource):
    path, wrapper = "parameters", "parameter"
    columns = (
        text("data_source", 255, lookup="data_source", required=True),
        text("name", 255, lookup="name", required=True),
        *(_measured(n) for n in ("value", "minimum", "maximum", "mean", "standard_deviation")),
        refers("data_type_id", lookup.data_types, write="data_type", lookup="data_type",
               required=True),
        refers("parameter_type_id", lookup.parameter_types,
               read="type_id", write="type", lookup="type", required=True),
        refers("unit_id", lookup.units, write="unit", lookup="unit", required=True),
        text("unit_prefix", 16, lookup="unit_prefix"),
        flag("flg_available", read="available", write="available", lookup="available",
             default=True, empty=True),
        rules.description(),
        *(anything(name, write=name) for name in LINKS),
        shown("created_at", "created_at"),
    )  # fmt: skip

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return lookup.parameters(actor)

    def shown(self, rows: Sequence[Any]) -> list[Any]:
        told = [column for column in self.columns if column.name not in LINKS]
        return [{"id": row.pk, **{c.name: c.of(row) for c in told}} for row in rows]

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        return slow_control.enter([_link(call, values, {})], by=call.actor)[0]

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        slow_control.change(row, to=_link(call, values, {}), by=call.actor)

    def remove(self, call: Call, row: Any) -> None:
        slow_control.remove([row], by=call.actor)

    def more(self) -> list[URLPattern]:
        return [
            at("parameters/bulk_create", post=self.bulk_create),
            at("parameters/bulk_delete", post=self.bulk_delete),
        ]

    def bulk_create(self, call: Call) -> Answer:
        """Keep many values: all of them, or none."""
        rows = records.new(self.columns, records.of(call, "parameters"), "parameters", call.actor)
        known: Known = {}
        wrong: dict[str, Any] = {}
        for position, values in enumerate(rows):
            try:
                _link(call, values, known)
            except Wrong as error:
                wrong |= records.at("parameters", position, error.info)
        records.refuse(wrong)
        return Answer(self.shown(slow_control.enter(rows, by=call.actor)), 201)

    def bulk_delete(self, call: Call) -> Answer:
        """Delete the values of a data group, or those with the given ids."""
        named = call.attributes(self.wrapper)
        rows = self.rows(call.actor)
        group = records.whole_of(named, "data_group_id")
        if group:
            found = list(rows.filter(data_groups=group)[: records.MOST])
        else:
            ids = _ids(named.get("ids"))
            found = list(rows.filter(pk__in=ids))
            if len(found) < len(ids):
                raise Wrong(NOT_FOUND, 404)
        told = self.shown(found)
        slow_control.remove(found, by=call.actor)
        return Answer(told, 201)


def _link(call: Call, values: dict[str, Any], known: Known) -> dict[str, Any]:
    """Put the rows that the nested lists name in their place; empty lists name none. What was
    asked for once is in `known`."""
    for name, (key, relation, rows) in LINKS.items():
        value = values.pop(name, None)
        if value in (None, "", []):
            continue
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise Wrong({name: ["is invalid"]})
        values[relation] = []
        for item in value:
            pk = records.whole_of(item, key)
            if (name, pk) not in known:
                known[name, pk] = rows(call.actor).filter(pk=pk).first()
            if known[name, pk] is None:
                raise Wrong({key.removesuffix("_id"): ["must exist"]})
            values[relation].append(known[name, pk])
    return values


def _ids(value: Any) -> set[int]:
    items = value if isinstance(value, list) else wire.ids(value) if isinstance(value, str) else []
    ids = {pk for item in items if (pk := records.whole(item, "ids")) is not None}
    if not ids or len(ids) > records.MOST:
        raise Wrong({"ids": [BLANK if not ids else "is invalid"]})
    return ids


class Reports(Resource):
    """Reports of corrections of a run."""

    path, wrapper = "reports", "report"
    columns = (
        text("name", 128, lookup="name", required=True,
             rules=(matches(REPORT_NAME, "cannot contain spaces and must end with .pdf"),)),
        text("cal_report_path", 512, read="path", write="path", lookup="path", required=True),
        moment("cal_report_at", read="made_at", write="made_at", required=True),
        refers("run_id", lookup.runs, write="run", lookup="run", required=True),
        rules.description(),
    )  # fmt: skip
    unique = (Unique(("name", "cal_report_path", "run_id")),)

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return lookup.reports(actor)

    def everywhere(self) -> QuerySet[Any]:
        return lookup.every_report()

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        return pipelines.add_report(by=call.actor, **values)

    def change(self, call: Call, row: Report, values: dict[str, Any]) -> None:
        pipelines.change_report(row, to=values, by=call.actor)

    def remove(self, call: Call, row: Report) -> None:
        pipelines.remove_report(row, by=call.actor)


def _storable(value: Any) -> Any:
    """JSON without the characters that no database keeps, of a depth that can be written down."""
    left = [(value, 1)]
    while left:
        item, depth = left.pop()
        if depth > DEEPEST:
            raise wire.Unreadable("is invalid")
        if isinstance(item, str):
            wire.text(item)
        elif isinstance(item, dict):
            left.extend((part, depth + 1) for part in (*item, *item.values()))
        elif isinstance(item, list):
            left.extend((part, depth + 1) for part in item)
    return value


def _short_enough(value: Any) -> str | None:
    return "URL length allows only 250 characters" if len(value or "") > 250 else None


def _runs_named(row: DarkRequest) -> str:
    return row.runs_named or (f"[{row.run.number}]" if row.run_id is not None else "[]")


def _units_named(row: DarkRequest) -> str:
    return row.unit_names or json.dumps([])


def _letter(row: DarkRequest) -> str:
    return next(letter for letter, state in DARK.items() if state == row.state)


class DarkRuns(Resource):
    """Requests for new constants from dark runs: those of pipelines outside, in their words, and
    ours, which are read only."""

    path, wrapper = "dark_runs", "dark_run"
    columns = (
        refers("proposal_id", lookup.own_proposals, write="proposal", lookup="proposal",
               required=True, fixed=True),
        refers("detector_id", lookup.detectors, write="detector", lookup="detector",
               required=True),
        text("detector_identifier", 120,
             read=lambda row: row.detector_name or row.detector.identifier, write="detector_name"),
        refers("detector_type_id", lookup.detector_types, write="detector_type",
               lookup="detector_type"),
        text("pdu_physical_names", read=_units_named, write="unit_names", required=True),
        Column("pdu_karabo_das", _storable, read="unit_aggregators", write="unit_aggregators"),
        integer("operation_mode_id", read="mode_id", write="mode_id", lookup="mode_id",
                required=True, rules=(rules.between(-(2**31), 2**31 - 1),)),
        text("operation_mode_identifier", 120, read="mode_identifier", write="mode_identifier"),
        text("operation_mode_name", 255, read="mode_name", write="mode_name"),
        text("runs_info", read=_runs_named, write="runs_named", required=True),
        text("flg_status", read=_letter, write="state", lookup="letter", default="R",
             rules=(rules.one_of(DARK),)),
        text("full_calcat_report_url", 512, read="catalogue_url", write="catalogue_url"),
        text("report_url", rules=(_short_enough,)),
        text("input_path", 1024),
        text("output_path", 1024),
        text("size", 60),
        text("calcat_feedback", read="feedback", write="feedback"),
        text("cal_pipeline_full_feedback", read="pipeline_feedback", write="pipeline_feedback"),
        rules.description(),
        shown("created_at", "created_at"),
    )  # fmt: skip

    def rows(self, actor: Actor) -> QuerySet[Any]:
        letters = [When(state=state, then=Value(letter)) for letter, state in DARK.items()]
        return lookup.dark_requests(actor).annotate(letter=Case(*letters))

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        state = DARK.get(values.pop("state"), "")
        return pipelines.ask_for_dark(values.pop("proposal"), to=state, by=call.actor, **values)

    def change(self, call: Call, row: DarkRequest, values: dict[str, Any]) -> None:
        state = DARK.get(values.pop("state", ""), "")
        pipelines.report_dark(row, to=values, state=state, by=call.actor)

    def remove(self, call: Call, row: DarkRequest) -> None:
        pipelines.remove_dark(row, by=call.actor)


RESOURCES: tuple[type[Resource], ...] = (Parameters, Reports, DarkRuns)
