"""Data groups, where they are, and the lists of their files that their writers keep."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import URLPattern

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.call import Answer, Call
from catalogue.faces.mymdc.columns import (
    anything,
    at_least,
    flag,
    moment,
    refers,
    shown,
    text,
)
from catalogue.faces.mymdc.errors import Wrong
from catalogue.faces.mymdc.listing import page_of
from catalogue.faces.mymdc.metadata import rules
from catalogue.faces.mymdc.metadata.runs import asked_run
from catalogue.faces.mymdc.resource import Resource, Unique, at
from catalogue.ground.actor import Actor
from runs import deleting, grouping, lookup, queries, reporting
from runs.models import DataGroup, FileList, Replica, Run

RUNS = "runs_data_groups_attributes"


def _runs_of(group: DataGroup) -> list[dict[str, Any]]:
    return [{"run_id": group.run_id}] if group.run_id is not None else []


class DataGroups(Resource):
    path, wrapper = "data_groups", "data_group"
    columns = (
        text("name", 60, lookup="name", fixed=True),
        text("language", 16, lookup="language", required=True, default="en"),
        shown("doi", lambda row: f"xfel.mdc.dg.{row.pk}"),
        refers(
            "data_group_type_id", lookup.kinds,
            read="kind_id", write="kind", lookup="kind_id", required=True, fixed=True,
        ),
        refers(
            "experiment_id", lookup.experiments,
            write="experiment", lookup="experiment", required=True,
        ),
        refers("user_id", lookup.people, write="user", lookup="user", required=True),
        text("prefix_path", 1024, required=True, fixed=True, rules=(at_least(2),)),
        flag("flg_available", read="available", write="available", lookup="available",
             default=True, empty=True),
        flag("flg_writing", read="writing", write="writing", lookup="writing",
             default=False, empty=False),
        flag("flg_public", read="public", write="public", lookup="public",
             default=False, empty=False),
        text("format", 60),
        text("data_passport", 255, read="passport", write="passport"),
        moment("removed_at"),
        rules.description(),
        refers(
            "calibration_constant_version_id", lookup.versions,
            read="constant_version_id", write="constant_version",
        ),
        anything(RUNS, read=_runs_of, write="runs"),
        shown("created_at", "created_at"),
    )  # fmt: skip

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return lookup.groups(actor)

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        run = _run_named(call, values.pop("runs"))
        kind = values.pop("kind").identifier
        return grouping.register_group(kind=kind, run=run, by=call.actor, **values)

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        run = _run_named(call, values.pop("runs", None))
        if run is not None:
            values["run"] = run
        grouping.change_group(row, to=values, by=call.actor)

    def remove(self, call: Call, row: Any) -> None:
        deleting.delete_group(row, by=call.actor)


def _run_named(call: Call, value: Any) -> Run | None:
    """The run in a nested list; a group is the data of one."""
    if value in (None, "", []):
        return None
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Wrong({RUNS: ["is invalid"]})
    try:
        named = [wire.integer(item.get("run_id")) for item in value]
    except wire.Unreadable as error:
        raise Wrong({RUNS: [str(error)]}) from None
    ids = {pk for pk in named if pk is not None}
    found = list(lookup.runs(call.actor).filter(pk__in=ids))
    if len(found) < len(ids):
        raise Wrong({"run": ["must exist"]})
    if len(found) > 1:
        raise Wrong({RUNS: ["must name one run: a data group is the data of one"]})
    return found[0] if found else None


def is_there(replica: Replica) -> bool:
    """Whether the store holds the copy, as far as is known."""
    return replica.state in queries.THERE


class DataGroupsRepositories(Resource):
    """Which data group lies in which repository: our replicas. That one is there is a transfer
    program's report of a copy, which our worker then reads back; that it is not is its report of a
    loss."""

    path, wrapper = "data_groups_repositories", "data_group_repository"
    columns = (
        refers(
            "data_group_id", lookup.groups,
            write="data_group", lookup="data_group", required=True, fixed=True,
        ),
        refers(
            "repository_id", lookup.stores,
            read="store_id", write="store", lookup="store", required=True, fixed=True,
        ),
        flag("flg_available", read=is_there, write="there", default=True, empty=True),
        shown("created_at", "created_at"),
    )  # fmt: skip
    unique = (Unique(("data_group_id", "repository_id")),)

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return lookup.replicas(actor)

    def told(self, actor: Actor) -> QuerySet[Any]:
        return lookup.replicas_told(actor)

    def everywhere(self) -> QuerySet[Any]:
        return lookup.every_replica()

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        return _report(call, values["data_group"], values["store"], values["there"])

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        if "there" in values and values["there"] != is_there(row):
            _report(call, row.data_group, row.store, values["there"])

    def remove(self, call: Call, row: Any) -> None:
        deleting.delete_replica(row, by=call.actor)


def _report(call: Call, group: Any, store: Any, there: bool) -> Replica:
    report = reporting.report_copied if there else reporting.report_lost
    return report(group, store, by=call.actor)


class DataFiles(Resource):
    """Lists of files in their writers' own words."""

    path, wrapper = "data_files", "data_file"
    columns = (
        refers(
            "data_group_id", lookup.groups,
            write="data_group", lookup="data_group", required=True,
        ),
        text("files", read="text", write="text", lookup="text", required=True,
             rules=(at_least(40),)),
        shown("created_at", "created_at"),
    )  # fmt: skip

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return lookup.file_lists(actor)

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        return grouping.keep_list(values["data_group"], text=values["text"], by=call.actor)

    def change(self, call: Call, row: FileList, values: dict[str, Any]) -> None:
        grouping.change_list(row, to=values, by=call.actor)

    def remove(self, call: Call, row: FileList) -> None:
        grouping.drop_list(row, by=call.actor)

    def more(self) -> list[URLPattern]:
        return [at("data_files/search_data_files", get=self.search)]

    def search(self, call: Call) -> Answer:
        """The lists of a run's data."""
        found = lookup.file_lists(call.actor).filter(data_group__run=asked_run(call))
        return page_of(call, found.order_by("pk"), self.shown)


RESOURCES: tuple[type[Resource], ...] = (DataGroups, DataGroupsRepositories, DataFiles)
