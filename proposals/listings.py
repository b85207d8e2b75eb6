"""What programs look up by id: proposals and what belongs to them, narrowed to what the reader may
know of. `queries` reads by the numbers and names that people use."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    CharField,
    Exists,
    F,
    Max,
    Min,
    Model,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from catalogue.ground import access as words
from catalogue.ground.actor import Actor
from catalogue.ground.models import Doi, Instrument, User
from proposals import access
from proposals.models import (
    PREPARATION,
    Beamtime,
    DataManagementPlan,
    DataSourceGroup,
    DataSourceGroupVersion,
    Experiment,
    Membership,
    Proposal,
    RemoteDevice,
    Sample,
)

M = TypeVar("M", bound=Model)
LIVING = (*PREPARATION, "R", "A", "I", "F")


def inside(actor: Actor) -> QuerySet[Proposal]:
    """The proposals of which `actor` may read all that is said inside of them."""
    return Proposal.objects.filter(access.holding(actor, words.SEE_METADATA))


def proposals(actor: Actor) -> QuerySet[Proposal]:
    """Those that `actor` may know of, with what belongs to each.

    `inside` says whether more may be told of it than everybody may read, `leader_id` and
    `proposed_by` who leads it; `reported` is its state in the codes of programs, and `released`
    whether its data are open.
    """
    held = access.holding(actor, words.SEE_METADATA)
    leader = Membership.objects.filter(proposal=OuterRef("pk"), role=Membership.Role.PI)
    proposer = Membership.objects.filter(proposal=OuterRef("pk"), role=Membership.Role.PROPOSER)
    team = Membership.objects.select_related("user").order_by("pk")
    return (
        access.visible(actor)
        .select_related("instrument", "cycle", "doi")
        .annotate(
            inside=_is(held),
            leader_id=Subquery(leader.values("user")[:1]),
            proposed_by=Coalesce(
                F("main_proposer"),
                Subquery(proposer.order_by("pk").values("user")[:1]),
                output_field=BigIntegerField(),
            ),
            reported=Case(
                When(kind=Proposal.Kind.TEST, state__in=PREPARATION, then=Value("T")),
                default=F("state"),
                output_field=CharField(),
            ),
            released=_is(Q(access=Proposal.Access.OPEN)),
        )
        .prefetch_related(
            "techniques",
            Prefetch("beamtimes", Beamtime.objects.order_by("pk")),
            Prefetch("memberships", team),
            Prefetch("plans", DataManagementPlan.objects.order_by("pk")),
        )
    )


def numbered(actor: Actor, number: int) -> Proposal | None:
    """The proposal of this number, plainly; None where there is none to be known of."""
    return access.visible(actor).filter(number=number).first()


def active_at(actor: Actor, instrument: Instrument) -> Proposal:
    """The proposal that has the beam of an instrument. Raises `Proposal.DoesNotExist`."""
    active = access.visible(actor).filter(instrument=instrument, state=Proposal.State.ACTIVE)
    return active.order_by("-begin_at", "-state_since", "pk")[:1].get()


def with_logbook_at(actor: Actor, instrument: Instrument) -> QuerySet[Proposal]:
    """The proposals of an instrument that go on and have a logbook."""
    return (
        proposals(actor)
        .filter(
            access.holding(actor, words.SEE_METADATA),
            instrument=instrument,
            state__in=LIVING,
            withdrawn_at__isnull=True,
        )
        .exclude(logbook="")
    )


def memberships(actor: Actor) -> QuerySet[Membership]:
    return Membership.objects.filter(proposal__in=inside(actor)).select_related("proposal", "user")


def beamtimes(actor: Actor) -> QuerySet[Beamtime]:
    return Beamtime.objects.filter(proposal__in=inside(actor)).select_related("proposal")


def samples(actor: Actor) -> QuerySet[Sample]:
    return Sample.objects.filter(proposal__in=inside(actor)).select_related("proposal")


def experiments(actor: Actor) -> QuerySet[Experiment]:
    """Run types, with the greatest number among their runs as `last_run`, and when the first of
    them began as `begin_at`."""
    found = Experiment.objects.filter(proposal__in=inside(actor))
    same = Experiment.objects.filter(pk=OuterRef("pk")).values("pk")
    return found.select_related("proposal__instrument", "proposal__cycle").annotate(
        last_run=Subquery(same.annotate(last=Max("runs__number")).values("last")),
        begin_at=Subquery(same.annotate(first=Min("runs__begin_at")).values("first")),
    )


def plans(actor: Actor) -> QuerySet[DataManagementPlan]:
    found = DataManagementPlan.objects.filter(proposal__in=inside(actor))
    return found.select_related("proposal")


def techniques(actor: Actor) -> QuerySet[Any]:
    """Which technique is used in which proposal."""
    found = all_techniques().filter(proposal__in=access.visible(actor))
    return found.select_related("proposal", "technique")


def all_techniques() -> QuerySet[Any]:
    """The same of all proposals, for the rule that it is said once."""
    return Proposal.techniques.through.objects.all()


def devices(actor: Actor) -> QuerySet[RemoteDevice]:
    """Devices of proposals, and those that belong to none."""
    own = Q(proposal__in=inside(actor)) | Q(proposal__isnull=True)
    return RemoteDevice.objects.filter(own).select_related("proposal")


def source_groups(actor: Actor) -> QuerySet[DataSourceGroup]:
    """The DAQ's configurations; everybody who has an account may read them."""
    return DataSourceGroup.objects.select_related("topic")


def source_versions(actor: Actor) -> QuerySet[DataSourceGroupVersion]:
    return DataSourceGroupVersion.objects.select_related("group")


def deployed(actor: Actor) -> QuerySet[DataSourceGroupVersion]:
    """What DAQs run with, the latest first."""
    found = source_versions(actor).filter(status=DataSourceGroupVersion.Status.DEPLOYED)
    return found.order_by(F("last_deployed_at").desc(nulls_last=True), "-pk")


def modified(actor: Actor) -> QuerySet[DataSourceGroupVersion]:
    """All versions, the last changed first."""
    return source_versions(actor).order_by("-updated_at", "-pk")


def dois(actor: Actor) -> QuerySet[Doi]:
    """DOIs of proposals that `actor` may know of, and those of nothing in the catalogue."""
    numbers = access.visible(actor).values("number")
    found = Doi.objects.filter(Q(proposal__isnull=True) | Q(proposal__in=numbers))
    return found.annotate(published=_is(Q(state=Doi.State.FINDABLE)))


def _is(condition: Q) -> Case:
    return Case(
        When(condition, then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )


def people(actor: Actor) -> QuerySet[User]:
    """The people of whom `actor` may read name and address: themselves, those whose proposals they
    may read inside of, and for who may read all proposals everybody."""
    if words.SEE_METADATA in words.facility_wide(actor, access.today()):
        return User.objects.all()
    shared = Membership.objects.filter(user=OuterRef("pk"), proposal__in=inside(actor))
    own = Q(pk=actor.user.pk) if actor.user is not None else Q(pk__in=[])
    return User.objects.filter(own | Exists(shared))


def nameable(actor: Actor) -> QuerySet[User]:
    """Whom a row may name: everybody, also who has left. Only their id is told of them."""
    return User.objects.all()


def everything(table: type[M]) -> QuerySet[M]:
    """All rows of a table, for rules that hold among all of them."""
    return table._default_manager.all()


def proposals_of(actor: Actor, person: User) -> QuerySet[Proposal]:
    """The proposals in whose team a person is, as far as `actor` may read inside of them."""
    return inside(actor).filter(memberships__user=person).order_by("number")
