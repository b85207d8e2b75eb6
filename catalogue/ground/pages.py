"""What the pages of all apps share: who asks, a proposal's tabs, lists by the page, refusals."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from catalogue.ground import access, clock
from catalogue.ground.actor import VISITOR, Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Appointment, User
from catalogue.ground.refusal import Refused

log = logging.getLogger(__name__)

PAGE_SIZE = 50
STATUS = {"permission": 403, "reason": 422}
"""HTTP status by the kind of a refusal; any other kind is a conflict, 409."""

View = Callable[..., HttpResponseBase]


def actor(request: HttpRequest) -> Actor:
    """Who asks: the signed-in person, or a visitor."""
    user = request.user
    return Actor.of(user, face="page") if isinstance(user, User) else VISITOR


def offices(request: HttpRequest) -> list[Appointment]:
    """The offices that the reader holds today, asked once for all that one page decides by them."""
    known: list[Appointment] | None = getattr(request, "offices_held", None)
    if known is None:
        today = clock.now().astimezone(clock.facility_zone()).date()
        known = list(access.offices(actor(request), today))
        request.offices_held = known  # type: ignore[attr-defined]  # kept beside `user`
    return known


def status_of(problem: Refused | Invalid) -> int:
    """The HTTP status of a refusal, or of a value that breaks a rule."""
    return 422 if isinstance(problem, Invalid) else STATUS.get(problem.kind, 409)


def guarded(view: View) -> View:
    """Turn what a verb or a query answers into a page: not found, refused, or not a valid value.

    For what can be told beside its button the view catches `Refused` itself; this is for the rest.
    """

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **named: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **named)
        except ObjectDoesNotExist as missing:
            raise Http404(str(missing)) from missing
        except (Refused, Invalid) as problem:
            return refused(request, problem)

    return shown


def refused(request: HttpRequest, problem: Refused | Invalid) -> HttpResponse:
    """A whole page that says why not, who can change that, and by which reference it is found."""
    status = status_of(problem)
    reference = reference_of(request, status, str(problem))
    context = {"problem": problem, "status": status, "reference": reference}
    return render(request, "refused.html", context, status=status)


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that somebody else has changed since a form was opened: what it is now, and what was
    typed."""

    label: str
    now: str
    typed: str


def stale(
    request: HttpRequest, differences: Sequence[Difference], *, by: str = "", back: str = ""
) -> HttpResponse:
    """The page for a form that somebody overtook (409): both versions, nothing changed. `by` says
    who and when, `back` is the address where it can be done anew."""
    reference = reference_of(request, 409, "a form that was overtaken")
    context = {"differences": differences, "by": by, "back": back, "reference": reference}
    return render(request, "stale.html", context, status=409)


def reference_of(request: HttpRequest, status: int, why: str) -> str:
    """A short name for what went wrong, by which staff find it in the log. Told is what was asked
    and by whom; nothing of it comes from a form."""
    reference = uuid.uuid4().hex[:8]
    user = getattr(request, "user", None)
    name = user.get_username() if user is not None and user.is_authenticated else "a visitor"
    level = logging.WARNING if status == 403 else logging.INFO
    log.log(
        level, "%s: %s %s %r by %s: %.200r", reference, status, request.method, request.path, name,
        why,
    )  # fmt: skip
    return reference


def page_of(
    request: HttpRequest, rows: QuerySet[Any] | Sequence[Any], *, size: int = PAGE_SIZE,
    parameter: str = "page",
) -> Page[Any]:  # fmt: skip
    """One page of `rows`, as the address names it; beyond the last page the last one is shown."""
    return Paginator(rows, size).get_page(request.GET.get(parameter))


def narrowed(filtered: Any) -> QuerySet[Any]:
    """The rows that a FilterSet leaves; none where a filter was not understood, which the form
    says beside its field."""
    rows: QuerySet[Any] = filtered.qs if filtered.is_valid() else filtered.queryset.none()
    return rows


def named_by(request: HttpRequest) -> str:
    """The page that a form's field `next` names, if it is ours."""
    target = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure())
    return target if ours and target.startswith("/") else ""


def back(request: HttpRequest, otherwise: str, *args: Any, anchor: str = "") -> HttpResponse:
    """See other: the page named by the form's field `next` if it is ours, else `otherwise` (the
    name of an address with its arguments)."""
    target = named_by(request) or resolve_url(otherwise, *args)
    answer = HttpResponseRedirect(target + anchor)
    answer.status_code = 303
    return answer


@dataclass(frozen=True, slots=True)
class Tab:
    """A page of a proposal: `url` is the name of an address that takes the proposal's number,
    `permission` is what a reader needs to be shown the tab."""

    name: str
    label: str
    url: str
    order: int
    permission: str


_tabs: dict[str, Tab] = {}


def tab(name: str, *, label: str, url: str, order: int, permission: str) -> None:
    """Declare a tab of a proposal; each app does so in its `apps.py`."""
    _tabs[name] = Tab(name, label, url, order, permission)


def tabs(allowed: frozenset[str]) -> list[Tab]:
    """The tabs for somebody who may do what `allowed` says, in order."""
    shown = [t for t in _tabs.values() if t.permission in allowed]
    return sorted(shown, key=lambda t: t.order)
