"""What is read of proposals; lists are narrowed to what the reader may see."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db.models import PROTECT, Count, F, Max, Model, Prefetch, Q, QuerySet

from catalogue.ground import access as words
from catalogue.ground import calendar, clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.models import (
    Appointment,
    Cycle,
    Doi,
    Entry,
    ExperimentType,
    Instrument,
    Job,
    SampleType,
    Store,
    Technique,
    User,
)
from catalogue.ground.words import count_text
from proposals import access
from proposals.models import Beamtime, DataManagementPlan, Experiment, Membership, Proposal, Sample


def listed(actor: Actor) -> QuerySet[Proposal]:
    """The proposals that `actor` may read, with what a list shows of each."""
    return (
        access.visible(actor)
        .select_related("instrument", "cycle", "doi", "derived_from")
        .prefetch_related(
            "beamtimes",
            Prefetch(
                "memberships",
                Membership.objects.filter(role=Membership.Role.PI).select_related("user"),
                to_attr="leaders",
            ),
        )
    )


def one(actor: Actor, number: int, held: Iterable[Appointment] | None = None) -> Proposal:
    """The proposal with this number. Raises `Proposal.DoesNotExist` also where it may not be
    known of. `held` are the actor's offices of today, where the caller has read them already."""
    found = access.visible(actor, held).select_related("instrument", "cycle", "doi")
    return found.get(number=number)


def told(actor: Actor) -> QuerySet[Proposal]:
    """The same as `listed`, with what programs are told of each besides."""
    return listed(actor).prefetch_related("techniques")


def shown(actor: Actor, number: int) -> Proposal:
    """The same as `one`, with what programs are told of it."""
    return told(actor).get(number=number)


def again(proposal: Proposal) -> Proposal:
    """The proposal as it is now."""
    return Proposal.objects.get(pk=proposal.pk)


def inside(actor: Actor, proposals: Collection[Proposal]) -> set[int]:
    """The ids of those of which `actor` may read more than everybody may."""
    mine = Proposal.objects.filter(access.holding(actor, words.SEE_METADATA))
    return set(mine.filter(pk__in=[p.pk for p in proposals]).values_list("pk", flat=True))


def known(actor: Actor, ids: Collection[int]) -> set[int]:
    """Those of the proposals with these ids of which `actor` may know."""
    return set(access.visible(actor).filter(pk__in=ids).values_list("pk", flat=True))


def team(proposal: Proposal) -> QuerySet[Membership]:
    """The team, leaders first."""
    return proposal.memberships.select_related("user").order_by("-role", "user__last_name", "id")


def member(proposal: Proposal, id: int) -> Membership:
    """The member of the team with this id. Raises `Membership.DoesNotExist`."""
    return team(proposal).select_related("proposal__instrument").get(pk=id)


def beamtime(proposal: Proposal, id: int) -> Beamtime:
    """The beamtime with this id. Raises `Beamtime.DoesNotExist`."""
    return proposal.beamtimes.select_related("proposal__instrument").get(pk=id)


def experiments(proposal: Proposal) -> QuerySet[Experiment]:
    """The run types of a proposal, by name."""
    return Experiment.objects.filter(proposal=proposal).select_related("type").order_by("name")


def experiment(proposal: Proposal, name: str) -> Experiment:
    """The run type of that name. Raises `Experiment.DoesNotExist`."""
    return experiments(proposal).get(name=name)


def samples(proposal: Proposal) -> QuerySet[Sample]:
    """The samples of a proposal, by name."""
    return Sample.objects.filter(proposal=proposal).order_by("name")


def has_name(rows: QuerySet[Any], name: str) -> bool:
    """Whether one of these samples, or run types, has this name."""
    return rows.filter(name=name).exists()


def sample(proposal: Proposal, name: str) -> Sample:
    """The sample of that name. Raises `Sample.DoesNotExist`."""
    return samples(proposal).get(name=name)


def plans(proposal: Proposal) -> list[DataManagementPlan]:
    """Its data management plans, the one that holds first: the newest that is available."""
    return list(DataManagementPlan.objects.filter(proposal=proposal).order_by("-available", "-pk"))


def last_beamtime_end(proposal: Proposal) -> datetime | None:
    """When the last beamtime ends, or None without one."""
    found: datetime | None = proposal.beamtimes.aggregate(at=Max("end_at"))["at"]
    return found


def embargo_end(proposal: Proposal, years: int) -> datetime | None:
    """The end of the last beamtime and `years` calendar years, in the facility's zone."""
    end = last_beamtime_end(proposal)
    if end is None:
        return None
    span = calendar.Span(years, "years")
    later = calendar.add(end, span, zone=clock.facility_zone())
    assert isinstance(later, datetime)
    return later


def overlapping(
    instrument: Instrument, begin: datetime, end: datetime, *, besides: Proposal | None
) -> QuerySet[Beamtime]:
    """Beamtimes on `instrument` that share time with [begin, end) and belong to other proposals
    that are neither cancelled nor withdrawn."""
    found = Beamtime.objects.filter(
        proposal__instrument=instrument,
        proposal__withdrawn_at=None,
        begin_at__lt=end,
        end_at__gt=begin,
    ).exclude(proposal__state=Proposal.State.CANCELLED)
    return found.exclude(proposal=besides) if besides is not None else found


def stores_to_prepare() -> QuerySet[Store]:
    """The stores in which proposal folders are made before a beamtime."""
    return Store.objects.filter(prepares_folders=True)


def online_stores() -> QuerySet[Store]:
    """The stores whose proposal folders go when a proposal is closed."""
    return Store.objects.filter(prepares_folders=True, tier="online")


WITHDRAW_DOI = "withdraw the publication"


def is_published(proposal: Proposal) -> bool:
    """Whether the registrar knows a DOI of it, findable or not."""
    return proposal.doi is not None and proposal.doi.state != Doi.State.DRAFT


def due_for_release(now: datetime) -> QuerySet[Proposal]:
    """Reviewed proposals under embargo whose day has come. Test proposals are never released."""
    return Proposal.objects.filter(
        access=Proposal.Access.EMBARGOED,
        state__in=["FR", "WCLD", "CLO"],
        release_at__lte=now,
        withdrawn_at__isnull=True,
    ).exclude(kind=Proposal.Kind.TEST)


def opening_before(now: datetime, horizon: datetime) -> QuerySet[Proposal]:
    """Reviewed proposals under embargo whose data open after `now` and not after `horizon`."""
    return Proposal.objects.filter(
        access=Proposal.Access.EMBARGOED,
        state__in=["FR", "WCLD", "CLO"],
        release_at__gt=now,
        release_at__lte=horizon,
        withdrawn_at__isnull=True,
    ).exclude(kind=Proposal.Kind.TEST)


def story(actor: Actor, proposal: Proposal) -> QuerySet[Entry]:
    """What happened to a proposal and all that belongs to it, newest first; for those who may
    read the journal."""
    if words.SEE_JOURNAL not in access.allowed_on(actor, proposal):
        return Entry.objects.none()
    return journal.of_proposal(proposal.number)


def jobs(actor: Actor) -> QuerySet[Job]:
    """The jobs that `actor` may read of: those of proposals whose journal they may read."""
    return Job.objects.filter(_journaled(actor))


def events(actor: Actor) -> QuerySet[Entry]:
    """The entries of the journal that `actor` may read; those of no proposal are for who may read
    the journal of the whole facility."""
    return Entry.objects.filter(_journaled(actor))


def _journaled(actor: Actor) -> Q:
    """A condition on rows with a `proposal` number: those of proposals whose journal `actor` may
    read."""
    held = list(words.offices(actor, access.today()))
    if words.SEE_JOURNAL in words.facility_wide(actor, access.today(), held):
        return Q()
    mine = Proposal.objects.filter(access.holding(actor, words.SEE_JOURNAL, held))
    return Q(proposal__in=mine.values("number"))


def person(login: str) -> User:
    """The active user with this login. Raises `User.DoesNotExist`."""
    return User.objects.get(username=login, is_active=True)


def people(text: str, most: int = 8) -> list[User]:
    """The people with an open account who may be meant: the one with this login or e-mail address,
    else those in whose names all these words are."""
    found = User.objects.filter(is_active=True, is_service=False).order_by("last_name", "pk")
    exactly = found.filter(username=text) or found.filter(email__iexact=text)
    if exactly:
        return list(exactly[:1])
    for word in text.split()[:6]:
        found = found.filter(
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(username__icontains=word)
        )
    return list(found[:most]) if text.split() else []


def uses(rows: Collection[Model]) -> dict[int, list[str]]:
    """What keeps each of these rows (of one table) from being removed, by its id: "12 runs"."""
    found: dict[int, list[str]] = {}
    relations = next(iter(rows))._meta.related_objects if rows else ()
    for relation in relations:
        if getattr(relation, "on_delete", None) is not PROTECT:
            continue
        name = relation.field.name
        held = relation.related_model._base_manager.filter(**{f"{name}__in": rows})
        words = relation.related_model._meta
        for pk, n in held.order_by().values_list(name).annotate(n=Count("pk")):
            many = str(words.verbose_name_plural)
            found.setdefault(pk, []).append(count_text(n, str(words.verbose_name), many))
    return found


def instrument(identifier: str) -> Instrument:
    """The instrument of that identifier. Raises `Instrument.DoesNotExist`."""
    return Instrument.objects.get(identifier=identifier)


def cycle(identifier: str, instrument: Instrument) -> Cycle:
    """The cycle of that identifier: the instrument's own, else the one of all instruments.
    Raises `Cycle.DoesNotExist`."""
    own_or_common = Q(instrument=instrument) | Q(instrument__isnull=True)
    found = Cycle.objects.filter(own_or_common, identifier=identifier)
    return found.order_by(F("instrument").asc(nulls_last=True))[:1].get()


def cycles() -> QuerySet[Cycle]:
    """All instrument cycles, each with its instrument, if it has one."""
    return Cycle.objects.select_related("instrument")


def instruments() -> QuerySet[Instrument]:
    """All instruments with what is told of them."""
    return Instrument.objects.select_related("type", "topic").prefetch_related("techniques")


def experiment_types() -> QuerySet[ExperimentType]:
    """All run types of the facility."""
    return ExperimentType.objects.all()


def sample_types() -> QuerySet[SampleType]:
    """All types of samples of the facility."""
    return SampleType.objects.filter(available=True).order_by("name")


def all_techniques() -> QuerySet[Technique]:
    """All techniques that the catalogue knows."""
    return Technique.objects.all()


def experiment_type(name: str) -> ExperimentType:
    """The facility's run type of that name. Raises `ExperimentType.DoesNotExist`."""
    return ExperimentType.objects.get(name=name)


def techniques(identifiers: Collection[str]) -> list[Technique]:
    """The techniques with these PaNET ids. Raises `Technique.DoesNotExist`."""
    found = list(Technique.objects.filter(identifier__in=identifiers))
    if len(found) < len(set(identifiers)):
        raise Technique.DoesNotExist
    return found


def stores() -> QuerySet[Store]:
    """All stores, by rank."""
    return Store.objects.all()


def lock(proposal: Proposal) -> None:
    """Nobody else changes the proposal, or numbers its parts, until the transaction ends."""
    Proposal.objects.select_for_update().only("pk").get(pk=proposal.pk)


def next_experiment_number(proposal: Proposal) -> int:
    """One more than the greatest there is; ask under `lock`."""
    return (proposal.experiments.aggregate(last=Max("number"))["last"] or 0) + 1
