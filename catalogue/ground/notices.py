"""Which notices there are, who wants which, and how one is stopped without signing in.

An app names its kinds in its `apps.py`; who is told and what is said is in its `notices.py`. The
table of choices holds what differs from a kind's default only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import QuerySet

from catalogue.ground import clock
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Notice, NoticeChoice, User

_SALT = "catalogue.ground.notices"
_LONGEST_TOKEN = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of notice: `label` and `about` as people choose it, `told` names the function
    (notice, actor) -> Told | None that writes it for one reader when it is sent."""

    name: str
    label: str
    about: str
    told: str
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """What a letter says: `path` leads to the thing, below the site's address."""

    heading: str
    text: str
    path: str


_kinds: dict[str, Kind] = {}


def kind(name: str, *, label: str, about: str, told: str, wanted: bool = True) -> None:
    """Name a kind of notice."""
    _kinds[name] = Kind(name, label, about, told, wanted)


def kinds() -> list[Kind]:
    """All kinds, in the order in which they were named."""
    return list(_kinds.values())


def kind_of(name: str) -> Kind | None:
    """The kind of that name, if this version has it."""
    return _kinds.get(name)


# ---------------------------------------------------------------- who wants what


def choices(person: User) -> dict[str, bool]:
    """Kind -> whether `person` wants it."""
    chosen = dict(NoticeChoice.objects.filter(person=person).values_list("kind", "wanted"))
    return {k.name: chosen.get(k.name, k.wanted) for k in kinds()}


def wanting(people: Iterable[User], name: str) -> list[User]:
    """Those of `people` who want notices of this kind, each once."""
    by_id = {p.pk: p for p in people if p.is_active and not p.is_service}
    rows = NoticeChoice.objects.filter(person__in=by_id, kind=name)
    chosen = dict(rows.values_list("person", "wanted"))
    known = kind_of(name)
    default = known.wanted if known else False
    return [p for pk, p in sorted(by_id.items()) if chosen.get(pk, default)]


@transaction.atomic
def choose(person: User, wanted: Mapping[str, bool]) -> None:
    """Keep what `person` wants of the kinds named. Raises `Invalid` for a kind that is none."""
    for name, answer in wanted.items():
        if name not in _kinds:
            raise Invalid("kind", "must be a kind of notice", name)
        NoticeChoice.objects.update_or_create(person=person, kind=name, defaults={"wanted": answer})


def address_of(person: User) -> str:
    """Where somebody is written to: where they want to be, else what they sign in with."""
    return person.contact_email or person.email


def sent_to(person: User) -> QuerySet[Notice]:
    """The notices that `person` got or is to get, the newest first; without those left out."""
    return Notice.objects.filter(person=person, left_out="")


# ---------------------------------------------------------------- stopping by a link


@dataclass(frozen=True, slots=True)
class Stop:
    """What a signed link stands for."""

    person: User
    kind: Kind


def stop_token(person: User, name: str) -> str:
    """A text by which whoever has it ends one kind of notice for one person, and nothing else. It
    does not expire: letters are read late."""
    return signing.dumps([person.pk, name], salt=_SALT)


def stop_of(token: str) -> Stop | None:
    """What the link with this text stands for; None where it is not one of ours any more."""
    if len(token) > _LONGEST_TOKEN:
        return None
    try:
        pk, name = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    known = kind_of(name)
    person = User.objects.filter(pk=pk).first()
    return Stop(person, known) if known is not None and person is not None else None


# ---------------------------------------------------------------- what is told together


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of time whose events are told in one letter: from `begin`, before `end`."""

    begin: datetime
    end: datetime

    @property
    def facts(self) -> dict[str, str]:
        return {"begin": self.begin.isoformat(), "end": self.end.isoformat()}

    @classmethod
    def of(cls, facts: Mapping[str, str]) -> Window:
        return cls(datetime.fromisoformat(facts["begin"]), datetime.fromisoformat(facts["end"]))


def window(now: datetime) -> Window:
    """The window that `now` lies in (setting NOTICE_GATHER_SECONDS). Windows follow each other
    without gaps, so an event belongs to one of them, whoever asks."""
    length = max(int(settings.NOTICE_GATHER_SECONDS), 1)
    begin = int(now.timestamp()) // length * length
    return Window(datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(begin + length, UTC))


@transaction.atomic
def write_down(
    people: Iterable[User], name: str, event: str, *, proposal: int | None,
    facts: Mapping[str, object],
) -> list[Notice]:  # fmt: skip
    """A row for each of `people` who wants this kind and was not told of this event; those rows."""
    now = clock.now()
    Notice.objects.bulk_create(
        [
            Notice(
                person=p, kind=name, event=event, proposal=proposal, facts=dict(facts),
                created_at=now,
            )
            for p in wanting(people, name)
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    return list(_open().filter(event=event).select_related("person"))


def _open() -> QuerySet[Notice]:
    return Notice.objects.filter(sent_at__isnull=True, left_out="")


def was_sent(notice: Notice, heading: str) -> None:
    """Keep that a letter has left; once."""
    now = clock.now()
    _open().filter(pk=notice.pk).update(sent_at=now, heading=heading[:255])


def was_left_out(notice: Notice, why: str) -> None:
    """Keep why a letter was not sent."""
    _open().filter(pk=notice.pk).update(left_out=why[:255])


def known_events(events: Collection[str]) -> set[str]:
    """Those of `events` of which anybody was told, or was to be."""
    return set(Notice.objects.filter(event__in=events).values_list("event", flat=True))
