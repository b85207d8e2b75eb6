"""One of everybody, as they stand to one proposal, with something of every kind that belongs to it;
and asking an address as one of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import time_machine
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from catalogue.ground import programs, tokens
from catalogue.ground.actor import Actor
from catalogue.ground.models import Appointment, Job, User
from policies import commands as policies
from proposals import access, commands
from proposals.models import Membership, Proposal
from runs import calibrating
from runs.models import Replica
from tests.factories import BEGIN, CLAUSES, Facility, InstrumentFactory
from tests.legacy import Legacy

NOW = BEGIN + timedelta(hours=1)
PERSONAL = ("read", "write", "assess", "calibrate", "administer")
SERVICES = {"service": ["daq", "read"], "service without scopes": []}


class World:
    """A facility with an active proposal under embargo; `users` are one of everybody."""

    def __init__(self, facility: Facility) -> None:
        self.facility = facility
        with time_machine.travel(NOW, tick=False):
            self._fill()

    def _fill(self) -> None:
        facility = self.facility
        facility.policy()
        self.proposal = facility.proposal(state="A", prepared=True)
        self.run = facility.run(self.proposal)
        self.leader = facility.leader
        other = facility.proposal(kind="commissioning", state="A")
        elsewhere = InstrumentFactory(identifier="FXE")
        self.users: dict[str, User | None] = {
            "visitor": None,
            "stranger": facility.person(),
            "staff flag": self._flagged(facility.person()),
            "former member": self._member("member", 2, ended=True),
            "other team": self._member("member", 2, of=other),
            "other instrument": facility.person(),
            "team read": self._member("member", 1),
            "team work": self._member("member", 2),
            "principal investigator": self.leader,
            "main proposer": self._member("proposer", 0),
            "deputy": self._member("deputy", 1),
            "local contact": facility.person("local_contact", True),
            "instrument scientist": facility.person("instrument_scientist", True),
            "instrument leader": facility.person("instrument_leader", True),
            "deputy leader": facility.person("deputy_leader", True),
            "user office": self._flagged(facility.person("user_office")),
            "data manager": self._flagged(facility.person("data_manager")),
            "auditor": facility.person("auditor"),
            "service": self._service("service-daq"),
            "service without scopes": self._service("service-bare"),
        }
        Appointment.objects.create(
            user=self.users["other instrument"], role="instrument_scientist", instrument=elsewhere
        )
        by = Actor.of(self.leader, face="page")
        detector = facility.detector()
        made = calibrating.request_calibration(self.run, by=by, detector=detector)
        hold = policies.hold(self.proposal, reason="stop", by=by)
        asker = Actor.of(self.users["local contact"], face="page")
        approval = policies.ask_to_lift(
            policies.hold(self.proposal, reason="more", by=by), by=asker, reason="please"
        )
        sample = commands.add_sample(self.proposal, name="salt", by=by)
        member = self._member("member", 1)
        draft = policies.draft_policy(
            name="Draft", clauses=CLAUSES, valid_from=NOW, reason="x", by=facility.staff
        )
        program, _ = programs.create(
            name="probe", scopes=["read"], acts_for=[self.leader], by=facility.staff
        )
        self.names = {
            "programs": program.pk,
            "n": f"{self.proposal.number:06d}",
            "r": f"{self.run.number:04d}",
            "login": member.username,
            "team": member.memberships.get().pk,
            "form": "csv",
            "samples": sample.pk,
            "experiments": self.run.experiment_id,
            "beamtimes": self.proposal.beamtimes.get().pk,
            "replicas": Replica.objects.filter(data_group__run=self.run).first().pk,
            "calibrations": made.pk,
            "holds": hold.pk,
            "approvals": approval.pk,
            "versions": draft.pk,
            "policies": draft.pk,
            "jobs": Job.objects.filter(proposal=self.proposal.number).first().pk,
            "slug": "none",
            "folder": "raw/r0001",
        }

    def _flagged(self, user: User) -> User:
        user.is_staff = True
        user.save()
        return user

    def _service(self, login: str) -> User:
        return User.objects.create(username=login, is_service=True)

    def _member(
        self, role: str, level: int, *, of: Proposal | None = None, ended: bool = False
    ) -> User:
        user = self.facility.person()
        until = access.today() - timedelta(days=1) if ended else None
        Membership.objects.create(
            proposal=of or self.proposal, user=user, role=role, data_access=level, until=until,
            added_at=NOW,
        )  # fmt: skip
        return user

    def address(self, short: str) -> str:
        """The address of a row of the table, with the names of what is there."""

        def value(match: re.Match[str]) -> str:
            name, before = match[1], short[: match.start()].rstrip("/").rpartition("/")[2]
            if name == "id":
                return str(self.names.get(before, 999_999))
            if name == "name":
                named = {"moves": "pause", "files": "RAW-R0001-DA01-S00000.h5"}
                if "approvals" in short:
                    return "agree"
                return named.get(before, "RAW-R0001-DA01-S00000.h5")
            return str(self.names.get(name, "x"))

        return re.sub(r"\{(\w+)\}", value, short)


@contextmanager
def undone() -> Iterator[None]:
    """What happens in it has not happened. (No block of its own: some transactions want none.)"""
    here = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(here)


class Asker:
    """Somebody who asks: with a session for pages, with a token for programs. Whatever an answer
    changed is undone."""

    def __init__(self, world: World, role: str) -> None:
        self.role, self.user = role, world.users[role]
        self.pages, self.programs = Client(), Client()
        self.headers: dict[str, str] = {}
        if self.user is not None and not self.user.is_service:
            self.pages.force_login(self.user)
        self._cookies = self.pages.cookies.copy()
        if self.user is not None:
            scopes = SERVICES.get(role, PERSONAL)
            _, text = tokens.issue(self.user, name="t", scopes=scopes)
            self.headers["authorization"] = f"Bearer {text}"

    def page(self, method: str, path: str, body: dict[str, Any]) -> Any:
        self.pages.cookies = self._cookies.copy()  # signing out is undone too
        with undone():
            answer = getattr(self.pages, method.lower())(path, body)
            _read(answer)
        return answer

    def call(self, method: str, path: str, body: dict[str, Any]) -> Any:
        data = b"" if method in ("GET", "HEAD", "DELETE") else json.dumps(body).encode()
        with undone():
            answer = self.programs.generic(
                method, path, data, content_type="application/json", headers=self.headers
            )
            _read(answer)
        return answer


class Program:
    """A program with the scopes of people that acts for somebody."""

    def __init__(self, world: World, user: User, tree: str) -> None:
        scopes = [s for s in PERSONAL if s != "calibrate"]  # that one reports, for whomever it acts
        self.legacy = Legacy(world.facility, user, scopes=scopes, tree=tree)

    def call(self, method: str, path: str) -> Any:
        with undone():
            return self.legacy.send(method, path, None if method == "GET" else {})


def _read(answer: Any) -> None:
    if answer.streaming:
        answer.text_of_it = b"".join(answer.streaming_content)


def outcome(answer: Any) -> str:
    """An answer in the words of the table."""
    status = answer.status_code
    if status in (302, 303) and "/sign-in" in answer["Location"]:
        return "who"
    if status in (302, 303) and "/admin/login/" in answer["Location"]:
        return "who"
    named = {401: "who", 403: "no", 404: "none", 405: "not so"}
    return named.get(status, "fault" if status >= 500 else "ok")


def routes(patterns: Any = None, above: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the site as it is written."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = above + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route, pattern


_SHORT = {"number": "n", "run_number": "r", "run": "r", "hold": "id"}


def short(route: str) -> str:
    """`proposals/<proposal:number>/runs` -> `proposals/{n}/runs`; numbers of anything but proposals
    are ids."""

    def name(match: re.Match[str]) -> str:
        kind, called = match[1], match[2]
        if called == "number" and kind == "int":
            return "{id}"
        return "{" + _SHORT.get(called, called) + "}"

    return re.sub(r"<(?:(\w+):)?(\w+)>", name, route)
