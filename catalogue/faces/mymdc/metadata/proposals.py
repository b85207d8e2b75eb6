"""Proposals, by id and by number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.urls import URLPattern

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.call import Answer, Call
from catalogue.faces.mymdc.columns import (
    Column,
    anything,
    checked,
    flag,
    integer,
    moment,
    refers,
    shown,
    text,
)
from catalogue.faces.mymdc.errors import Missing, Wrong
from catalogue.faces.mymdc.listing import page_of
from catalogue.faces.mymdc.metadata import facility, rules, team
from catalogue.faces.mymdc.resource import ITEM, Resource, Unique, at
from catalogue.ground import access, reference
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Cycle, Instrument, Store
from proposals import commands, listings, registering
from proposals.models import Proposal

NUMBER = r"(?P<number>-?[0-9]{1,18})"
UNKNOWN = "Proposal number {} not found"
STATES = (*Proposal.State.values, registering.TEST)
MARKS = {True: 1, False: -1}


def private(read: Callable[[Any], Any], empty: Any = None) -> Callable[[Any], Any]:
    """What is told to those who may read inside of a proposal, and `empty` to others."""
    return lambda row: read(row) if row.inside else empty


def _shifts(name: str, attribute: str) -> Column:
    return integer(name, read=attribute, write=attribute, rules=(rules.between(0, rules.SMALL),))


def _contact(name: str) -> Column:
    written = name.removesuffix("_id")
    return refers(name, listings.nameable, write=written, lookup=written)


def _folder_number(folder: Any) -> int:
    """The number of the proposal with a folder of that name, for the filter."""
    if len(folder) != 7:
        raise wire.Unreadable
    return rules.number_after("p", folder)


def _not_released(value: Any) -> str | None:
    return "becomes true when the data are released" if value else None


def _logbook(row: Proposal) -> dict[str, Any]:
    return {
        "logbook_identifier": row.folder if row.logbook else "",
        "logbook_url": row.logbook,
        "using_zulip_logbook": "",
        "logbook_base_url": row.logbook,
    }


def _logbook_url(value: Any) -> str | None:
    """What is wrong with a `logbook_info`."""
    if value in (None, "", {}):
        return None
    url = value.get("logbook_url") if isinstance(value, dict) else value
    if url in (None, ""):
        return None
    if not isinstance(url, str) or len(url) > 200:
        return "must have a logbook_url of at most 200 characters"
    try:
        wire.text(url)
    except wire.Unreadable as error:
        return str(error)
    return rules.web_address(url)


def _doi(row: Proposal) -> str | None:
    return row.doi.name if row.doi is not None else None


COLUMNS: tuple[Column, ...] = (
    integer("number", required=True, fixed=True, lookup="number"),
    text("title", 500, required=True, fixed=True, lookup="title"),
    text("abstract"),
    shown("proposal_folder", "folder", parse=_folder_number, lookup="number"),
    shown("def_proposal_path", registering.path_told),
    shown("doi", _doi),
    rules.url(),
    refers("instrument_id", facility.any_of(Instrument), write="instrument", lookup="instrument",
           required=True),
    shown("instrument_identifier", "instrument.identifier"),
    refers("instrument_cycle_id", facility.any_of(Cycle), read="cycle_id", write="cycle",
           lookup="cycle", required=True),
    refers("principal_investigator_id", listings.nameable, read="leader_id", write="leader",
           lookup="leader_id", required=True),
    refers("main_proposer_id", listings.nameable, read="proposed_by", write="main_proposer",
           lookup="proposed_by", required=True),
    _contact("local_contact_id"),
    _contact("local_data_contact_id"),
    _contact("experiment_data_contact_id"),
    refers("orig_repository_id", facility.any_of(Store), read="origin_store_id",
           write="origin_store", lookup="origin_store"),
    moment("begin_at", fixed=True, lookup="begin_at"),
    moment("end_at", lookup="end_at"),
    moment("release_at", fixed=True, lookup="release_at", write="told_release"),
    shown("openly_released_at", "released_at"),
    moment("beamtime_start_at", read="beamtime_begin_at", write="beamtime_begin_at", fixed=True),
    moment("beamtime_end_at", fixed=True),
    text("flg_beamtime_status", read=registering.reported_state, write="reported",
         lookup="reported", rules=(rules.one_of(STATES),), empty=None),
    text("flg_proposal_system", 32, read="proposal_system", write="proposal_system", fixed=True,
         lookup="proposal_system"),
    rules.available(),
    flag("flg_public", read=lambda row: row.access == Proposal.Access.OPEN, write="told_public",
         lookup="released", fixed=True, default=False, empty=False, rules=(_not_released,)),
    text("flg_preferred_data_output", 8, read="preferred_output", write="preferred_output",
         default="R", empty="R"),
    integer("flg_auto_run_quality", read=lambda row: MARKS[row.assesses_by_itself],
            write="auto_quality", default=-1, rules=(rules.one_of((1, -1)),)),
    text("flg_cloneable_status", 8, read="cloneable", write="cloneable", default="NC", empty="NC"),
    text("flg_visibility_status", 32, read="visibility", write="visibility"),
    text("flg_data_archived_notification", 8, read="archive_notice", write="archive_notice",
         lookup="archive_notice"),
    moment("expected_data_archive_at", read="archive_expected_at", write="archive_expected_at",
           lookup="archive_expected_at"),
    moment("data_archived_at", read="archived_at", write="archived_at", lookup="archived_at"),
    text("data_plan_comments", read=private(lambda row: row.data_plan_comments, ""),
         write="data_plan_comments"),
    _shifts("num_delivered_shifts", "delivered_shifts"),
    _shifts("num_preparation_shifts", "preparation_shifts"),
    _shifts("num_scheduled_shifts", "scheduled_shifts"),
    shown("last_run", private(lambda row: row.last_run_number)),
    text("description", read=private(lambda row: row.description, "")),
    text("meeting", 512, read=private(lambda row: row.meeting, "")),
    anything("logbook_info", read=private(_logbook, {}), write="logbook", rules=(_logbook_url,)),
    shown("techniques", facility.techniques_of),
    shown("beamtimes", lambda row: [team.beamtime(b) for b in row.beamtimes.all()]),
    shown("team", private(team.members, [])),
    shown("users_ids", private(team.users_ids, [])),
    shown("users_info", private(team.users_info, [])),
    shown("data_management_plan_id", private(lambda row: team.first_id(row.plans.all()))),
    *rules.dated(changed=False),
)  # fmt: skip
SPECIAL = ("flg_preferred_data_output", "flg_auto_run_quality", "flg_cloneable_status")


class Proposals(Resource):
    path, wrapper, columns = "proposals", "proposal", COLUMNS
    unique = (
        Unique(("number",), told=("def_proposal_path", "number", "proposal_folder")),
        Unique(("url",)),
    )

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return listings.proposals(actor)

    def everywhere(self) -> QuerySet[Any]:
        return listings.everything(Proposal)

    # Verbs.

    def permit(self, call: Call, values: dict[str, Any]) -> None:
        commands.require_office(call.actor, access.CREATE, values["instrument"])

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        if not 0 <= values["number"] <= 999_999:
            raise Wrong({"number": ["must be from 0 to 999999"]})
        state, switches = values.pop("reported"), _switches(values)
        facts = _facts(values)
        named = {
            name: facts.pop(name)
            for name in ("number", "title", "instrument", "cycle", "leader", "main_proposer")
        }
        try:
            row = registering.register(by=call.actor, facts=facts, **named)
        except Invalid as invalid:
            if invalid.field == "number":  # somebody else was faster
                self.refuse_taken(named, None)
            raise
        self._after(call, row, state, {k: v for k, v in switches.items() if v})
        return row

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        state, switches = values.pop("reported", None), _switches(values)
        facts = _facts(values)
        leaders = {n: facts.pop(n) for n in ("leader", "main_proposer") if n in facts}
        registering.change(row, to=facts, by=call.actor)
        registering.lead(row, by=call.actor, **leaders)
        self._after(call, row, state, switches)

    def _after(
        self, call: Call, row: Proposal, state: str | None, switches: Mapping[str, bool]
    ) -> None:
        if state:
            registering.report_state(row, code=state, by=call.actor)
        if any(getattr(row, name) != value for name, value in switches.items()):
            commands.switch(row, by=call.actor, **switches)
        attributes = call.attributes(self.wrapper).get("proposals_users_attributes")
        team.enter_all(row, attributes, call)

    def remove(self, call: Call, row: Any) -> None:
        registering.delete(row, by=call.actor)

    # Further addresses.

    def more(self) -> list[URLPattern]:
        return [
            at(f"{self.path}/by_number(?:_daq_info)?/{NUMBER}", get=self.by_number),
            at(f"{self.path}/{ITEM}/update_special", put=self.update_special),
            at(f"{self.path}/{NUMBER}/logbook", get=self.logbook),
            at(f"instruments/{ITEM}/active_proposal", get=self.active),
            at(f"instruments/{ITEM}/active_logbooks", get=self.active_logbooks),
        ]

    def by_number(self, call: Call, number: str) -> Answer:
        """The proposal of that number."""
        return Answer(self.shown([self.numbered(call, number)])[0])

    def numbered(self, call: Call, number: str) -> Any:
        """The proposal of that number. Raises `Missing` in the words that clients know."""
        found = self.rows(call.actor).filter(number=int(number)).first()
        if found is None:
            raise Missing(UNKNOWN.format(number))
        return found

    def update_special(self, call: Call, pk: str) -> Answer:
        """What a team may choose for itself."""
        row = self.row(call, pk)
        given = call.attributes(self.wrapper)
        chosen = [column for column in self.columns if column.name in SPECIAL]
        values = checked(chosen, given, row, call.actor)
        switches = _switches(values)
        registering.change(row, to=values, by=call.actor)
        if any(getattr(row, name) != value for name, value in switches.items()):
            commands.switch(row, by=call.actor, **switches)
        return Answer(self.one(call, pk))

    def logbook(self, call: Call, number: str) -> Answer:
        """The logbook of a proposal. Its topics are in the logbook itself, to which the catalogue
        has no connection."""
        row = self.numbered(call, number)
        if not row.inside or not row.logbook:
            raise Missing
        return Answer(
            {
                "logbook_name": row.folder,
                "logbook_url": row.logbook,
                "proposal_number": row.number,
                "topics": [],
                "configurations": [],
            }
        )

    def active(self, call: Call, pk: str) -> Answer:
        """The proposal that has the beam of an instrument, where the caller may know of it."""
        proposal = listings.active_at(call.actor, _instrument(call, pk))
        return Answer(self.one(call, proposal.pk))

    def active_logbooks(self, call: Call, pk: str) -> Answer:
        """The proposals of an instrument that go on and have a logbook; `flg_available` narrows
        them."""
        rows = listings.with_logbook_at(call.actor, _instrument(call, pk))
        available = wire.flag(call.query.get("flg_available"))
        if available is not None:
            rows = rows.filter(available=available)
        return page_of(call, rows.order_by("pk"), self.shown)


def _instrument(call: Call, pk: str) -> Instrument:
    return reference.all_of(Instrument).get(pk=int(pk))


def _switches(values: dict[str, Any]) -> dict[str, bool]:
    """The switches of a proposal among the values, which lose them."""
    mark = values.pop("auto_quality", None)
    return {} if mark is None else {"assesses_by_itself": mark == 1}


def _facts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns with their values; what the catalogue makes itself is left out."""
    facts = {name: v for name, v in values.items() if not name.startswith("told_")}
    if "logbook" in facts:
        info = facts["logbook"]
        url = info.get("logbook_url") if isinstance(info, dict) else info
        if isinstance(info, dict) and "logbook_url" not in info:
            facts.pop("logbook")
        else:
            facts["logbook"] = url or ""
    return facts


RESOURCES: tuple[type[Resource], ...] = (Proposals,)
