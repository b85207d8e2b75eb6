"""A leak hunt: two proposals under embargo, and whoever has to do with the one is told nothing of
the other, by any face: no text, no number, no count, no choice of a filter, no size of an answer.

Two ways. Every text that the catalogue keeps of the other proposal is a secret, and no answer to
anybody outside holds one. And everything that needs no id is asked twice, before the other proposal
is there and afterwards: the answers are the same, to the byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import models
from django_fsm import FSMField

from catalogue.ground.models import Entry, Job
from proposals.models import Proposal
from runs.models import DataGroup, Run
from tests.catalogue.ground.journaled import behind_its_back
from tests.contracts import permission_table as table
from tests.contracts.permission_world import NOW, Asker, Program, World, outcome
from tests.contracts.test_permissions import TREES, _filled, _ids, _legacy
from tests.factories import Facility

SECRET = "Zq7x"  # in no word of the site
OUTSIDE = ("visitor", "stranger", "staff flag", "former member", "other team", "other instrument",
           "service without scopes")  # fmt: skip
# Parts of a secret, numbers and names of the other proposal, by which lists are searched; `{…}` is
# filled from the world.
ASKED = ("", "?q=Zq7", "?q={n}", "?proposal={n}", "?order=-number", "?state=held", "?number={n}",
         "?after=now", "?page=2", "?kind=run", "?title__icontains=Zq7", "?page_size=1")  # fmt: skip
# What words and machines mean, not people's texts: changing them would break the row.
KEPT = {"subject_type", "lane", "name_of_job", "kind", "format", "language", "sha256", "adler32",
        "agent", "face", "claim", "state", "status", "quality", "move", "act", "permission",
        "username", "uid", "provider", "password", "seal_hash"}  # fmt: skip


def plant(world: World) -> int:
    """Make every text of the proposal, and of all that belongs to it, a secret; how many."""
    planted = 0
    for row in _belonging(world):
        texts = {
            f.attname: f"{SECRET}{planted + n:04d}"[: f.max_length or 99]
            for n, f in enumerate(type(row)._meta.concrete_fields)
            if isinstance(f, models.CharField | models.TextField)
            and not isinstance(f, FSMField | models.EmailField | models.URLField)
            and not f.choices
            and f.name not in KEPT
            and not (isinstance(row, Job) and f.name == "name")
            and (f.max_length or 99) >= 8
        }
        if texts:
            with behind_its_back():  # the journal keeps what it tells
                type(row)._base_manager.filter(pk=row.pk).update(**texts)
            planted += len(texts)
    return planted


def _belonging(world: World) -> Iterator[models.Model]:
    """The proposal and every row that leads to it, journal and jobs with it."""
    seen = {(Proposal, world.proposal.pk)}
    todo: list[models.Model] = [world.proposal]
    while todo:
        row = todo.pop()
        yield row
        for relation in row._meta.related_objects:
            model = relation.related_model
            if model._meta.app_label not in ("proposals", "runs", "policies"):
                continue
            for found in model._base_manager.filter(**{relation.field.name: row.pk}):
                if (model, found.pk) not in seen:
                    seen.add((model, found.pk))
                    todo.append(found)
    number = world.proposal.number
    for model in (Job, Entry, apps.get_model("ground", "Approval")):
        yield from model._base_manager.filter(proposal=number)


def asks(world: World, role: str) -> Iterator[tuple[str, Any]]:
    """What `role` is answered at every address that is read, with the other proposal's numbers and
    ids in it, and lists narrowed and ordered by what they know of it."""
    asker = Asker(world, role)
    for rows, prefix, ask in (
        (table.PAGES, "/", asker.page),
        (table.API, "/api/v1/", asker.call),
    ):
        for short, row in rows.items():
            if "GET" not in row or short in ("openapi.json", "docs"):
                continue
            for query in ASKED if "{" not in short else ("",):
                path = prefix + world.address(short) + world.address(query)
                yield path, ask("GET", path, {})
        for short, row in rows.items():
            for method in row.keys() & {"POST", "PATCH", "DELETE"}:
                path = prefix + world.address(short)
                yield f"{method} {path}", ask(method, path, row[method].body)


@pytest.fixture
def world(facility: Facility) -> World:
    return World(facility)


def secrets_in(answer: Any) -> list[str]:
    text = getattr(answer, "text_of_it", None) or answer.content
    headers = json.dumps(dict(answer.headers))
    body = text.decode(errors="replace")
    return re.findall(rf"{SECRET}\d+", body + headers)


@pytest.mark.django_db
def test_no_answer_to_anybody_outside_holds_a_secret(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with time_machine.travel(NOW, tick=False):
        planted = plant(world)
        assert planted > 80
        # Somebody inside is told: else nothing would be proved.
        reader = Asker(world, "data manager")
        assert secrets_in(reader.page("GET", "/proposals", {}))
        assert secrets_in(reader.call("GET", "/api/v1/events?limit=1000", {}))
        asked, leaks = 0, []
        for role in OUTSIDE:
            for path, answer in asks(world, role):
                asked += 1
                found = secrets_in(answer)
                if found or outcome(answer) == "fault":
                    leaks.append(f"{role}: {path} {answer.status_code} tells {found[:3]}")
        asked += _legacy_asked(world, leaks)
    assert not leaks, "\n".join(leaks)
    with capsys.disabled():
        print(f"\nLeak hunt: {planted} secrets, {asked} answers to people outside, none told")


def _legacy_asked(world: World, leaks: list[str]) -> int:
    asked = 0
    ids = _ids(Program(world, world.users["data manager"], "metadata"), world)
    for role in ("stranger", "other team"):
        user = world.users[role]
        for tree in TREES:
            program = Program(world, user, tree)
            for _, pattern in [p for p in _legacy() if p[0] == tree]:
                path = _filled(pattern, world, ids.get(pattern.partition("/")[0], 1))
                for method in ("GET", "PUT", "POST"):
                    answer = program.call(method, path)
                    asked += 1
                    if secrets_in(answer) or outcome(answer) == "fault":
                        leaks.append(f"{role}: {method} {tree} {path} {answer.status_code}")
    return asked


# ---------------------------------------------------------------- the same, to the byte

# Places in the journal are counted over all of it; that something happened somewhere is no secret.
COUNTED_OVER_ALL = ("/api/v1/events",)


@pytest.mark.django_db
def test_answers_are_the_same_as_if_the_other_were_not_there(facility: Facility) -> None:
    """Counts, facets, pages, totals, ETags: all that is asked without an id."""
    with time_machine.travel(NOW, tick=False):
        world = World(facility)
        roles = [r for r in OUTSIDE if r not in ("former member", "staff flag")]
        before = {role: _answers(world, role) for role in roles}
        other = facility.proposal(kind="commissioning", state="A")
        facility.run(other)
        assert Run.objects.filter(proposal=other).exists()
        assert DataGroup.objects.filter(run__proposal=other).exists()
        for role in roles:
            after = _answers(world, role)
            for path, answer in after.items():
                assert answer == before[role][path], (
                    f"{role}: {path} has changed: {_first(answer, before[role][path])}"
                )
        # Who sees everything sees the difference.
        assert len(before["stranger"]) > 60


def _answers(world: World, role: str) -> dict[str, tuple[int, str]]:
    asker = Asker(world, role)
    told = {}
    for rows, prefix, ask in (
        (table.PAGES, "/", asker.page),
        (table.API, "/api/v1/", asker.call),
    ):
        for short, row in rows.items():
            if "GET" not in row or "{" in short or short in ("openapi.json", "docs"):
                continue
            for query in ("", "?page_size=1", "?q=Study", "?order=-number"):
                path = prefix + short + query
                if path.startswith(COUNTED_OVER_ALL) or short.startswith("tokens"):
                    continue
                answer = ask("GET", path, {})
                told[path] = (answer.status_code, _plain(answer.content.decode()))
    return told


def _plain(text: str) -> str:
    """Without what is new each time: the marks of forms, ids of notes, references in the log."""
    return re.sub(_NEW_EACH_TIME, "", text)


_NEW_EACH_TIME = re.compile(
    r'name="(?:csrfmiddlewaretoken|once)" value="\w+"|help-[\w-]+-[0-9a-f]{6}"'
    r"|<code>[0-9a-f]{8}</code>"
)


# ---------------------------------------------------------------- mass assignment

# What no body sets: ids, states, marks, dates and flags that the catalogue itself knows.
EXTRA = {
    "id": 1, "pk": 1, "proposal": 1, "proposal_id": 1, "state": "CLO", "state_since": "2020-01-01",
    "access": "open", "released_at": "2020-01-01T00:00:00Z", "consented_by": 1, "created_at":
    "2020-01-01T00:00:00Z", "created_by": "me", "is_staff": True, "is_superuser": True,
    "is_service": True, "user": 1, "actor": 1, "by": 1, "number": 1, "doi": 1, "withdrawn_at": None,
    "status": "aborted", "verified_at": "2020-01-01T00:00:00Z", "decided_by": 1, "asked_by": 1,
    "permission": "administer", "last_run_number": 9999, "scopes": ["administer"],
}  # fmt: skip
# Addresses whose bodies have a field of that name, by right.
OF_RIGHT = {
    "proposals": {"number"}, "proposals/{n}/runs": {"number"},
    "proposals/{n}/runs/{r}/replicas": {"state", "verified_at"},
}  # fmt: skip


@pytest.mark.django_db
def test_no_body_sets_what_it_is_not_for(world: World) -> None:
    """Every call of the API that writes refuses a field that it has not, by its name; and what a
    form sends beside its fields is as if it had not been sent."""
    with time_machine.travel(NOW, tick=False):
        manager = Asker(world, "data manager")
        tried = 0
        for short, row in table.API.items():
            for method in row.keys() & {"POST", "PATCH"}:
                body = row[method].body
                path = "/api/v1/" + world.address(short)
                for name in EXTRA.keys() - body.keys() - OF_RIGHT.get(short, set()):
                    answer = manager.call(method, path, {**body, name: EXTRA[name]})
                    tried += 1
                    assert answer.status_code in (403, 404, 409, 422), (method, path, name)
        assert tried > 800
        for short, row in table.PAGES.items():
            if "POST" not in row or not row["POST"].body:
                continue
            path = "/" + world.address(short)
            plain = _changed(world, path, row["POST"].body)
            extra = {k: str(v) for k, v in EXTRA.items() if k not in row["POST"].body}
            extra = {k: v for k, v in extra.items() if k not in ("scopes", "number", "proposal")}
            assert _changed(world, path, {**row["POST"].body, **extra}) == plain, path


def _changed(world: World, path: str, body: dict[str, Any]) -> Any:
    """What the rows of people and of the proposal are after a form, before it is undone."""
    asker = Asker(world, "data manager")
    seen: list[Any] = []

    class Looking(type(asker.pages)):  # type: ignore[misc]
        def post(self, *args: Any, **named: Any) -> Any:
            answer = super().post(*args, **named)
            proposal = Proposal.objects.filter(pk=world.proposal.pk)
            people = world.users["data manager"].__class__.objects.order_by("pk")
            flags = ("pk", "is_staff", "is_superuser", "is_service", "is_active", "username")
            seen.append((answer.status_code, list(proposal.values()), list(people.values(*flags))))
            return answer

    asker.pages.__class__ = Looking
    asker.page("POST", path, body)
    return seen


def _first(now: tuple[int, str], then: tuple[int, str]) -> str:
    """The first line that is not what it was."""
    lines = zip(now[1].splitlines(), then[1].splitlines(), strict=False)
    changed = next((pair for pair in lines if pair[0] != pair[1]), ("", ""))
    return f"{changed[1][:300]!r} -> {changed[0][:300]!r}"
