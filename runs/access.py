"""Who may see and do what with runs and their data. Rights come from the proposal."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from catalogue.ground import access as words
from catalogue.ground.actor import Actor
from proposals import access as proposals
from proposals.models import Proposal
from runs.models import DataGroup, File, Run

OPEN_QUALITIES = (Run.Quality.GOOD, Run.Quality.UNCLEAR)
OPEN_KINDS = ("RAW", "PROC")


def open_runs() -> Q:
    """A condition on `Run`: those whose data everybody may read."""
    return Q(quality__in=OPEN_QUALITIES, withdrawn_at__isnull=True) & Q(
        proposal__in=Proposal.objects.filter(proposals.open_to_all()).order_by()
    )


def is_open(run: Run) -> bool:
    """The same rule as `open_runs`, for one run."""
    kept = run.quality in OPEN_QUALITIES and run.withdrawn_at is None
    return kept and run.proposal.is_open


def visible(actor: Actor) -> QuerySet[Run]:
    """The runs of which `actor` may know: of their proposals, and the open ones."""
    mine = own_proposals(actor)
    return Run.objects.all() if mine is None else _or_open(mine)


def _or_open(mine: QuerySet[Proposal]) -> QuerySet[Run]:
    """The runs of these proposals, and the open ones."""
    of_mine = Run.objects.filter(proposal__in=mine.order_by()).order_by().values("pk")
    others = Run.objects.filter(open_runs()).order_by().values("pk")
    # A union, not an "or": with that, every run of the facility would be looked at.
    return Run.objects.filter(pk__in=of_mine.union(others, all=True))


def visible_groups(actor: Actor) -> QuerySet[DataGroup]:
    """The data groups of the proposals of which `actor` may know more than everybody may, also
    those that belong to no run."""
    mine = own_proposals(actor)
    return DataGroup.objects.all() if mine is None else groups_in(mine)


def groups_in(mine: QuerySet[Proposal]) -> QuerySet[DataGroup]:
    """The data groups of these proposals, with or without a run."""
    of_runs = DataGroup.objects.filter(run__proposal__in=mine).order_by().values("pk")
    of_no_run = DataGroup.objects.filter(run=None, experiment__proposal__in=mine).order_by()
    return DataGroup.objects.filter(pk__in=of_runs.union(of_no_run.values("pk"), all=True))


def own_proposals(actor: Actor) -> QuerySet[Proposal] | None:
    """The proposals of which `actor` may know more than everybody may; None where that is all of
    them, so that nothing has to be asked of each row."""
    day = proposals.today()
    held = list(words.offices(actor, day))
    if words.SEE_METADATA in words.facility_wide(actor, day, held):
        return None
    return Proposal.objects.filter(proposals.holding(actor, words.SEE_METADATA, held))


def readable(actor: Actor) -> QuerySet[Run]:
    """The runs whose files `actor` may read."""
    return _or_open(Proposal.objects.filter(proposals.holding(actor, words.SEE_DATA)))


def may_read_data(actor: Actor, run: Run, allowed: frozenset[str] | None = None) -> bool:
    """The same rule as `readable`, for one run; `allowed` is what `actor` may do with its proposal,
    where that is known already."""
    known = proposals.allowed_on(actor, run.proposal) if allowed is None else allowed
    return words.SEE_DATA in known or is_open(run)


def may_read_file(actor: Actor, file: File) -> bool:
    """Of an open run everybody may read the open kinds; the others stay with those who may see the
    data of the proposal, also where somebody may know that they are there."""
    group = file.data_group
    if group.kind in OPEN_KINDS:
        return may_read_data(actor, group.run)
    return words.SEE_DATA in proposals.allowed_on(actor, group.run.proposal)
