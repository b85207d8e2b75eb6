"""What takes two people: one asks, another agrees, and with that it is done.

One table and three moves for all such acts. Who asks names the act, the row and the permission that
both need; what is then done hangs on `Approval.agree` (`then`), in the same transaction, so nothing
is agreed to that cannot be done. Early release is older and keeps its own columns: there the one
who agrees is not staff; its guard asks the same `guards.same_person`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from django.db import transaction
from django.db.models import Q, QuerySet

from catalogue.ground import access as words
from catalogue.ground import clock, journal
from catalogue.ground.actor import WORKER, Actor
from catalogue.ground.lifecycle import World, advance
from catalogue.ground.models import Appointment, Approval, Recorded
from catalogue.ground.refusal import Refused
from proposals import access
from proposals.models import Proposal


@transaction.atomic
def ask(subject: Recorded, act: str, *, permission: str, by: Actor, reason: str) -> Approval:
    """Ask for an act on `subject`; whoever asks has proved their right to it already."""
    if by.user is None or by.user.is_service or by.through is not None:
        raise Refused("What takes two people is asked for by a person.", kind="permission")
    if not reason.strip():
        raise Refused("What takes two people needs a reason.", kind="reason")
    if of(subject).filter(act=act, state=Approval.State.ASKED).exists():
        raise Refused("This has been asked for already; it waits for somebody to agree.")
    made = Approval.objects.create(
        act=act, permission=permission, subject_type=subject._meta.label_lower,
        subject_id=subject.pk, subject_label=subject.label[:200],
        proposal=subject.proposal_number, reason=reason.strip(), asked_by=by.user,
        asked_at=clock.now(),
    )  # fmt: skip
    journal.write(made, "ask", by=by, after=made.state, reason=reason)
    return made


def agree(approval: Approval, *, by: Actor) -> None:
    """Agree to what somebody else asked for, who may ask for it still; it is done with that."""
    asker = World(by=Actor.of(approval.asked_by, face="page"))
    if access.rule(asker, approval.permission, approval) is not None:
        raise Refused(
            f"{approval.asked_by.full_name}, who asked for it, may not {approval.permission} any "
            "more: it has to be asked for again.",
            kind="state",
            who=f"others who may {approval.permission}",
        )
    advance(approval.agree, by=by, at=clock.now(), person=by.user)


def decline(approval: Approval, *, by: Actor, reason: str) -> None:
    advance(approval.decline, by=by, reason=reason, at=clock.now(), person=by.user)


def take_back(approval: Approval, *, by: Actor) -> None:
    """Not to ask for it any more."""
    advance(approval.take_back, by=by, at=clock.now(), person=by.user)


def overtake(subject: Recorded) -> None:
    """End what was asked for on `subject`, since it is done or pointless."""
    for left in of(subject).filter(state=Approval.State.ASKED):
        advance(left.take_back, by=WORKER, at=clock.now(), person=None)


VERBS: Mapping[str, Callable[..., None]] = {
    "agree": agree,
    "decline": decline,
    "take-back": take_back,
}
"""What people and programs may ask for by name."""


def of(subject: Recorded) -> QuerySet[Approval]:
    """What was asked for on a row, the newest first."""
    found = Approval.objects.filter(subject_type=subject._meta.label_lower, subject_id=subject.pk)
    return found.select_related("asked_by", "decided_by")


def asked_of(subjects: Sequence[Recorded]) -> dict[int, Approval]:
    """What waits for somebody to agree, by the id of its subject; the subjects are of one kind."""
    if not subjects:
        return {}
    found = Approval.objects.filter(
        subject_type=subjects[0]._meta.label_lower,
        subject_id__in=[s.pk for s in subjects],
        state=Approval.State.ASKED,
    )
    return {row.subject_id: row for row in found.select_related("asked_by")}


def agreed(act: str, proposal: int | None) -> frozenset[int]:
    """The subjects, by id, for which somebody asked for the act and somebody else agreed; those of
    one proposal, or of none."""
    found = Approval.objects.filter(act=act, proposal=proposal, state=Approval.State.AGREED)
    return frozenset(found.values_list("subject_id", flat=True))


def visible(actor: Actor, held: Collection[Appointment] | None = None) -> QuerySet[Approval]:
    """What `actor` may read of: of proposals whose journal they may read; of none, for who may read
    the journal of the whole facility. `held` are their offices of today, where they are known."""
    found = Approval.objects.select_related("asked_by", "decided_by")
    held = list(words.offices(actor, access.today())) if held is None else held
    if words.SEE_JOURNAL in words.facility_wide(actor, access.today(), held):
        return found
    mine = Proposal.objects.filter(access.holding(actor, words.SEE_JOURNAL, held))
    return found.filter(Q(proposal__in=mine.values("number")))


def waiting(actor: Actor, held: Collection[Appointment] | None = None) -> QuerySet[Approval]:
    """Those that wait for somebody to agree."""
    return visible(actor, held).filter(state=Approval.State.ASKED)


def waiting_for(actor: Actor, most: int) -> list[Approval]:
    """Of the `most` that others asked for first, those that `actor` has the permission to agree to;
    the door asks besides whether they are two people."""
    held = list(words.offices(actor, access.today()))
    asked = list(waiting(actor, held).exclude(asked_by=actor.user).order_by("asked_at")[:most])
    everywhere = words.facility_wide(actor, access.today(), held)
    of = [row.proposal for row in asked if row.proposal is not None]
    theirs: dict[str, set[int]] = {}
    for permission in {row.permission for row in asked} - everywhere:
        mine = Proposal.objects.filter(access.holding(actor, permission, held), number__in=of)
        theirs[permission] = set(mine.values_list("number", flat=True))
    return [
        row
        for row in asked
        if row.permission in everywhere or row.proposal in theirs[row.permission]
    ]
