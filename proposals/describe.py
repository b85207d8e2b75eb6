"""A proposal as the world may see it: rows become a `Resource`, from which every format is made."""

from __future__ import annotations

import re
from datetime import date, datetime

from django.conf import settings

from catalogue.ground import clock
from catalogue.ground.models import Technique as Known
from catalogue.ground.models import User
from catalogue.publication.resource import (
    Access,
    Contact,
    Dates,
    Instrument,
    License,
    Organization,
    Period,
    Person,
    Related,
    Resource,
    Technique,
)
from proposals import queries
from proposals.models import Membership, Proposal

LICENSES = {
    "CC-BY-4.0": License(
        id="CC-BY-4.0",
        url="https://creativecommons.org/licenses/by/4.0/",
        name="Creative Commons Attribution 4.0 International",
        description="You may share and adapt the data for any purpose if you name their source.",
    ),
    "CC0-1.0": License(
        id="CC0-1.0",
        url="https://creativecommons.org/publicdomain/zero/1.0/",
        name="Creative Commons Zero 1.0 Universal",
        description="No rights reserved.",
    ),
}
# Who is named as a creator: the team's leaders and those who work on the data.
CREATORS = (Membership.Role.PI, Membership.Role.PROPOSER, Membership.Role.DEPUTY)


def doi_name(number: int) -> str:
    """The DOI of proposal `number` by the facility's pattern (settings DOI_PREFIX, DOI_PATTERN)."""
    return f"{settings.DOI_PREFIX}/{settings.DOI_PATTERN.format(number=number)}"


def landing_url(number: int) -> str:
    """The public page of proposal `number`."""
    return f"{settings.SITE_URL}/data/{number:06d}"


def facility() -> Organization:
    """The facility, which publishes its data."""
    return Organization(
        name=settings.FACILITY, ror=settings.FACILITY_ROR or None, url=settings.SITE_URL
    )


def contact() -> Contact:
    """Whom readers may ask."""
    return Contact(
        name=f"{settings.FACILITY} data services",
        url=f"{settings.SITE_URL}/data",
        email=settings.FACILITY_CONTACT,
    )


def access(proposal: Proposal) -> Access:
    """What a reader from outside may have today."""
    if proposal.withdrawn_at is not None:
        return Access.WITHDRAWN
    return Access.OPEN if proposal.access == Proposal.Access.OPEN else Access.EMBARGOED


def resource(proposal: Proposal) -> Resource:
    """All that is published of a proposal; without its files."""
    team = list(queries.team(proposal))
    techniques = list(proposal.techniques.all())
    creators = [m for m in team if m.role in CREATORS] or team
    beamtimes = tuple(Period(_day(b.begin_at), _day(b.end_at)) for b in proposal.beamtimes.all())
    issued = proposal.doi.registered_at if proposal.doi else None
    opens = proposal.released_at or proposal.release_at
    return Resource(
        doi=proposal.doi.name if proposal.doi else None,
        url=landing_url(proposal.number),
        title=proposal.title,
        abstract=proposal.abstract,
        creators=tuple(person(m.user, m.get_role_display()) for m in creators)
        or (Person(given="", family=settings.FACILITY),),
        contributors=tuple(person(m.user, m.get_role_display()) for m in team if m not in creators),
        contact=contact(),
        publisher=facility(),
        publication_year=_day(issued or clock.now()).year,
        facility=facility(),
        proposal=proposal.number,
        dates=Dates(
            collected=beamtimes,
            submitted=_day(proposal.created_at),
            issued=_day(issued) if issued else None,
            available=_day(opens) if opens else None,
            withdrawn=_day(proposal.withdrawn_at) if proposal.withdrawn_at else None,
        ),
        license=LICENSES[settings.DATA_LICENSE],
        access=access(proposal),
        instruments=(Instrument(name=proposal.instrument.name),),
        techniques=tuple(
            Technique(panet=t.identifier, name=t.name) for t in techniques if _of_panet(t)
        ),
        related=_related(proposal),
        keywords=(
            *(k.strip() for k in proposal.keywords.split(",") if k.strip()),
            *(t.name for t in techniques if not _of_panet(t)),
        ),
    )


def preview(proposal: Proposal) -> tuple[Resource | None, str]:
    """What would be published now; without it, what is in the way of that."""
    try:
        return resource(proposal), ""
    except ValueError as unfit:
        return None, str(unfit)


def _of_panet(technique: Known) -> bool:
    """Whether the world knows the technique by a PaNET id; the facility's own ones are keywords."""
    return re.fullmatch(r"PaNET[0-9]{5}", technique.identifier) is not None


def person(user: User, role: str) -> Person:
    """A member of the team as a name on the data."""
    ror = user.affiliation_ror or None
    place = (Organization(name=user.affiliation, ror=ror),) if user.affiliation else ()
    return Person(
        given=user.first_name,
        family=user.last_name or user.username,
        orcid=user.orcid or None,
        affiliations=place,
        role=role,
    )


def _related(proposal: Proposal) -> tuple[Related, ...]:
    """The proposal it is derived from, if everybody may know of that one."""
    source = proposal.derived_from
    if source is None or source.doi is None or not source.is_public:
        return ()
    return (Related(source.doi.name, "IsDerivedFrom", title=source.title, resource_type="Dataset"),)


def _day(moment: datetime) -> date:
    return moment.astimezone(clock.facility_zone()).date()
