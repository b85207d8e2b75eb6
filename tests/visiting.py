"""Visiting the pages as a person does: signed in or not, with forms, with htmx; and looking at the
HTML that comes back as a browser would, as far as that can be done without one."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalogue.ground.models import User
from proposals import commands
from proposals.models import Proposal
from tests.factories import Facility

HTMX = {"HX-Request": "true"}
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
# What a person reads a form's field by, and what is no field to read.
_LABELLED = frozenset({"input", "select", "textarea"})
_SILENT = frozenset({"hidden", "submit", "button"})


class Visitor:
    """Somebody with a browser; without a user, not signed in. Forms are sent with their mark, as
    the page would; `enforcing` sends without and is to be refused."""

    def __init__(self, user: User | None = None, *, enforcing: bool = False) -> None:
        self.client = Client(enforce_csrf_checks=enforcing)
        if user is not None:
            self.client.force_login(user)

    def get(self, path: str, status: int = 200, *, htmx: bool = False) -> str:
        """The page, which has to have this status."""
        answer = self.client.get(path, headers=HTMX if htmx else {})
        assert answer.status_code == status, (path, answer.status_code, answer.content[-1500:])
        return answer.content.decode()

    def post(self, path: str, status: int = 303, *, htmx: bool = False, **fields: Any) -> Any:
        """What a form that is sent there brings, which has to have this status."""
        answer = self.client.post(path, fields, headers=HTMX if htmx else {})
        assert answer.status_code == status, (path, answer.status_code, answer.content[-1500:])
        return answer

    def said(self, path: str, **fields: Any) -> str:
        """The page a form leads to, with what it says happened."""
        answer = self.client.post(path, fields, follow=True)
        assert answer.status_code == 200, (path, answer.status_code, answer.content[-1500:])
        return answer.content.decode()


def queries_of(visitor: Visitor, path: str, *, status: int = 200, htmx: bool = False) -> int:
    """How often the page asks the database."""
    with CaptureQueriesContext(connection) as asked:
        visitor.get(path, status, htmx=htmx)
    return len(asked)


class People:
    """One of every kind of people, as they stand to `proposal`."""

    def __init__(self, facility: Facility, proposal: Proposal) -> None:
        self.data_manager = facility.person("data_manager")
        self.local_contact = facility.person("local_contact", instrument=True)
        self.leader_of_instrument = facility.person("instrument_leader", instrument=True)
        self.user_office = facility.person("user_office")
        self.auditor = facility.person("auditor")
        self.principal = proposal.memberships.get(role="pi").user
        self.worker = self._member(facility, proposal, 2)
        self.reader = self._member(facility, proposal, 1)
        self.stranger = facility.person()

    @staticmethod
    def _member(facility: Facility, proposal: Proposal, access: int) -> User:
        user = facility.person()
        commands.add_member(proposal, user=user, data_access=access, by=facility.staff)
        return user


class Seen(HTMLParser):
    """What is wrong with a page, in `faults`; its texts and addresses."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.scripts: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self._labels: set[str] = set()
        self._fields: list[dict[str, str]] = []
        self._pointed: list[tuple[str, str]] = []
        self._forms: list[dict[str, Any]] = []
        self.feed(html)
        self.close()
        self._judge()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._inline(tag, given)
        if "id" in given:
            self.ids[given["id"]] += 1
        for name in ("aria-describedby", "aria-labelledby"):
            self._pointed += [(name, one) for one in given.get(name, "").split()]
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag == "label":
            self._labels.add(given.get("for", ""))
        if tag in _LABELLED and given.get("type") not in _SILENT:
            self._fields.append({**given, "inside": str("label" in self._open)})
        if tag == "form":
            self._forms.append({"method": given.get("method", "get"), "marked": False})
        if tag == "input" and given.get("name") == "csrfmiddlewaretoken":
            self._forms[-1]["marked"] = True
        if tag not in _VOID and "/" not in given:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self._open[-1:]} at {self.getpos()}")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            self.scripts.append(data)
        else:
            self.text += data

    def _inline(self, tag: str, given: dict[str, str]) -> None:
        """What a strict content security policy does not run or apply."""
        runs = tag == "script" and given.get("type", "") != "application/ld+json"
        if runs and "src" not in given:
            self.faults.append("an inline script")
        if tag == "style" or "style" in given:
            self.faults.append(f"inline style on {tag}")
        self.faults += [f"{name} on {tag}" for name in given if name.startswith("on")]
        for name in ("src", "href", "action", "formaction", "hx-get", "hx-post"):
            address = given.get(name, "").strip().lower()
            if address.startswith(("javascript:", "data:", "vbscript:")):
                self.faults.append(f"{name} runs {address[:40]}")
        if tag in ("script", "img", "link") and "//" in given.get("src", ""):
            self.faults.append(f"{tag} from elsewhere: {given['src']}")

    def _judge(self) -> None:
        if self._open:
            self.faults.append(f"left open: {self._open}")
        self.faults += [f"id {name} twice" for name, n in self.ids.items() if n > 1]
        self.faults += [
            f"{name} points at {one}, which is not there"
            for name, one in self._pointed
            if one not in self.ids
        ]
        for field in self._fields:
            named = field.get("aria-label") or field.get("id") in self._labels
            if not named and field["inside"] != "True":
                self.faults.append(f"a field without a label: {field}")
        self.faults += [
            "a form that posts without its mark"
            for form in self._forms
            if form["method"] == "post" and not form["marked"]
        ]


def sound(html: str) -> Seen:
    """Assert that nothing is wrong with the page, or the fragment of one; what was seen."""
    seen = Seen(html)
    assert not seen.faults, seen.faults
    return seen
