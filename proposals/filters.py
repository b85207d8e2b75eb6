"""How the list of proposals is narrowed; the same filters for pages and programs."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django_filters import CharFilter, ChoiceFilter, FilterSet, ModelChoiceFilter

from catalogue.ground import pages
from catalogue.ground.models import Instrument
from proposals import board
from proposals.models import PREPARATION, REVIEWED, RUNNING, Membership, Proposal

PHASES = {
    "preparing": ("In preparation", (*PREPARATION, "R")),
    "running": ("Beamtime running", RUNNING),
    "finished": ("Finished, to be reviewed", ("F",)),
    "reviewed": ("Reviewed", REVIEWED),
    "cancelled": ("Cancelled", ("C",)),
}


class ProposalFilter(FilterSet):  # type: ignore[misc] # django-filter has no types
    """By number, title or leader's name; by instrument, phase, kind and access."""

    q = CharFilter(label="Number, title or leader", method="search")
    instrument = ModelChoiceFilter(queryset=lambda _: instruments(), empty_label="Any")
    phase = ChoiceFilter(
        label="Phase",
        method="in_phase",
        choices=[(k, words) for k, (words, _) in PHASES.items()],
        empty_label="Any",
    )
    kind = ChoiceFilter(choices=Proposal.Kind.choices, empty_label="Any")
    access = ChoiceFilter(label="Data", choices=Proposal.Access.choices, empty_label="Any")

    class Meta:
        model = Proposal
        fields: tuple[str, ...] = ()

    def search(self, rows: QuerySet[Proposal], name: str, value: str) -> QuerySet[Proposal]:
        text = value.strip().removeprefix("p")
        found = Q(title__icontains=value.strip())
        if text.isascii() and text.isdigit() and len(text) <= 6:
            found |= Q(number=int(text))
        # By ids, not along a join: with that, every proposal comes once for each of its team.
        named = Membership.objects.filter(role="pi", user__last_name__icontains=value.strip())
        return rows.filter(found | Q(pk__in=named.values("proposal")))

    def in_phase(self, rows: QuerySet[Proposal], name: str, value: str) -> QuerySet[Proposal]:
        return rows.filter(state__in=PHASES[value][1])


class BoardFilter(FilterSet):  # type: ignore[misc] # django-filter has no types
    """The board of one instrument in one cycle, by the words people know them by."""

    instrument = ModelChoiceFilter(
        queryset=lambda _: instruments(), to_field_name="identifier", empty_label="All"
    )
    cycle = ChoiceFilter(
        label="Cycle", field_name="cycle__identifier", choices=board.cycles, empty_label="All"
    )
    waits = ChoiceFilter(
        label="Waits for", method="waiting", choices=[("me", "Me")], empty_label="Anybody"
    )

    class Meta:
        model = Proposal
        fields: tuple[str, ...] = ()

    def waiting(self, rows: QuerySet[Proposal], name: str, value: str) -> QuerySet[Proposal]:
        return rows.filter(pk__in=board.waiting_ids(pages.actor(self.request)))


def instruments() -> QuerySet[Instrument]:
    """All instruments; the facility's own list, the same for every reader."""
    return Instrument.objects.all()
