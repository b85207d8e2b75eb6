"""New proposals: one by a form that is checked while it is filled, many from a sheet that is tried
before it is entered."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalogue.ground import pages
from catalogue.ground.actor import Actor
from catalogue.ground.inputs import Invalid
from catalogue.ground.refusal import Refused
from proposals import entering
from proposals.entering import lookups
from proposals.entering.enter import REFUSED, THERE
from proposals.entering_forms import NewProposalForm, SheetForm, said


def _allowed(actor: Actor) -> None:
    """Raise `Refused` for who may make no proposal anywhere: nothing is to be tried out here."""
    if not entering.may_create(actor):
        raise Refused(
            "Proposals are made by the user office, data managers and the staff of instruments.",
            kind="permission",
            who="the user office",
        )


def _form(actor: Actor, data: Any = None, initial: Any = None) -> NewProposalForm:
    return NewProposalForm(
        data, initial=initial, instruments=lookups.instruments_for(actor), cycles=lookups.cycles()
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@pages.guarded
def new(request: HttpRequest) -> HttpResponse:
    """The form, and what becomes of it."""
    actor = pages.actor(request)
    _allowed(actor)
    if request.method != "POST":
        initial = {k: v for k, v in request.GET.items() if k in ("instrument", "cycle", "number")}
        return render(request, "proposals/new.html", {"form": _form(actor, initial=initial)})
    form = _form(actor, request.POST)
    done = _try(form, actor, dry=False)
    if done.did == REFUSED:
        context = {"form": form, "confirmable": done.confirmable}
        return render(request, "proposals/new.html", context, status=422)
    words = done.says if done.did == THERE else done.says.replace(" is new: ", " is made: ", 1)
    messages.success(request, words)
    answer = redirect("proposals:general", done.number)
    answer.status_code = 303
    return answer


@require_POST
@login_required
@pages.guarded
def check(request: HttpRequest) -> HttpResponse:
    """What is wrong with the form so far, beside its fields, and what it would make. What is still
    empty is not complained of."""
    actor = pages.actor(request)
    _allowed(actor)
    form = _form(actor, request.POST)
    done = _try(form, actor, dry=True)
    wrong = {p.column: said(p) for p in done.problems if not p.missing}
    missing = [form.fields[p.column].label for p in done.problems if p.missing]
    context = {
        "columns": [(name, wrong.get(name, "")) for name in form.fields],
        "says": done.says,
        "missing": missing,
        "wrong": len(wrong),
    }
    return render(request, "proposals/_check.html", context)


def _try(form: NewProposalForm, actor: Actor, *, dry: bool) -> entering.Entered:
    form.is_valid()  # texts and ticks: what they mean is said by what follows
    report = entering.enter(
        [entering.line_of(form.texts())],
        by=actor,
        dry=dry,
        despite_overlap=form.cleaned_data["despite_overlap"],
    )
    form.blame(report.lines[0].problems)
    return report.lines[0]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@pages.guarded
def import_sheet(request: HttpRequest) -> HttpResponse:
    """A sheet of proposals: tried first, which tells of each line what would become of it; then
    entered as a whole, or refused as a whole."""
    actor = pages.actor(request)
    _allowed(actor)
    if request.method != "POST":
        return _sheet_page(request, SheetForm())
    form = SheetForm(request.POST, request.FILES)
    form.is_valid()
    try:
        name, content = _content(form)
        sheet = entering.read(content)
    except Invalid as invalid:
        form.add_error("file", f"The file {invalid.rule}." if invalid.value == "" else
                       f"The file: {invalid.rule}; it has {invalid.value}.")  # fmt: skip
        return _sheet_page(request, form, status=422)
    report = entering.enter(
        sheet.lines,
        by=actor,
        dry=request.POST.get("act") != "enter",
        despite_overlap=form.cleaned_data["despite_overlap"],
        source=name,
    )
    context = {
        "report": report,
        "sheet": sheet,
        "name": name,
        "despite_overlap": form.cleaned_data["despite_overlap"],
        "confirmable": any(line.confirmable for line in report.lines),
        "again": request.POST.get("act") == "enter" and not report.kept,
    }
    return render(
        request, "proposals/imported.html", context, status=409 if context["again"] else 200
    )


def _sheet_page(request: HttpRequest, form: SheetForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "columns": entering.COLUMNS,
        "most_rows": entering.MOST_ROWS,
        "most_bytes": entering.LARGEST,
    }
    return render(request, "proposals/import.html", context, status=status)


def _content(form: SheetForm) -> tuple[str, bytes]:
    """The name and the bytes of what was sent: a file, or the text of one."""
    file: UploadedFile[Any] | None = form.cleaned_data.get("file")
    if file is None:
        return form.cleaned_data.get("name") or "pasted text", form.cleaned_data["text"].encode()
    if (file.size or 0) > entering.LARGEST:
        limit = entering.LARGEST // 1_000_000
        raise Invalid("file", f"must be at most {limit} MB", f"{file.size} bytes")
    return (file.name or "file")[:255], file.read()


@require_safe
@login_required
def template(request: HttpRequest) -> HttpResponse:
    """A sheet with the column names and an example, for spreadsheets."""
    answer = HttpResponse("\ufeff" + entering.template(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="proposals.csv"'
    return answer
