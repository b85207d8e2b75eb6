"""Proposals, samples and people by what somebody typed; only those that the reader may know of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalogue.ground import access as words
from catalogue.ground import fulltext
from catalogue.ground.actor import Actor
from catalogue.ground.models import User
from catalogue.ground.question import Question
from proposals import access
from proposals.models import Membership, Proposal, Sample

PROPOSAL_TEXT = ("title", "abstract", "keywords")
SAMPLE_TEXT = ("name", "description")
FEW = 1000


@dataclass(frozen=True, slots=True)
class Reader:
    """Who searches. `own` are the proposals of which they may know more than everybody may; None
    where that is all of them, so that nothing has to be asked of each row. `few` are their ids,
    where they are few."""

    actor: Actor
    own: QuerySet[Proposal] | None
    few: frozenset[int] | None = None

    def within(self, condition: str) -> Q:
        """A condition on rows whose proposal (at `condition`, e.g. "run__proposal") is an own."""
        return Q() if self.own is None else Q(**{f"{condition}__in": self.own.order_by()})


def reader(actor: Actor) -> Reader:
    """Who searches, with what they may do looked up once."""
    day = access.today()
    held = list(words.offices(actor, day))
    if words.SEE_METADATA in words.facility_wide(actor, day, held):
        return Reader(actor, None)
    own = Proposal.objects.filter(access.holding(actor, words.SEE_METADATA, held)).order_by()
    ids = list(own.values_list("pk", flat=True)[: FEW + 1])
    # Asked once and not in every question; of very many a question is shorter than their list.
    if len(ids) > FEW:
        return Reader(actor, own)
    return Reader(actor, Proposal.objects.filter(pk__in=ids), frozenset(ids))


def own_of(reader: Reader, some: Collection[Proposal]) -> set[int]:
    """The ids of those of which the reader may know more than everybody may."""
    ids = {p.pk for p in some}
    if reader.own is None or not ids:
        return ids
    if reader.few is not None:
        return ids & reader.few
    return set(reader.own.filter(pk__in=ids).values_list("pk", flat=True))


def proposals(reader: Reader, asked: Question) -> QuerySet[Proposal]:
    """By number, DOI, or words of title, abstract and keywords; the newest first."""
    texts = fulltext.with_words(Proposal.objects.order_by(), PROPOSAL_TEXT, asked.words)
    found = Q(pk__in=texts.values("pk"))
    if asked.proposal is not None:
        found |= Q(number=asked.proposal)
    if asked.doi:
        found |= Q(doi__name__istartswith=asked.doi)
    rows = Proposal.objects.filter(found)
    if reader.own is not None:
        known = Q(pk__in=reader.own.order_by().values("pk"))
        rows = rows.filter(known | access.public())
    return rows.order_by("-number")


def samples(reader: Reader, asked: Question) -> QuerySet[Sample]:
    """By words of name and description, of the reader's own proposals."""
    rows = fulltext.with_words(Sample.objects.all(), SAMPLE_TEXT, asked.words)
    return rows.filter(reader.within("proposal")).order_by("-proposal__number", "name")


def people(reader: Reader, asked: Question) -> QuerySet[User]:
    """By the beginnings of their names, those in the teams of proposals that the reader may know
    of: all members of own ones, and of published ones who led them, as their pages tell. Who sees
    every proposal finds everybody, also by login."""
    if not asked.words:
        return User.objects.none()
    rows = User.objects.filter(is_active=True, is_service=False)
    for word in asked.words:
        named = Q(last_name__istartswith=word) | Q(first_name__istartswith=word)
        named |= Q(last_name__icontains=f" {word}")
        if reader.own is None:
            named |= Q(username__iexact=word)
        rows = rows.filter(named)
    if reader.own is not None:
        inside = Q(proposal__in=reader.own.order_by().values("pk"))
        leads = Q(role=Membership.Role.PI, proposal__in=Proposal.objects.filter(access.public()))
        membership = Membership.objects.filter(inside | leads, user=OuterRef("pk"))
        rows = rows.filter(Exists(membership) | _self(reader))
    return rows.order_by("last_name", "first_name", "pk")


def _self(reader: Reader) -> Q:
    user = reader.actor.user
    return Q(pk=user.pk) if user is not None else Q(pk__in=[])


def memberships_of(reader: Reader, people: list[User]) -> QuerySet[Membership]:
    """The teams of `people` that the reader may know of, the newest proposals first."""
    inside = reader.within("proposal")
    leads = Q(role=Membership.Role.PI, proposal__in=Proposal.objects.filter(access.public()))
    rows = Membership.objects.filter(inside | leads if inside else Q(), user__in=people)
    return rows.select_related("proposal__instrument").order_by("-proposal__number")


def samples_with_places() -> QuerySet[Sample]:
    """Samples with what is shown of each."""
    return Sample.objects.select_related("proposal__instrument")


def everybody() -> QuerySet[User]:
    """People; which of them a reader may know of is `people`'s to say."""
    return User.objects.all()
