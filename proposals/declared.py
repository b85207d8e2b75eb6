"""The verbs on what programs declare: data management plans, remote devices, techniques, and the
sets of data sources that a DAQ records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import transaction

from catalogue.ground import access as words
from catalogue.ground import clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Recorded, Technique, Topic, User
from catalogue.ground.refusal import Refused
from proposals import access, content, queries
from proposals.models import (
    DataManagementPlan,
    DataSourceGroup,
    DataSourceGroupVersion,
    Proposal,
    RemoteDevice,
)

Row = TypeVar("Row", bound=Recorded)
Declared = DataManagementPlan | RemoteDevice | DataSourceGroup | DataSourceGroupVersion


@transaction.atomic
def add_plan(proposal: Proposal, *, facts: Mapping[str, Any], by: Actor) -> DataManagementPlan:
    """What a proposal expects to need."""
    access.require(by, words.EDIT, proposal)
    plan = DataManagementPlan(proposal=proposal, created_at=clock.now(), **facts)
    return _entered(plan, by, facts)


@transaction.atomic
def add_device(proposal: Proposal | None, *, facts: Mapping[str, Any], by: Actor) -> RemoteDevice:
    """A device that is to be watched from afar, for a proposal or for the facility."""
    _require(by, proposal)
    now = clock.now()
    device = RemoteDevice(proposal=proposal, created_at=now, updated_at=now, **facts)
    return _entered(device, by, facts)


@transaction.atomic
def add_source_group(
    topic: Topic, *, user: User, facts: Mapping[str, Any], by: Actor
) -> DataSourceGroup:
    """A set of data sources that the DAQ of a topic records together."""
    _require_daq(by)
    now = clock.now()
    group = DataSourceGroup(topic=topic, user=user, created_at=now, updated_at=now, **facts)
    return _entered(group, by, facts)


@transaction.atomic
def add_source_version(
    group: DataSourceGroup, *, facts: Mapping[str, Any], by: Actor
) -> DataSourceGroupVersion:
    """One state of a set of data sources."""
    _require_daq(by)
    now = clock.now()
    version = DataSourceGroupVersion(group=group, created_at=now, updated_at=now, **facts)
    _stamp(version, facts)
    row = _entered(version, by, {k: v for k, v in facts.items() if k != "sources"})
    _activate(row)
    return row


@transaction.atomic
def change(row: Declared, *, to: Mapping[str, Any], by: Actor) -> None:
    """Other values for some columns of a declared row."""
    _require_for(row, by)
    locked: Any = type(row)._default_manager.select_for_update().get(pk=row.pk)
    changes = {name: value for name, value in to.items() if getattr(locked, name) != value}
    if "proposal" in changes:
        _require(by, changes["proposal"])
    active = changes.get("active_version")
    if active is not None and active.group_id != locked.pk:
        raise Invalid("active_version", "must be a version of this group", str(active))
    for name, value in changes.items():
        setattr(locked, name, value)
    if isinstance(locked, DataSourceGroupVersion):
        changes |= _stamp(locked, to)
    if not changes:
        return
    if hasattr(locked, "updated_at"):
        locked.updated_at = clock.now()
    locked.save()
    if isinstance(locked, DataSourceGroupVersion):
        _activate(locked)
    _tell(locked, "change", by, {k: v for k, v in changes.items() if k != "sources"})


@transaction.atomic
def remove(row: Declared, *, by: Actor) -> None:
    """Take back what was declared. A version that is deployed stays: the DAQ runs with it."""
    _require_for(row, by)
    if isinstance(row, DataSourceGroupVersion) and row.group.active_version_id == row.pk:
        raise Refused(f"{row} is what the DAQ runs with; deploy another first.", kind="state")
    if isinstance(row, DataSourceGroup) and row.active_version_id is not None:
        raise Refused(f"The DAQ runs with a version of {row}.", kind="state")
    _tell(row, "remove", by, {"name": str(row)})
    row.delete()


def _stamp(version: DataSourceGroupVersion, to: Mapping[str, Any]) -> dict[str, Any]:
    """The moment of deployment, where it is declared without saying when."""
    if to.get("status") != DataSourceGroupVersion.Status.DEPLOYED or to.get("last_deployed_at"):
        return {}
    if version.last_deployed_at is not None and "last_deployed_at" not in to:
        return {}
    version.last_deployed_at = clock.now()
    return {"last_deployed_at": version.last_deployed_at}


def _activate(version: DataSourceGroupVersion) -> None:
    """A deployed version is the active one of its group."""
    if version.status != DataSourceGroupVersion.Status.DEPLOYED:
        return
    group = DataSourceGroup.objects.select_for_update().get(pk=version.group_id)
    if group.active_version_id != version.pk:
        group.active_version = version
        group.updated_at = clock.now()
        group.save(update_fields=["active_version", "updated_at"])


@transaction.atomic
def use_technique(proposal: Proposal, technique: Technique, *, by: Actor) -> Any:
    """A technique that is used in a proposal; the row that says so."""
    used = [*proposal.techniques.all(), technique]
    content.amend(proposal, to={"techniques": used}, by=by)
    return Proposal.techniques.through.objects.get(proposal=proposal, technique=technique)


@transaction.atomic
def drop_technique(proposal: Proposal, technique: Technique, *, by: Actor) -> None:
    """A technique that is not used in a proposal after all."""
    kept = [t for t in proposal.techniques.all() if t != technique]
    content.amend(proposal, to={"techniques": kept}, by=by)


@transaction.atomic
def swap_technique(use: Any, technique: Technique, *, by: Actor) -> None:
    """Another technique in the place of one; the row that says so stays the same."""
    proposal, before = use.proposal, use.technique
    access.require(by, words.EDIT, proposal)
    queries.lock(proposal)
    if before == technique:
        return
    use.technique = technique
    use.save(update_fields=["technique"])
    names = [t.identifier for t in proposal.techniques.all()]
    journal.write(proposal, "amend", by=by, facts={"techniques": names})


def _entered(row: Row, by: Actor, facts: Mapping[str, Any]) -> Row:
    row.save(force_insert=True)
    _tell(row, "add", by, {k: v for k, v in facts.items() if v not in (None, "")})
    return row


def _tell(row: Recorded, what: str, by: Actor, facts: Mapping[str, Any]) -> None:
    """In the story of the proposal that a row belongs to, else in its own."""
    proposal = getattr(row, "proposal", None)
    move = f"{what} {row._meta.verbose_name}"
    journal.write(proposal if proposal is not None else row, move, by=by, facts=facts)


def _require_for(row: Declared, by: Actor) -> None:
    if isinstance(row, DataManagementPlan):
        access.require(by, words.EDIT, row.proposal)
    elif isinstance(row, RemoteDevice):
        _require(by, row.proposal)
    else:
        _require_daq(by)


def _require(by: Actor, proposal: Proposal | None) -> None:
    """What belongs to no proposal is the DAQ's."""
    if proposal is not None:
        access.require(by, words.EDIT, proposal)
    else:
        _require_daq(by)


def _require_daq(by: Actor) -> None:
    may = words.facility_wide(by, access.today())
    if not may & {words.DAQ, words.ADMINISTER}:
        raise Refused(
            "What the DAQ records is declared by its programs and by data managers.",
            kind="permission",
            who="data managers",
        )
