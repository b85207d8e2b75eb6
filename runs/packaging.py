"""Packages of a proposal's open part: asking for one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet, Sum

from catalogue.ground import access as words
from catalogue.ground import clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.jobs import Wanted, enqueue
from catalogue.ground.lifecycle import Consequence
from catalogue.ground.lifecycle.foresight import Answer
from catalogue.ground.models import Store
from catalogue.ground.refusal import Refused
from catalogue.ground.totals import BigSum
from catalogue.ground.words import bytes_text, count_text
from proposals import access
from proposals import queries as proposals
from proposals.models import Proposal
from runs import queries
from runs.models import DataGroup, Package


@transaction.atomic
def request_package(proposal: Proposal, *, by: Actor) -> Package:
    """Ask for a package of the open part. While one is being made, asking again gives that."""
    access.require(by, words.PACKAGE, proposal)
    row = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if row.access != Proposal.Access.OPEN:
        raise _closed(row)
    if there := row.packages.filter(state=Package.State.REQUESTED).first():
        return there
    if not _open_groups(row).exists():
        raise _nothing(row)
    made = Package.objects.create(
        proposal=row,
        store=Store.objects.get(identifier=settings.EXPORT_STORE),
        asked_by=by.name,
        created_at=clock.now(),
    )
    journal.write(made, "request", by=by, after=made.state)
    enqueue([Wanted("runs.package", made)], by=by)
    return made


def explain(proposal: Proposal, allowed: Collection[str]) -> list[Answer]:
    """What a package would hold, or why none can be asked for."""
    problem = access.why_not(allowed, words.PACKAGE, proposal)
    if problem is not None:
        return [problem]
    if proposal.access != Proposal.Access.OPEN:
        return [_closed(proposal)]
    if proposal.packages.filter(state=Package.State.REQUESTED).exists():
        return [Refused("One is being made; asking again gives that one.", kind="state")]
    found = (
        _open_groups(proposal)
        .order_by()
        .aggregate(runs=Count("run", distinct=True), files=Sum("file_count"), bytes=BigSum("bytes"))
    )
    if not found["runs"]:
        return [_nothing(proposal)]
    runs, files = count_text(found["runs"], "run"), count_text(found["files"], "file")
    said = f"{files} of {runs} are copied, read back and described; {bytes_text(found['bytes'])}."
    return [Consequence(said, bytes=found["bytes"])]


def opens(proposal: Proposal) -> datetime | None:
    """The day on which the data open by themselves, as it is fixed, or as the beamtimes say."""
    if proposal.release_at is not None:
        return proposal.release_at
    return proposals.embargo_end(proposal, settings.EMBARGO_YEARS)


def _open_groups(proposal: Proposal) -> QuerySet[DataGroup]:
    return queries.open_part(proposal).filter(file_count__gt=0)


def _closed(proposal: Proposal) -> Refused:
    return Refused(f"{proposal.label} is under embargo; a package holds open data.", kind="state")


def _nothing(proposal: Proposal) -> Refused:
    return Refused(f"{proposal.label} has no Good or Unclear run with data to package.")
