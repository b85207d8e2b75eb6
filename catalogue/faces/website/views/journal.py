"""The facility's journal, for those who may read all of it: to look through, and to export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from catalogue.ground import access, clock, exporting, pages, sealing
from catalogue.ground.inputs import Invalid
from catalogue.ground.journal_filters import JournalFilter, said
from catalogue.ground.models import Entry
from catalogue.ground.refusal import Refused
from proposals import queries
from proposals.access import today

_FORMATS: dict[str, tuple[str, Callable[..., Iterator[bytes]]]] = {
    "ndjson": ("application/x-ndjson", exporting.ndjson),
    "csv": ("text/csv; charset=utf-8", exporting.as_csv),
}


def _for_readers(view: pages.View) -> pages.View:
    """Whoever may not read the journal of the whole facility is told who may."""

    @wraps(view)
    @login_required
    @pages.guarded
    def shown(request: HttpRequest, **named: Any) -> HttpResponseBase:
        actor = pages.actor(request)
        if access.SEE_JOURNAL not in access.facility_wide(actor, today(), pages.offices(request)):
            raise Refused(
                "The journal of the whole facility is for auditors, data managers and the user "
                "office; each proposal has its own under “History”.",
                kind="permission",
                who="a data manager",
            )
        return view(request, **named)

    return shown


@require_safe
@_for_readers
def journal(request: HttpRequest) -> HttpResponse:
    """Newest first; further pages go on behind the last entry shown, however many there are."""
    found = JournalFilter(request.GET, queryset=_entries(request))
    rows = pages.narrowed(found).select_related("on_behalf").order_by("-id")
    before = request.GET.get("before", "")
    if before:
        rows = rows.filter(pk__lt=_number(before))
    entries = list(rows[: pages.PAGE_SIZE + 1])
    more = len(entries) > pages.PAGE_SIZE
    context = {
        "filter": found,
        "narrowed": bool(said(found)),
        "entries": entries[: pages.PAGE_SIZE],
        "older": entries[pages.PAGE_SIZE - 1].pk if more else None,
        "begun": bool(before),
        "query": urlencode(said(found)),
        "sealed": sealing.status(),
    }
    return render(request, "catalogue/journal.html", context)


def _number(text: str) -> int:
    """The entry behind which a page goes on, as the page before it named it."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise Invalid("before", "must be the number of an entry", text)
    return int(text)


def _entries(request: HttpRequest) -> QuerySet[Entry]:
    return queries.events(pages.actor(request))


@require_safe
@_for_readers
def export(request: HttpRequest, form: str) -> HttpResponseBase:
    """What the page shows by the same filters, all of it, as a stream."""
    if form not in _FORMATS:
        raise Http404(f"no export as {form}")
    found = JournalFilter(request.GET, queryset=_entries(request))
    if not found.is_valid():
        context = {"filter": found, "narrowed": True, "sealed": sealing.status(), "entries": []}
        return render(request, "catalogue/journal.html", context, status=422)
    media_type, stream = _FORMATS[form]
    narrowed = {"narrowed": said(found)} if form == "ndjson" else {}
    answer = StreamingHttpResponse(stream(found.qs, **narrowed), content_type=media_type)
    day = clock.now().astimezone(clock.facility_zone()).date()
    answer["Content-Disposition"] = f'attachment; filename="journal-{day.isoformat()}.{form}"'
    answer["Cache-Control"] = "no-store"
    return answer
