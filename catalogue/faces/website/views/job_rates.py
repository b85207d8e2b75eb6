"""How jobs went over time: a plot, the numbers beside it, and both for download."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from catalogue.faces.website.drawing import drawn
from catalogue.ground import clock, pages, telling
from catalogue.ground.inputs import Invalid
from catalogue.ground.plots import Series, bars
from catalogue.ground.words import number_text
from proposals import job_lists
from proposals.job_lists import ENDS, SPANS, Bucket, Per

_TONES = {
    "done": "good", "waiting": "warn", "held": "bad", "silent": "quiet", "cancelled": "busy",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    per: Per
    name: str

    @property
    def query(self) -> str:
        return urlencode({"per": self.per, **({"name": self.name} if self.name else {})})


def _asked(request: HttpRequest) -> Asked:
    given = request.GET.get("per", "hour")
    per: Per | None = next((p for p in SPANS if p == given), None)
    if per is None:
        raise Invalid("per", "must be hour or day", given)
    name = request.GET.get("name", "")
    if name and name not in telling.JOBS:
        raise Invalid("name", "must be a kind of job", name)
    return Asked(per, name)


def _label(bucket: Bucket, per: Per) -> str:
    local = bucket.begin.astimezone(clock.facility_zone())
    return f"{local:%-d %b}" if per == "day" else f"{local:%-d %b %H:00}"


@require_safe
@login_required
@pages.guarded
def rates(request: HttpRequest) -> HttpResponse:
    """Attempts that ended, hour by hour or day by day."""
    actor = pages.actor(request)
    asked = _asked(request)
    buckets = job_lists.rates(actor, asked.per, name=asked.name)
    context = {
        "asked": asked,
        "rows": [
            (b, _label(b, asked.per), [b.ends.get(e, 0) for e, _ in ENDS]) for b in buckets[::-1]
        ],
        "ends": [word for _, word in ENDS],
        "kinds": job_lists.kinds(actor, asked.per),
        "jobs": sorted(telling.JOBS.items(), key=lambda kind: kind[1]),
        "total": sum(b.total for b in buckets),
        "failed": sum(b.failed for b in buckets),
        "span": "48 hours" if asked.per == "hour" else "30 days",
    }
    return render(request, "catalogue/job_rates.html", context)


@require_safe
@login_required
@pages.guarded
def rates_plot(request: HttpRequest) -> HttpResponse:
    """The same as a plot."""
    asked = _asked(request)
    buckets = job_lists.rates(pages.actor(request), asked.per, name=asked.name)
    series = [Series(word, _TONES[end], _counts(buckets, end)) for end, word in ENDS]
    labels = [_label(b, asked.per) for b in buckets]
    return drawn(request, lambda dark: bars(labels, series, dark=dark, say=_whole))


def _whole(value: float) -> str:
    return number_text(int(value)) if value == int(value) else ""


def _counts(buckets: Sequence[Bucket], end: str) -> list[int]:
    return [b.ends.get(end, 0) for b in buckets]


@require_safe
@login_required
@pages.guarded
def rates_csv(request: HttpRequest) -> HttpResponse:
    """The same as CSV."""
    asked = _asked(request)
    buckets = job_lists.rates(pages.actor(request), asked.per, name=asked.name)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="jobs-per-{asked.per}.csv"'
    writer = csv.writer(answer)
    writer.writerow(["begin", *(word for _, word in ENDS)])
    for bucket in buckets:
        begin = bucket.begin.astimezone(clock.facility_zone()).isoformat(timespec="minutes")
        writer.writerow([begin, *(bucket.ends.get(end, 0) for end, _ in ENDS)])
    return answer
