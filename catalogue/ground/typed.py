"""What people type into the forms of pages: told at the field what is wrong, nothing done twice,
and nobody overwritten unseen.

Three parts that belong together. `attempt` lets a verb judge what a form holds and puts its answer
where it belongs. An `EditForm` remembers how the thing looked when it was shown (`seen`, as an
entity tag does for programs); where somebody has changed it since, both versions are shown and may
be applied anyway. `once` keeps the answer to a form that was sent, under the random mark that the
page gave it: the second click of two gets the answer of the first.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase

from catalogue.ground import calendar, clock
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import IdempotencyKey, User
from catalogue.ground.pages import View, status_of
from catalogue.ground.refusal import Refused

ONCE, SEEN = "once", "seen"
"""The hidden fields: the mark of a form on a page, and how the thing looked there."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of which there are two versions."""

    label: str
    now: str
    yours: str


class EditForm(forms.Form):
    """A form that changes what is there: `now` holds the value of every field as `cleaned_data`
    would. Nothing is there yet of what it makes. Fields named in `beside` are no values of it."""

    beside: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, now: Mapping[str, Any] | None = None, **named: Any) -> None:
        super().__init__(*args, **{**named, "initial": dict(now or {})})
        self._now = _version(self._own(now or {}))
        self.differences: list[Difference] = []
        self.is_stale = False

    def _own(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: values.get(name) for name in self.fields if name not in self.beside}

    @property
    def seen(self) -> str:
        """What the page has to send back: the version that its reader knows of."""
        known = self.data.get(self.add_prefix(SEEN), "")
        return self._now if self.is_stale or not known else known

    def compare(self, now: Mapping[str, Any]) -> bool:
        """Whether the thing still looks as it did when the form was shown; else `differences` holds
        where it is not as it was typed, and sent again the form is applied."""
        current = self._own(now)
        self._now = _version(current)
        self.is_stale = self.seen != self._now
        self.differences = [
            Difference(str(self[name].label), _say(field, current[name]), _say(field, typed))
            for name, field in self.fields.items()
            if self.is_stale and name in current
            for typed in [self.cleaned_data.get(name)]
            if _plain(typed) != _plain(current[name])
        ]
        return not self.is_stale


def attempt(form: forms.Form, act: Callable[[], object]) -> int:
    """Do what the form asks for: nothing (0), or the HTTP status of what the form now tells."""
    if not form.is_valid():
        return 422
    try:
        act()
    except Invalid as problem:
        field = problem.field if problem.field in form.fields else None
        rule = f"{problem.rule[:1].upper()}{problem.rule[1:]}."
        form.add_error(field, rule)
        return 422
    except Refused as refusal:
        who = f" It can be changed by {refusal.who}." if refusal.who else ""
        form.add_error(None, f"{refusal.why}{who}")
        return status_of(refusal)
    return 0


def attempt_change(
    form: EditForm,
    act: Callable[[], object],
    *,
    held: Model,
    now: Callable[[], Mapping[str, Any]],
) -> int:
    """The same for a change of what is there. It is compared and changed under the lock of `held`,
    so of two people who saw the same one is told (409)."""
    if not form.is_valid():
        return 422
    with transaction.atomic():
        rows = type(held)._base_manager.select_for_update(of=("self",))
        list(rows.only("pk").filter(pk=held.pk))
        if not form.compare(now()):
            return 409
        return attempt(form, act)


def once(view: View) -> View:
    """Make a view answer a form that was sent twice as it answered the first; what was refused may
    be sent again. Stands below what finds out who asks."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **named: Any) -> HttpResponseBase:
        mark = request.POST.get(ONCE, "")
        if not mark or not isinstance(request.user, User):
            return view(request, *args, **named)
        key = _key(request, mark)
        with transaction.atomic():
            _queue(request.user, key)
            known = IdempotencyKey.objects.filter(user=request.user, program=None, key=key).first()
            if known is not None:
                return _again(request, known)
            answer = view(request, *args, **named)
            if answer.status_code == 303:
                IdempotencyKey.objects.create(
                    user=request.user,
                    key=key,
                    method_and_path=f"{request.method} {request.path}"[:512],
                    body_sha256=key[-64:],
                    status=answer.status_code,
                    answer={"data": None, "location": answer["Location"]},
                    created_at=clock.now(),
                )
            return answer

    answered.is_once = True  # type: ignore[attr-defined]
    return answered


def mark() -> str:
    """A new mark for a form on a page."""
    return secrets.token_urlsafe(12)


def _key(request: HttpRequest, mark: str) -> str:
    """Of the mark with all that was typed: who goes back in the browser and types something else
    sends another form."""
    typed = {k: request.POST.getlist(k) for k in sorted(request.POST) if "csrf" not in k}
    asked = json.dumps([mark, request.path, typed])
    return f"form {hashlib.sha256(asked.encode()).hexdigest()}"


def _queue(user: User, key: str) -> None:
    """Wait for another transaction with the same form. SQLite: the transaction is alone anyway."""
    if connection.vendor == "postgresql":
        digest = hashlib.sha256(f"{user.pk} {key}".encode()).digest()
        number = int.from_bytes(digest[:8], "big", signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _again(request: HttpRequest, known: IdempotencyKey) -> HttpResponseBase:
    messages.info(request, "That was sent twice and done once.")
    answer = HttpResponseRedirect((known.answer or {})["location"])
    answer.status_code = 303
    return answer


def _version(values: Mapping[str, Any]) -> str:
    told = json.dumps({name: _plain(v) for name, v in values.items()}, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """A value so that two of one kind can be compared: rows by their ids, times as moments."""
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, QuerySet | list | tuple):
        return sorted(str(_plain(v)) for v in value)
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip()
    return value if isinstance(value, bool | int) else "" if value is None else str(value)


def _say(field: forms.Field, value: Any) -> str:
    """A value as the form's reader would say it."""
    if value in (None, "") or value == []:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, QuerySet | list | tuple):
        return ", ".join(str(v) for v in value) or "–"
    if isinstance(value, datetime):
        return calendar.say_when(value, clock.facility_zone())
    if isinstance(value, date):
        return calendar.say_day(value)
    words = {str(k): str(v) for k, v in getattr(field, "choices", ())}
    return words.get(str(value), str(value))
