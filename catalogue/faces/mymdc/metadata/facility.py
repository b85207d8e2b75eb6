"""The facility: techniques, repositories (our stores), instruments and their cycles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Prefetch, QuerySet
from django.urls import URLPattern

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.call import Answer, Call
from catalogue.faces.mymdc.columns import (
    anything,
    flag,
    integer,
    moment,
    refers,
    shown,
    text,
)
from catalogue.faces.mymdc.errors import Wrong
from catalogue.faces.mymdc.metadata import rules
from catalogue.faces.mymdc.resource import ITEM, Unique, at
from catalogue.faces.mymdc.table import Table
from catalogue.ground import offices, reference
from catalogue.ground.actor import Actor
from catalogue.ground.models import (
    Cycle,
    DataKind,
    Facility,
    Instrument,
    InstrumentType,
    Store,
    Technique,
    Topic,
    User,
)
from catalogue.ground.models.recorded import Recorded
from proposals import listings

R = TypeVar("R", bound=Recorded)


def any_of(table: type[R]) -> Callable[[Actor], QuerySet[R]]:
    """The rows of a reference table that others may name: all of them."""
    return lambda actor: reference.all_of(table)


def embedded(technique: Technique) -> dict[str, Any]:
    """A technique as it stands inside of other rows."""
    return {
        "id": technique.pk,
        "identifier": technique.identifier,
        "name": technique.name,
        "url": technique.url,
        "flg_available": technique.available,
        "description": technique.description,
    }


def techniques_of(row: Any) -> list[dict[str, Any]]:
    """The techniques of a row, in the order of their ids."""
    return [embedded(t) for t in sorted(row.techniques.all(), key=lambda t: t.pk)]


def rows_named(ids: Any, column: str, rows: QuerySet[Any]) -> list[Any]:
    """The rows with the ids in a list of JSON. Raises `Wrong` if one is none."""
    if ids in (None, ""):
        return []
    wanted = ids if isinstance(ids, list) else [ids]
    try:
        numbers = {wire.integer(n) for n in wanted}
    except wire.Unreadable:
        numbers = {None}
    found = list(rows.filter(pk__in=numbers - {None})) if len(wanted) <= 1000 else []
    if len(found) < len(numbers):
        raise Wrong({column: ["must exist"]})
    return found


class Techniques(Table):
    path, wrapper, model = "techniques", "technique", Technique
    columns = (
        text("identifier", 120, required=True, lookup="identifier"),
        text("name", 80, required=True, lookup="name"),
        rules.url(),
        rules.available(),
        flag("flg_xfel_available", read="practised", write="practised", default=False, empty=False),
        rules.description(),
        anything("instrument_ids", read=lambda row: [i.pk for i in row.instruments.all()]),
        shown("instruments", lambda row: [_short(i) for i in row.instruments.all()]),
    )
    unique = (Unique(("name",)), Unique(("identifier",)))

    def rows(self, actor: Actor) -> QuerySet[Any]:
        places = Prefetch("instruments", reference.all_of(Instrument).order_by("pk"))
        return reference.all_of(Technique).prefetch_related(places)

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        named = values.pop("instrument_ids", None)
        row = super().make(call, values)
        self._relate(call, row, named)
        return row

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        named = values.pop("instrument_ids", None)
        super().change(call, row, values)
        self._relate(call, row, named)

    def _relate(self, call: Call, row: Technique, ids: Any) -> None:
        if ids is not None:
            found = rows_named(ids, "instrument_ids", reference.all_of(Instrument))
            reference.relate(row, "instruments", found, by=call.actor)

    def more(self) -> list[URLPattern]:
        return [at(f"{self.path}/{ITEM}/add_instruments", post=self.add_instruments)]

    def add_instruments(self, call: Call, pk: str) -> Answer:
        """Further instruments at which the technique is possible."""
        row = self.row(call, pk)
        ids = call.attributes(self.wrapper).get("instrument_ids")
        added = rows_named(ids, "instrument_ids", reference.all_of(Instrument))
        both = {i.pk: i for i in (*row.instruments.all(), *added)}
        reference.relate(row, "instruments", list(both.values()), by=call.actor)
        return Answer(self.one(call, pk), 201)


def _short(instrument: Instrument) -> dict[str, Any]:
    return {
        "id": instrument.pk,
        "name": instrument.name,
        "identifier": instrument.identifier,
        "url": instrument.url,
        "flg_available": instrument.available,
    }


class Repositories(Table):
    """Stores. Those that programs enter belong to an external transfer agent: our movers touch
    only what staff have set up."""

    path, wrapper, model = "repositories", "repository", Store
    columns = (
        text("name", 60, required=True, lookup="name"),
        text("identifier", 120, required=True, lookup="identifier"),
        text("img_url", 512, read="image_url", write="image_url"),
        text("mount_point", 512, read="mount", write="mount", required=True, lookup="mount"),
        text(
            "transfer_agent_identifier", 120,
            read="agent_identifier", write="agent_identifier", lookup="agent_identifier",
            required=True,
        ),
        text(
            "transfer_agent_server_url", 255,
            read="agent_url", write="agent_url", lookup="agent_url",
        ),
        text("flg_context", 32, read="context", write="context", lookup="context"),
        rules.available(),
        integer(
            "rank", lookup="rank", default=0, empty=0,
            rules=(rules.between(rules.SMALLEST, rules.SMALL),),
        ),
        refers(
            "data_group_type_id", any_of(DataKind),
            read="kind_id", write="kind", lookup="kind_id",
        ),
        rules.description(),
    )  # fmt: skip
    unique = (
        Unique(("identifier",)),
        Unique(("name",)),
        Unique(("transfer_agent_identifier",)),
        Unique(("transfer_agent_server_url",)),
    )

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return reference.stores()

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        theirs = {"tier": "elsewhere", "agent": Store.EXTERNAL}
        return super().make(call, {**_with_kind(values), **theirs})

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        if not row.is_external and values.get("mount", row.mount) != row.mount:
            why = "cannot be updated: the catalogue itself moves the data in this repository"
            raise Wrong({"mount_point": [why]})
        super().change(call, row, _with_kind(values))


def _with_kind(values: dict[str, Any]) -> dict[str, Any]:
    if "kind" not in values:
        return values
    kind = values["kind"]
    return {**values, "kind": kind.identifier if kind is not None else ""}


class Instruments(Table):
    path, wrapper, model = "instruments", "instrument", Instrument
    columns = (
        text("name", 120, required=True, lookup="name"),
        text("identifier", 60, required=True, lookup="identifier"),
        rules.url(),
        refers("instrument_leader_id", listings.nameable,
               read="leader", write="leader", lookup="leader"),
        refers("deputy_instrument_leader_id", listings.nameable, read="deputy", write="deputy"),
        refers("facility_id", any_of(Facility), write="facility", lookup="facility"),
        refers("instrument_type_id", any_of(InstrumentType),
               read="type_id", write="type", lookup="type"),
        refers("repository_id", any_of(Store), read="store_id", write="store", lookup="store"),
        refers("topic_id", any_of(Topic), write="topic", lookup="topic"),
        text("dsg_host", 120, read="daq_host", write="daq_host", lookup="daq_host"),
        text("system_user", 60, lookup="system_user"),
        flag("flg_online_resource", read="has_online_resource", write="has_online_resource",
             default=False, empty=False),
        text("online_script", 255),
        rules.available(),
        rules.description(),
        text("doi", 255, lookup="doi"),
        shown("techniques", techniques_of),
    )  # fmt: skip
    unique = (Unique(("identifier",)),)

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return offices.led_instruments().prefetch_related("techniques")

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        leaders = _leaders(values)
        row = super().make(call, values)
        self._appoint(call, row, leaders)
        return row

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        leaders = _leaders(values)
        super().change(call, row, values)
        self._appoint(call, row, leaders)

    def _appoint(self, call: Call, row: Instrument, leaders: dict[str, User | None]) -> None:
        for role, person in leaders.items():
            offices.appoint(row, role, person, by=call.actor)


def _leaders(values: dict[str, Any]) -> dict[str, User | None]:
    named = {"leader": "instrument_leader", "deputy": "deputy_leader"}
    return {role: values.pop(name) for name, role in named.items() if name in values}


class InstrumentCycles(Table):
    path, wrapper, model = "instrument_cycles", "instrument_cycle", Cycle
    columns = (
        text("identifier", 16, required=True, lookup="identifier"),
        rules.url(),
        refers("instrument_id", any_of(Instrument), write="instrument", lookup="instrument",
               required=True),
        shown("instrument_identifier", "instrument.identifier"),
        moment("begin_at", required=True),
        moment("end_at", required=True),
        moment("start_call_at", read="call_begin_at", write="call_begin_at"),
        moment("close_call_at", read="call_end_at", write="call_end_at"),
        rules.available(),
        text("flg_proposal_system", 32,
             read="proposal_system", write="proposal_system", lookup="proposal_system"),
        rules.description(),
    )  # fmt: skip
    unique = (Unique(("identifier", "instrument_id")), Unique(("url",)))

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return reference.all_of(Cycle).select_related("instrument")

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        _refuse_backwards(values["begin_at"], values["end_at"])
        return super().make(call, values)

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        _refuse_backwards(values.get("begin_at", row.begin_at), values.get("end_at", row.end_at))
        super().change(call, row, values)


def _refuse_backwards(begin: Any, end: Any) -> None:
    if begin is not None and end is not None and end < begin:
        raise Wrong({"end_at": ["must not be before begin_at"]})


RESOURCES: tuple[type[Table], ...] = (Techniques, Repositories, Instruments, InstrumentCycles)
