"""The proposal's DOI: made at review, told to the registrar, kept up to date."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction

from catalogue.ground import clock
from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import Wanted
from catalogue.ground.lifecycle import Outcome, Work, World, advance, performs
from catalogue.ground.models import Doi
from catalogue.ports.registrar import Registrar, registrar_from
from catalogue.publication import datacite
from proposals import describe, queries
from proposals.models import REVIEWED, Proposal


def registrar() -> Registrar:
    """The facility's registrar, by the settings REGISTRAR_*."""
    return registrar_from(
        url=settings.REGISTRAR_URL,
        username=settings.REGISTRAR_USER,
        password=settings.REGISTRAR_PASSWORD,
        prefix=settings.DOI_PREFIX,
    )


def _unless_test(proposal: Proposal, world: World) -> Iterable[Wanted]:
    """Test proposals are never published."""
    if proposal.kind != Proposal.Kind.TEST:
        yield Wanted("proposals.register_doi", proposal)


@performs("proposals.register_doi", plan=_unless_test)
def register_doi(work: Work) -> Outcome:
    """Tell the registrar of a reviewed proposal: findable where its metadata are public, else
    registered and internal only; of a withdrawn one, that it was withdrawn. The same call twice
    ends in the same state there and here."""
    proposal: Proposal = work.subject(Proposal)
    gone = proposal.withdrawn_at is not None and not queries.is_published(proposal)
    if proposal.state not in REVIEWED or gone:
        return Outcome(result={"left out": "It is not a reviewed proposal any more."})
    doi = _doi(proposal)
    metadata = datacite.metadata(describe.resource(proposal))
    if proposal.metadata_public:
        registrar().publish(doi.name, metadata, doi.url)
    else:
        registrar().register(doi.name, metadata, doi.url)

    def record() -> None:
        move = doi.publish if proposal.metadata_public else doi.register
        advance(move, by=WORKER, metadata=metadata, at=clock.now())

    return Outcome(record, {"doi": doi.name})


@transaction.atomic
def _doi(proposal: Proposal) -> Doi:
    """The proposal's DOI row, made when it is first needed."""
    row = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if row.doi is None:
        row.doi = Doi.objects.create(
            name=describe.doi_name(row.number),
            url=describe.landing_url(row.number),
            proposal=row.number,
        )
        row.save(update_fields=["doi"])
    proposal.doi = row.doi
    return row.doi
