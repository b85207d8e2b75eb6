"""The answers to a search, kind by kind: how many, which, and where each leads.

Each kind is asked for one more than `MOST` at most: beyond that the count says "more than", and
whoever meets it has to say more of what they look for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse

from catalogue.ground.actor import Actor
from catalogue.ground.models import User
from catalogue.ground.question import Question
from proposals import queries
from proposals import search as proposals
from proposals.models import Proposal, Sample
from proposals.search import Reader
from runs import search as runs
from runs.models import File, Run

MOST = 1000
FIRST = 5
PAGE = 50


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer: `thing` is its row, `about` the proposal that it belongs to, `ways` further
    places (label, address)."""

    thing: Any
    url: str
    about: Proposal | None = None
    ways: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be found; `find` gives the rows, `show` what is shown of some of them."""

    name: str
    label: str
    find: Callable[[Reader, Question], QuerySet[Any]]
    show: Callable[[Reader, Sequence[int]], list[Hit]]


@dataclass(frozen=True, slots=True)
class Group:
    """The answers of one kind: `ids` of all up to `MOST`, `hits` those that are shown."""

    kind: Kind
    ids: tuple[int, ...]
    more: bool
    hits: list[Hit]

    @property
    def count(self) -> int:
        return len(self.ids)


def groups(actor: Actor, asked: Question, *, only: str = "", page: int = 1) -> list[Group]:
    """The first answers of every kind; with `only`, one page of that kind."""
    reader = proposals.reader(actor)
    found = []
    for kind in KINDS:
        if only and kind.name != only:
            continue
        ids = list(kind.find(reader, asked).values_list("pk", flat=True)[: MOST + 1])
        kept, more = tuple(ids[:MOST]), len(ids) > MOST
        size = PAGE if only else FIRST
        shown = kept[(page - 1) * size : page * size]
        found.append(Group(kind, kept, more, kind.show(reader, shown) if shown else []))
    return found


# ---------------------------------------------------------------- what is shown


def _rows(found: QuerySet[Any], ids: Sequence[int]) -> list[Any]:
    """The rows with these ids, in their order."""
    by_id = found.in_bulk(list(ids))
    return [by_id[pk] for pk in ids if pk in by_id]


def _page_of(proposal: Proposal, own: set[int]) -> str:
    name = "proposals:general" if proposal.pk in own else "landing"
    return reverse(name, args=[proposal.number])


def _proposals(reader: Reader, ids: Sequence[int]) -> list[Hit]:
    rows: list[Proposal] = _rows(queries.listed(reader.actor), ids)
    own = proposals.own_of(reader, rows)
    return [Hit(p, _page_of(p, own), p) for p in rows]


def _runs(reader: Reader, ids: Sequence[int]) -> list[Hit]:
    rows: list[Run] = _rows(runs.with_places(), ids)
    own = proposals.own_of(reader, [r.proposal for r in rows])
    return [Hit(r, _run_page(r, own), r.proposal) for r in rows]


def _run_page(run: Run, own: set[int]) -> str:
    if run.proposal_id in own:
        return reverse("runs:run", args=[run.proposal.number, run.number])
    return reverse("landing-files", args=[run.proposal.number])


def _samples(reader: Reader, ids: Sequence[int]) -> list[Hit]:
    rows: list[Sample] = _rows(proposals.samples_with_places(), ids)
    return [
        Hit(s, f"{reverse('runs:list', args=[s.proposal.number])}?{_query(s.name)}", s.proposal)
        for s in rows
    ]


def _query(text: str) -> str:
    return urlencode({"q": text})


def _people(reader: Reader, ids: Sequence[int]) -> list[Hit]:
    rows: list[User] = _rows(proposals.everybody(), ids)
    teams: dict[int, list[Proposal]] = {}
    for membership in proposals.memberships_of(reader, rows):
        teams.setdefault(membership.user_id, []).append(membership.proposal)
    own = proposals.own_of(reader, [p for some in teams.values() for p in some])
    return [
        Hit(user, "", None, tuple((p.folder, _page_of(p, own)) for p in teams.get(user.pk, [])[:5]))
        for user in rows
    ]


def _files(reader: Reader, ids: Sequence[int]) -> list[Hit]:
    rows: list[File] = _rows(runs.files_with_places(), ids)
    about = [f.data_group.proposal for f in rows]
    own = proposals.own_of(reader, about)
    return [
        Hit(f, _run_page(f.data_group.run, own) if f.data_group.run_id else _page_of(p, own), p)
        for f, p in zip(rows, about, strict=True)
    ]


KINDS = (
    Kind("proposals", "Proposals", proposals.proposals, _proposals),
    Kind("runs", "Runs", runs.runs, _runs),
    Kind("samples", "Samples", proposals.samples, _samples),
    Kind("people", "People", proposals.people, _people),
    Kind("files", "Files", runs.files, _files),
)
