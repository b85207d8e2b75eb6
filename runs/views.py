"""The run table of a proposal: the page, what happened since (live), its file, its columns, and the
switches above it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST, require_safe

from catalogue.ground import clock, inputs, pages
from catalogue.ground.refusal import Refused
from proposals import commands as proposals
from proposals.frame import Frame, framed
from runs import acted, columns, exports, live, tabled
from runs.forms import SwitchForm
from runs.models import Run
from runs.narrowing import RunTableFilter

CURSOR = "X-Cursor"
YEAR = 365 * 86400


class _Counted(Paginator):  # type: ignore[type-arg]
    """Pages of rows that have been counted already."""

    def __init__(self, rows: Any, count: int) -> None:
        super().__init__(rows, pages.PAGE_SIZE)
        self._known = count

    @cached_property
    def count(self) -> int:
        return self._known


class _Table:
    """The rows that an address asks for: narrowed and sorted."""

    def __init__(self, frame: Frame, query: QueryDict) -> None:
        self.choices = tabled.choices(frame.proposal)
        self.filter = RunTableFilter(
            query, queryset=tabled.inside(frame.proposal), choices=self.choices
        )
        narrowed = pages.narrowed(self.filter)
        self.runs, self.sort = columns.sorted_by(narrowed, query.get("sort", columns.USUAL))
        self.query = query

    def page(self, frame: Frame, count: int) -> tuple[Page[Run], list[Run]]:
        """The page that the address names, and the runs on it."""
        page: Page[Run] = _Counted(self.runs, count).get_page(self.query.get("page"))
        runs = list(page.object_list)
        for run in runs:
            run.proposal = frame.proposal
        return page, runs

    def address(self, **changes: str) -> str:
        """The query of the table, without what is not of it."""
        return columns.address(self.query, self.sort, **changes)


@require_safe
@framed("runs")
def run_list(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The run table."""
    table = _Table(frame, request.GET)
    totals = tabled.totals(table.runs)  # before the rows: how far they are told of at least
    page, runs = table.page(frame, totals.runs)
    user = request.user.pk or 0
    context = {
        **acted.table(request, frame, runs),
        "filter": table.filter,
        "page": page,
        "totals": totals,
        "heads": [_Head(column, table) for column in columns.shown(_hidden(request))],
        "all_columns": columns.COLUMNS,
        "causes_counted": table.choices["counts"],
        "never": [name for _, name in table.choices["never"]],
        "query": table.address(),
        "cursor": live.begin(frame.proposal, user, totals.position),
        "grows": table.sort == columns.USUAL and page.number == 1,
    }
    return frame.show(request, "runs/list.html", context)


def _hidden(request: HttpRequest) -> frozenset[str]:
    return columns.hidden_in(request.COOKIES.get(columns.COOKIE, ""))


class _Head:
    """The head of a column: where a click on it leads, and how it is sorted now."""

    def __init__(self, column: columns.Column, table: _Table) -> None:
        self.column = column
        falling = table.sort == f"-{column.name}"
        self.sorted = {column.name: "ascending", f"-{column.name}": "descending"}.get(table.sort)
        self.address = table.address(sort=column.name if falling else f"-{column.name}")


@require_safe
def run_changes(request: HttpRequest, number: int) -> HttpResponseBase:
    """What happened since the cursor `after`: nothing (204), or the rows of `shown` that changed
    and those that are new, each whole. While nothing happens this takes three queries."""
    known = live.read(request.GET.get("after", ""))
    if known is not None:
        cursor, trusted = known
        own = (cursor.user, cursor.proposal) == (request.user.pk or 0, number)
        if own and trusted and live.is_quiet(cursor):
            return HttpResponse(status=204)
    return _changes(request, number=number)


@framed("runs")
def _changes(request: HttpRequest, frame: Frame) -> HttpResponse:
    known = live.read(request.GET.get("after", ""))
    user = request.user.pk or 0
    if known is None or (known[0].user, known[0].proposal) != (user, frame.proposal.number):
        return pages.refused(request, Refused("That is no cursor of this table: load it anew."))
    text = request.GET.get("shown", "")
    ranges = inputs.run_ranges(text, "shown") if text else ()
    there = {n for first, last in ranges for n in range(first, last + 1)}
    news = live.news(frame.proposal, known[0])
    runs = live.changed(frame.proposal, news.runs, there)
    fresh = _fresh(request, frame, news.runs - there, max(there, default=0))
    gone = (news.runs & there) - {run.number for run in runs}
    if not (runs or fresh or gone or news.switched):
        answer = HttpResponse(status=204)
    else:
        context = acted.table(request, frame, [*fresh, *runs])
        context |= {"fresh": {run.number for run in fresh}, "gone": sorted(gone)}
        if news.switched:
            never = tabled.choices(frame.proposal)["never"]
            context |= {"switches": True, "never": [name for _, name in never]}
        answer = frame.show(request, "runs/_changes.html", context)
    answer[CURSOR] = str(news.cursor)
    return answer


def _fresh(request: HttpRequest, frame: Frame, numbers: frozenset[int], highest: int) -> list[Run]:
    """The runs among `numbers` that belong at the top of what is shown; at most a page of them."""
    fresh = [n for n in numbers if n > highest]
    if not fresh or request.GET.get("page", "1") != "1":
        return []
    table = _Table(frame, request.GET)
    if table.sort != columns.USUAL:
        return []
    found = list(table.runs.filter(number__in=fresh)[: pages.PAGE_SIZE])
    for run in found:
        run.proposal = frame.proposal
    return found


@require_safe
@framed("runs")
def export(request: HttpRequest, frame: Frame) -> HttpResponseBase:
    """What the table shows, all pages of it, as CSV or as an Excel file."""
    table = _Table(frame, request.GET)
    if not table.filter.is_valid():
        fault = "; ".join(f"{name}: {e[0]}" for name, e in table.filter.form.errors.items())
        return pages.refused(request, Refused(f"A filter was not understood: {fault}", "reason"))
    shown = columns.shown(_hidden(request))
    head, rows = exports.heads(shown), exports.lines(table.runs, frame.proposal, shown)
    day = clock.now().astimezone(clock.facility_zone())
    name = f"{frame.proposal.folder}-runs-{day:%Y-%m-%d-%H%M}"
    if request.GET.get("format") == "xlsx":
        return FileResponse(
            exports.as_excel(head, rows), as_attachment=True, filename=f"{name}.xlsx"
        )
    answer = StreamingHttpResponse(exports.as_csv(head, rows), content_type="text/csv")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


@require_POST
@framed("runs")
def choose_columns(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Keep which columns the reader wants, in a cookie: it is about this browser's window."""
    answer = pages.back(request, "runs:list", frame.proposal.number)
    answer.set_cookie(
        columns.COOKIE, columns.cookie_for(request.POST.getlist("column")), max_age=YEAR,
        httponly=True, samesite="Lax", secure=request.is_secure(),
    )  # fmt: skip
    return answer


@require_POST
@framed("runs")
def switch(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Switch what the catalogue does by itself with new runs."""
    form = SwitchForm(request.POST)
    if not form.is_valid():
        return pages.refused(request, Refused("Which switch is meant was not said.", kind="reason"))
    name, on = form.cleaned_data["name"], form.cleaned_data["on"]
    proposals.switch(frame.proposal, by=frame.actor, **{name: on})
    what = {
        "assesses_by_itself": "Marking new runs Good",
        "calibrates_by_itself": "Calibration of Good runs",
    }[name]
    messages.success(request, f"{what} by itself is switched {'on' if on else 'off'}.")
    return pages.back(request, "runs:list", frame.proposal.number)
