"""The tab Team: who belongs to a proposal, who leads it, and until when it has access."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalogue.ground import access as words
from catalogue.ground import calendar, pages, typed
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import User
from catalogue.ground.refusal import Refused
from proposals import commands, content, delegating, queries
from proposals.forms import DeputyForm, MemberForm, NewMemberForm, ProlongForm
from proposals.frame import Frame, framed
from proposals.models import Membership

FIELDS = ("role", "data_access", "until")
NOBODY = "Nobody with an account is called so. The user office can make one."


@require_safe
@framed("team")
def team(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Who belongs to it, with which rights and until when."""
    return _show(request, frame)


def _show(
    request: HttpRequest,
    frame: Frame,
    *,
    form: NewMemberForm | None = None,
    deputy: DeputyForm | None = None,
    prolong: ProlongForm | None = None,
    refused: tuple[int, Refused] | None = None,
    status: int = 200,
) -> HttpResponse:
    page = pages.page_of(request, queries.team(frame.proposal))
    context = {
        "page": page,
        "form": form or NewMemberForm(),
        "deputy": deputy or DeputyForm(prefix="deputy"),
        "prolong": prolong or ProlongForm(prefix="prolong"),
        "team_stays": frame.why_not(words.TEAM),
        "delegation_stays": frame.why_not(words.DELEGATE),
        "end_stays": frame.why_not(words.PROLONG),
        "refused": refused[1] if refused else None,
        "refused_at": refused[0] if refused else None,
    }
    return frame.show(request, "proposals/team.html", context, status=status)


@require_safe
@framed("team")
def people(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Who may be meant by what is being typed; for those who may put somebody into the team."""
    if frame.why_not(words.TEAM):
        return HttpResponse(status=403)
    text = request.GET.get("login", "").strip()
    usable = len(text) > 1 and text.isprintable()
    found = queries.people(text[:150]) if usable else []
    return render(request, "proposals/_people.html", {"people": found})


def _meant(form: forms.Form) -> User:
    """The person that the form's field means. Where several may be meant it becomes a choice."""
    text = form.cleaned_data["login"]
    found = queries.people(text)
    if not found:
        raise Invalid("login", NOBODY.rstrip("."), text)
    if len(found) > 1:
        choices = [(p.username, _told(p)) for p in found]
        form.fields["login"].widget = forms.RadioSelect(choices=choices)
        form["login"].label = f"Who is meant by “{text}”?"
        raise Invalid("login", f"{len(found)} people may be meant; choose one", text)
    return found[0]


def _told(person: User) -> str:
    return ", ".join(t for t in (person.full_name, person.affiliation, person.username) if t)


@require_POST
@framed("team")
@typed.once
def add(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Put somebody into the team, or change what they are there."""
    form = NewMemberForm(request.POST)
    added: list[User] = []

    def act() -> None:
        facts = dict(form.cleaned_data)
        facts.pop("login")
        added.append(_meant(form))
        commands.add_member(frame.proposal, user=added[0], by=frame.actor, **facts)

    status = _allowed(frame, words.TEAM, form) or typed.attempt(form, act)
    if status:
        return _show(request, frame, form=form, status=status)
    messages.success(request, f"{added[0].full_name} is in the team.")
    return pages.back(request, "proposals:team", frame.proposal.number)


def _allowed(frame: Frame, permission: str, form: forms.Form) -> int:
    """Nobody finds people by a form that is not theirs to send."""
    problem = frame.why_not(permission)
    if problem is None:
        return 0
    form.is_valid()
    form.add_error(None, problem.why)
    return pages.status_of(problem)


@require_POST
@framed("team")
@typed.once
def name_deputy(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Let somebody stand in for the leaders of the team."""
    form = DeputyForm(request.POST, prefix="deputy")
    named: list[User] = []

    def act() -> None:
        named.append(_meant(form))
        until = form.cleaned_data["until"]
        delegating.name_deputy(frame.proposal, user=named[0], by=frame.actor, until=until)

    status = _allowed(frame, words.DELEGATE, form) or typed.attempt(form, act)
    if status:
        return _show(request, frame, deputy=form, status=status)
    messages.success(request, f"{named[0].full_name} is a deputy now.")
    return pages.back(request, "proposals:team", frame.proposal.number)


@require_POST
@framed("team")
@typed.once
def end_deputy(request: HttpRequest, frame: Frame, id: int) -> HttpResponse:
    """A deputy is a member like others again."""
    member = queries.member(frame.proposal, id)
    try:
        delegating.end_deputy(member, by=frame.actor)
    except Refused as refusal:
        status = pages.status_of(refusal)
        return _show(request, frame, refused=(id, refusal), status=status)
    messages.success(request, f"{member.user.full_name} is no deputy any more.")
    return pages.back(request, "proposals:team", frame.proposal.number)


@require_POST
@framed("team")
@typed.once
def prolong(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Let the team keep its access for longer."""
    form = ProlongForm(request.POST, prefix="prolong")

    def act() -> None:
        delegating.prolong_access(frame.proposal, by=frame.actor, **form.cleaned_data)

    status = typed.attempt(form, act)
    if status:
        return _show(request, frame, prolong=form, status=status)
    day = calendar.say_day(form.cleaned_data["until"])
    messages.success(request, f"The team has access until {day}.")
    return pages.back(request, "proposals:team", frame.proposal.number)


@require_http_methods(["GET", "HEAD", "POST"])
@framed("team")
@typed.once
def change(request: HttpRequest, frame: Frame, id: int) -> HttpResponse:
    """Change the role of a member, what they may touch, or until when."""
    member = queries.member(frame.proposal, id)
    if request.method != "POST":
        return _edit(request, frame, member, MemberForm(now=_now(member)))
    form = MemberForm(request.POST, now=_now(member))

    def act() -> None:
        content.change_member(member, to=form.cleaned_data, by=frame.actor)

    status = typed.attempt_change(
        form, act, held=frame.proposal, now=lambda: _now(queries.member(frame.proposal, id))
    )
    if status:
        return _edit(request, frame, member, form, status=status)
    messages.success(request, f"What {member.user.full_name} is in the team is kept.")
    return pages.back(request, "proposals:team", frame.proposal.number)


def _now(member: Membership) -> dict[str, Any]:
    return {name: getattr(member, name) for name in FIELDS}


def _edit(
    request: HttpRequest, frame: Frame, member: Membership, form: MemberForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "heading": f"{member.user.full_name} in the team of {frame.proposal.folder}",
        "does": "Keep",
        "back": "proposals:team",
        "refused": frame.why_not(words.TEAM),
    }
    return frame.show(request, "proposals/edit.html", context, status=status)


@require_POST
@framed("team")
@typed.once
def remove(request: HttpRequest, frame: Frame, id: int) -> HttpResponse:
    """Take somebody out of the team."""
    member = queries.member(frame.proposal, id)
    try:
        content.remove_member(member, by=frame.actor)
    except Refused as refusal:
        status = pages.status_of(refusal)
        return _show(request, frame, refused=(id, refusal), status=status)
    messages.success(request, f"{member.user.full_name} is out of the team.")
    return pages.back(request, "proposals:team", frame.proposal.number)
