"""Files one by one and in bulk, as a DAQ registers them: with a checksum of eight digits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.db.models import QuerySet
from django.urls import URLPattern

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.call import Answer, Call
from catalogue.faces.mymdc.columns import (
    BLANK,
    Column,
    checked,
    exactly,
    flag,
    integer,
    matches,
    moment,
    refers,
    text,
)
from catalogue.faces.mymdc.errors import NOT_FOUND, Wrong
from catalogue.faces.mymdc.listing import page_of
from catalogue.faces.mymdc.metadata import records, rules
from catalogue.faces.mymdc.metadata.records import whole_of
from catalogue.faces.mymdc.metadata.runs import asked_run
from catalogue.faces.mymdc.resource import Resource, Unique, at
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from runs import filing, lookup
from runs.models import File
from runs.registration import InvalidRows

FORMATS: Final = ("hdf5", "tiff")
HEXADECIMAL: Final = re.compile(r"[0-9a-fA-F]{8}")
BULK: Final = "dataset_files"
NAMES: Final = {"name": "filename", "bytes": "byte_size", "adler32": "checksum"}


def _checksum(value: Any) -> str | None:
    """As it came, but in lower case: as checksums are compared."""
    given = wire.text(value)
    return given.lower() if given else given


CHECKSUM = Column(
    "checksum", _checksum, read="adler32", write="adler32", required=True, empty="",
    rules=(exactly(8), matches(HEXADECIMAL, "Invalid checksum")),
)  # fmt: skip


class DatasetFiles(Resource):
    path, wrapper = "dataset_files", "dataset_file"
    columns = (
        text("filename", 255, read="name", write="name", lookup="name", required=True),
        flag("flg_available", read="available", write="available", default=True, empty=True),
        flag("flg_immutable", read="immutable", write="immutable", default=False, empty=False),
        moment("file_creation_at", read="written_at", write="written_at"),
        refers(
            "data_group_id", lookup.groups,
            write="data_group", lookup="data_group", required=True, fixed=True,
        ),
        refers(
            "data_group_type_id", lookup.kinds,
            read="kind_id", write="kind", lookup="kind_id", required=True,
        ),
        integer(
            "byte_size", read="bytes", write="bytes", lookup="bytes", required=True,
            rules=(rules.between(0, wire.BIGGEST),),
        ),
        CHECKSUM,
        text("format", lookup="format", rules=(rules.one_of(FORMATS),)),
        integer("year", rules=(rules.between(0, rules.SMALL),)),
    )  # fmt: skip
    unique = (Unique(("data_group_id", "filename"), told=("filename",)),)

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return lookup.files(actor)

    def everywhere(self) -> QuerySet[Any]:
        return lookup.every_file()

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        return _told_in_our_names(lambda: filing.enter([_row(values)], by=call.actor)).files[0]

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        _told_in_our_names(lambda: filing.change([(row, _row(values, row))], by=call.actor))

    def remove(self, call: Call, row: Any) -> None:
        filing.remove([row], by=call.actor)

    # ------------------------------------------------------------ many at once

    def more(self) -> list[URLPattern]:
        return [
            at("dataset_files/bulk_create", post=self.bulk_create),
            at("dataset_files/bulk_update", post=self.bulk_update),
            at("dataset_files/bulk_delete", post=self.bulk_delete),
            at("dataset_files/bulk_check", post=self.bulk_check),
            at("dataset_files/search_dataset_files", get=self.search),
        ]

    def bulk_create(self, call: Call) -> Answer:
        """Register many files: all of them, or none. A file that is registered with the same size
        and checksum is taken for the same, so the call may be sent again."""
        given = records.of(call, BULK)
        rows = [_row(values) for values in records.new(self.columns, given, BULK, call.actor)]
        done = _told_in_our_names(lambda: filing.enter(rows, by=call.actor, again=True), many=True)
        kinds = {row["data_group"].pk: row["data_group"].kind_id for row in rows}
        ids = {kind.identifier: kind.pk for kind in lookup.kinds(call.actor)}
        for file in done.files:
            file.kind_id = ids.get(file.kind) or kinds[file.data_group_id]
        return Answer(self.shown(done.files), 201)

    def bulk_update(self, call: Call) -> Answer:
        """Change many files, each named by its id, or by its group and name."""
        given = records.of(call, BULK)
        files = self._named(call, given)
        changes = []
        wrong: dict[str, Any] = {}
        for position, (file, record) in enumerate(zip(files, given, strict=True)):
            if file is None:
                wrong |= records.at(BULK, position, {"id": [NOT_FOUND]})
                continue
            try:
                values = checked(self.columns, record, file, call.actor)
            except Wrong as error:
                wrong |= records.at(BULK, position, error.info)
            else:
                changes.append((file, _row(values, file)))
        records.refuse(wrong)
        _told_in_our_names(lambda: filing.change(changes, by=call.actor))
        return Answer(self._again(call, [file.pk for file, _ in changes]), 201)

    def bulk_delete(self, call: Call) -> Answer:
        """Delete files: those of a list, of a list of ids, or all of a data group."""
        files = self._meant(call)
        if any(file is None for file in files):
            raise Wrong(NOT_FOUND, 404)
        some = [file for file in files if file is not None]
        told = self.shown(some)
        filing.remove(some, by=call.actor)
        return Answer(told, 201)

    def bulk_check(self, call: Call) -> Answer:
        """Those of the files that are registered as they are told: what is not told of one is not
        compared."""
        body = _body(call)
        if not isinstance(body, list):
            return Answer(self.shown([file for file in self._meant(call) if file]), 201)
        found = zip(self._named(call, body), body, strict=True)
        same = [file for file, record in found if file is not None and _agrees(file, record)]
        return Answer(self.shown(same), 201)

    def _meant(self, call: Call) -> list[File | None]:
        body = _body(call)
        if isinstance(body, list):
            return self._named(call, body)
        if not isinstance(body, dict):
            raise Wrong({BULK: ["is invalid"]})
        if body.get("data_group_id") not in (None, "", 0):
            group = whole_of(body, "data_group_id")
            rows = self.rows(call.actor).filter(data_group=group)
            return list(rows.order_by("pk")[: records.MOST])
        ids = body.get("ids")
        return self._named(call, [{"id": pk} for pk in (ids if isinstance(ids, list) else [ids])])

    def _named(self, call: Call, given: Sequence[Any]) -> list[File | None]:
        """The file that each record names by its id, or else by its group and name."""
        if len(given) > records.MOST or not all(isinstance(record, dict) for record in given):
            raise Wrong({BULK: ["is invalid"]})
        ids = [whole_of(record, "id") for record in given]
        groups = [whole_of(record, "data_group_id") for record in given]
        rows = self.rows(call.actor)
        by_id = {file.pk: file for file in rows.filter(pk__in={pk for pk in ids if pk is not None})}
        by_name: dict[tuple[int, str], File] = {}
        for group in {g for g, pk in zip(groups, ids, strict=True) if pk is None and g is not None}:
            names = {_name(record) for record in given}
            for file in rows.filter(data_group=group, name__in=names):
                by_name[group, file.name] = file
        return [
            by_id.get(pk) if pk is not None else by_name.get((group or 0, _name(record)))
            for pk, group, record in zip(ids, groups, given, strict=True)
        ]

    def _again(self, call: Call, pks: Sequence[int]) -> list[Any]:
        rows = {file.pk: file for file in self.rows(call.actor).filter(pk__in=pks)}
        return self.shown([rows[pk] for pk in pks])

    def search(self, call: Call) -> Answer:
        """The files of a run."""
        found = self.rows(call.actor).filter(data_group__run=asked_run(call))
        return page_of(call, found.order_by("pk"), self.shown)


def _row(values: Mapping[str, Any], file: File | None = None) -> dict[str, Any]:
    """The values as columns of a file; a kind that is its group's is not kept of the file."""
    row = dict(values)
    if "kind" in row:
        group = file.data_group if file is not None else row["data_group"]
        named = row["kind"].identifier
        row["kind"] = "" if named == group.kind else named
    return row


def _body(call: Call) -> Any:
    if not isinstance(call.body, dict):
        raise Wrong({BULK: [BLANK]})
    return call.body.get("dataset_files")


def _name(record: Mapping[str, Any]) -> str:
    try:
        return wire.text(record.get("filename")) or ""
    except wire.Unreadable:
        return ""


def _agrees(file: File, record: Mapping[str, Any]) -> bool:
    """Whether what a record says of size and checksum is what is registered."""
    size, checksum = whole_of(record, "byte_size"), record.get("checksum")
    same_size = size is None or size == file.bytes
    return same_size and (not checksum or str(checksum).lower() == file.adler32)


def _told_in_our_names(act: Callable[[], Any], *, many: bool = False) -> Any:
    """What `act` gives; what it complains of is told in the names of the wire."""
    try:
        return act()
    except InvalidRows as wrong:
        info: dict[str, Any] = {}
        for position, fault in wrong.faults:
            told = {NAMES.get(fault.field, fault.field): [fault.rule]}
            info |= records.at(BULK, position, told) if many else told
        raise Wrong(info) from None
    except Invalid as fault:
        raise Wrong({NAMES.get(fault.field, fault.field): [fault.rule]}) from None


RESOURCES: tuple[type[Resource], ...] = (DatasetFiles,)
