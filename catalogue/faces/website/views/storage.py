"""Storage: what lies where, of whom, and what will go when; as tables, plots and CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from catalogue.faces.website.drawing import drawn
from catalogue.ground import pages
from catalogue.ground.exporting import harmless
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Store
from catalogue.ground.plots import Series, bars
from catalogue.ground.words import bytes_text
from runs import storage as stores
from runs.storage import Going, Overview, Part

BY = {"instrument": "Instrument", "proposal": "Proposal", "quality": "Mark", "store": "Store"}
LARGEST = 20
"""Bars of a plot: the largest; the table has all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: how it is parted, and of which store (None: of all)."""

    by: str
    store: Store | None

    @property
    def query(self) -> str:
        store = {"store": self.store.identifier} if self.store is not None else {}
        return urlencode({"by": self.by, **store})


def _asked(request: HttpRequest) -> Asked:
    by = request.GET.get("by", "instrument")
    if by not in BY:
        raise Invalid("by", f"must be one of {', '.join(BY)}", by)
    name = request.GET.get("store", "")
    if "\x00" in name:
        raise Invalid("store", "must be the identifier of a store", name)
    return Asked(by, stores.store_named(name) if name else None)


def _parts(overview: Overview, asked: Asked) -> list[Part]:
    rows = overview.rows
    if asked.store is not None:
        rows = [row for row in rows if row.store == asked.store.pk]
    if asked.by == "store":
        wanted = [u for u in overview.stores if asked.store in (None, u.store)]
        return [Part(u.store.name, u.store.get_tier_display(), None, u.amount) for u in wanted]
    parted = {"instrument": stores.by_instrument, "proposal": stores.by_proposal}
    return parted.get(asked.by, stores.by_quality)(rows)


@require_safe
@login_required
@pages.guarded
def storage(request: HttpRequest) -> HttpResponse:
    """The stores with what lies in them of the proposals that the reader may see, and what of
    these is announced to go."""
    actor = pages.actor(request)
    asked = _asked(request)
    overview = stores.overview(actor)
    going = stores.going(actor, asked.store)
    context = {
        "asked": asked,
        "overview": overview,
        "parts": pages.page_of(request, _parts(overview, asked), parameter="parts"),
        "by": {name: word for name, word in BY.items() if name != "store"},
        "column": BY[asked.by],
        "going": [g for g in going if g.copies or g.looked_at],
        "going_total": sum(g.total for g in going),
        "page": pages.page_of(request, stores.leaving(actor, asked.store)),
    }
    return render(request, "catalogue/storage.html", context)


@require_safe
@login_required
@pages.guarded
def plot(request: HttpRequest) -> HttpResponse:
    """What lies there, the largest parts, as a plot."""
    asked = _asked(request)
    parts = _parts(stores.overview(pages.actor(request)), asked)[:LARGEST]
    kept = Series("Kept", "busy", [p.amount.used - p.amount.scheduled for p in parts])
    to_go = Series("To be removed", "warn", [p.amount.scheduled for p in parts])
    trash = Series("In the trash", "quiet", [p.amount.in_trash for p in parts])
    labels = [p.label for p in parts]
    return drawn(
        request, lambda dark: bars(labels, [kept, to_go, trash], dark=dark, say=_size, lying=True)
    )


def _size(value: float) -> str:
    return bytes_text(max(int(value), 0))


@require_safe
@login_required
@pages.guarded
def numbers(request: HttpRequest) -> HttpResponse:
    """The same as CSV, in bytes."""
    asked = _asked(request)
    overview = stores.overview(pages.actor(request))
    columns = ("copies", "bytes", "bytes to be removed", "bytes in the trash", "lost or corrupt")
    counted = overview.counted_at.isoformat(timespec="seconds")
    rows = ((p.label, *_amounts(p), counted) for p in _parts(overview, asked))
    head = (BY[asked.by].lower(), *columns, "counted at")
    return _csv(f"storage-by-{asked.by}", head, rows)


def _amounts(part: Part) -> tuple[int, ...]:
    amount = part.amount
    return amount.replicas, amount.used, amount.scheduled, amount.in_trash, amount.broken


def _csv(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.writer(answer)
    writer.writerow(head)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
    return answer


@require_safe
@login_required
@pages.guarded
def leaving_plot(request: HttpRequest) -> HttpResponse:
    """What goes on the next days and weeks, as a plot."""
    asked = _asked(request)
    going = stores.going(pages.actor(request), asked.store)
    series = [Series("To be removed", "warn", [g.total for g in going])]
    labels = [_span(g) for g in going]
    return drawn(request, lambda dark: bars(labels, series, dark=dark, say=_size))


def _span(going: Going) -> str:
    first = _day(going.begin)
    return first if going.begin == going.end else f"{first} …"


def _day(day: date) -> str:
    return f"{day:%-d %b}"


@require_safe
@login_required
@pages.guarded
def leaving_numbers(request: HttpRequest) -> HttpResponse:
    """The same as CSV, in bytes."""
    asked = _asked(request)
    going = stores.going(pages.actor(request), asked.store)
    head = ("from", "to", "copies", "bytes", "runs the policy looks at again")
    rows = ((g.begin.isoformat(), g.end.isoformat(), g.copies, g.total, g.looked_at) for g in going)
    return _csv("storage-leaving", head, rows)
