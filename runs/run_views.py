"""The page of one run: its mark, its data, its calibrations, its jobs and its story."""

from __future__ import annotations

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST, require_safe

from catalogue.ground import access as words
from catalogue.ground import pages
from catalogue.ground.inputs import Invalid
from catalogue.ground.refusal import Refused
from proposals.frame import Frame, framed
from runs import (
    about_run,
    calibrating,
    commands,
    contents,
    looking,
    overviews,
    queries,
    reading,
    run_parts,
)
from runs.forms import CommentForm
from runs.models import Run


@require_safe
@framed("runs")
def run_page(request: HttpRequest, frame: Frame, run_number: int) -> HttpResponse:
    """All that is known of a run. Asked for by htmx it is one part, by the id of the element that
    it is for; without one, the part that changes while jobs work."""
    run = queries.shown(frame.actor, frame.proposal.number, run_number)
    if request.headers.get("HX-Request") == "true":
        wanted = request.headers.get("HX-Target", "")
        template, part = run_parts.PARTS.get(wanted, run_parts.PARTS["work"])
        return frame.show(request, template, {"run": run, **part(request, frame, run)})
    return _page(request, frame, run)


def _page(
    request: HttpRequest,
    frame: Frame,
    run: Run,
    *,
    refused: Refused | Invalid | None = None,
    form: CommentForm | None = None,
    theirs: str | None = None,
) -> HttpResponse:
    jobs = about_run.jobs(run)
    pictures = run_parts.pictures(request, frame, run, jobs)
    context = {
        "run": run,
        "marks": list(overviews.marks(run)),
        "form": form or CommentForm.of(run),
        "theirs": theirs,
        "refused": refused,
        **run_parts.facts(request, frame, run),
        **run_parts.beside(request, frame, run),
        **pictures,
        **run_parts.work(request, frame, run, jobs),
        **run_parts.sources(request, frame, run, pictures["contents"]),
        **run_parts.files(request, frame, run),
        **run_parts.parameters(request, frame, run),
        **run_parts.story(request, frame, run, jobs),
    }
    overtaken = 409 if theirs is not None else 422
    status = pages.status_of(refused) if refused else overtaken if form else 200
    return frame.show(request, "runs/run.html", context, status=status)


@require_safe
@framed("runs")
def run_journal(request: HttpRequest, frame: Frame, run_number: int) -> HttpResponse:
    """Every entry of the journal about a run, for those who may read it."""
    run = queries.one(frame.actor, frame.proposal.number, run_number)
    if not frame.may(words.SEE_JOURNAL):
        raise Refused("The journal is for the team and the staff.", kind="permission")
    page = pages.page_of(request, about_run.entries(run))
    return frame.show(request, "runs/journal.html", {"run": run, "page": page})


@require_POST
@framed("runs")
def comment(request: HttpRequest, frame: Frame, run_number: int) -> HttpResponse:
    """Change the comment on a run."""
    run = queries.shown(frame.actor, frame.proposal.number, run_number)
    form = CommentForm(request.POST)
    if not form.is_valid():
        return _page(request, frame, run, form=form)
    typed, seen = form.cleaned_data["comment"], form.cleaned_data["seen"] or None
    try:
        commands.edit(run, by=frame.actor, comment=typed, seen_comment=seen)
    except Refused as refusal:
        if refusal.kind != "stale":
            raise
        now = queries.shown(frame.actor, frame.proposal.number, run_number)
        again = request.POST.copy()
        again["seen"] = queries.comment_edition(now)
        return _page(request, frame, now, form=CommentForm(again), theirs=now.comment)
    messages.success(request, f"The comment on run {run.number:04d} is kept.")
    return pages.back(request, "runs:run", frame.proposal.number, run.number)


@require_POST
@framed("runs")
def calibrate(request: HttpRequest, frame: Frame, run_number: int) -> HttpResponse:
    """Ask for the calibration of a run."""
    run = queries.shown(frame.actor, frame.proposal.number, run_number)
    try:
        calibrating.request_calibration(run, by=frame.actor)
    except (Refused, Invalid) as problem:
        return _page(request, frame, run, refused=problem)
    messages.success(request, f"Calibration of run {run.number:04d} is asked for.")
    return _to_work(request, frame, run)


@require_POST
@framed("runs")
def ask_again(request: HttpRequest, frame: Frame, run_number: int) -> HttpResponse:
    """Try the newest held or failed calibration once more."""
    run = queries.shown(frame.actor, frame.proposal.number, run_number)
    newest = queries.calibrations(run).filter(state__in=["held", "failed"]).first()
    if newest is None:
        return pages.refused(request, Refused("No calibration of this run waits or has failed."))
    try:
        calibrating.ask_again(newest, by=frame.actor)
    except Refused as problem:
        return _page(request, frame, run, refused=problem)
    messages.success(request, f"Calibration of run {run.number:04d} is asked for again.")
    return _to_work(request, frame, run)


@require_POST
@framed("runs")
def characterise(request: HttpRequest, frame: Frame, run_number: int) -> HttpResponse:
    """Ask for new constants from a dark run."""
    run = queries.shown(frame.actor, frame.proposal.number, run_number)
    try:
        calibrating.request_dark(run, by=frame.actor)
    except (Refused, Invalid) as problem:
        return _page(request, frame, run, refused=problem)
    messages.success(request, f"Constants from run {run.number:04d} are asked for.")
    return _to_work(request, frame, run)


def _to_work(request: HttpRequest, frame: Frame, run: Run) -> HttpResponse:
    return pages.back(request, "runs:run", frame.proposal.number, run.number, anchor="#work")


@require_safe
@framed("runs")
def report(request: HttpRequest, frame: Frame, run_number: int, name: str) -> HttpResponseBase:
    """A report about a run, for those who may read its data."""
    run = queries.one(frame.actor, frame.proposal.number, run_number)
    reading.require_data(frame.actor, run)
    artifact = overviews.report(run, name)
    try:
        opened = reading.open_artifact(artifact)
    except reading.Unreadable as problem:
        return pages.refused(request, Refused(str(problem)))
    answer = FileResponse(opened, filename=name, content_type=artifact.content_type)
    answer["Content-Length"] = str(artifact.bytes)
    return answer


@require_safe
@framed("runs")
def picture(request: HttpRequest, frame: Frame, run_number: int, name: str) -> HttpResponseBase:
    """A picture of the data or its numbers, for those who may read the data. The browser asks each
    time whether it may show what it has."""
    run = queries.one(frame.actor, frame.proposal.number, run_number)
    reading.require_data(frame.actor, run)
    artifact = contents.preview(run, name)
    etag = f'"{artifact.sha256}"'
    headers = {"Cache-Control": "private, no-cache", "ETag": etag}
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers=headers)
    try:
        opened = reading.open_artifact(artifact)
    except reading.Unreadable as problem:
        return pages.refused(request, Refused(str(problem)))
    is_table = artifact.content_type == "text/csv"
    answer = FileResponse(
        opened, as_attachment=is_table, filename=f"{frame.proposal.folder}-{run.folder}-{name}",
        content_type=artifact.content_type, headers=headers,
    )  # fmt: skip
    answer["Content-Length"] = str(artifact.bytes)
    return answer


@require_POST
@framed("runs")
def look_again(request: HttpRequest, frame: Frame, run_number: int) -> HttpResponse:
    """Have the files of a run looked into once more."""
    run = queries.shown(frame.actor, frame.proposal.number, run_number)
    try:
        looking.look_again(run, by=frame.actor)
    except Refused as problem:
        return _page(request, frame, run, refused=problem)
    messages.success(request, f"The files of run {run.number:04d} are looked into again.")
    return pages.back(request, "runs:run", frame.proposal.number, run.number, anchor="#pictures")


@require_safe
@framed("runs")
def checksums(request: HttpRequest, frame: Frame, run_number: int) -> HttpResponseBase:
    """The checksums of a run's files, for `sha256sum -c` in the proposal's folder."""
    run = queries.one(frame.actor, frame.proposal.number, run_number)
    answer = StreamingHttpResponse(
        about_run.checksums(run), content_type="text/plain; charset=utf-8"
    )
    name = f"{frame.proposal.folder}-{run.folder}.sha256"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
