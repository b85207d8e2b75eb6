"""The event feed: the journal as programs follow it.

The order is that of `Entry.position`, which only committed entries have, so a program that goes on
from `next` misses nothing and is told nothing twice, whatever committed meanwhile.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import django_filters
from django.apps import apps
from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground import inputs, journal
from catalogue.ground.endpoints import Endpoint, Moment, filtered
from catalogue.ground.endpoints.fields import moment
from catalogue.ground.filters import ParsedFilter
from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Entry, Recorded
from proposals import queries

NOW = "now"
USUAL = 100

# Where a thing is found, by its kind: the name of an address, and which of its proposal's number,
# its run's number and its own id the address takes.
ADDRESSES = {
    "proposal": ("api-proposal", "n"),
    "run": ("api-run", "nr"),
    "job": ("api-job", "i"),
    "calibration": ("api-calibration", "nri"),
    "dark-request": ("api-dark-request", "nri"),
    "replica": ("api-replica", "nri"),
    "hold": ("api-hold", "ni"),
    "approval": ("api-approval", "i"),
    "constant-version": ("api-constant", "i"),
    "condition": ("api-condition", "i"),
}


@cache
def kinds() -> dict[str, str]:
    """The word for each kind of thing that the journal tells of -> its model."""
    return {
        str(model._meta.verbose_name).lower().replace(" ", "-"): model._meta.label_lower
        for model in apps.get_models()
        if issubclass(model, Recorded)
    }


@cache
def _words() -> dict[str, str]:
    return {label: kind for kind, label in kinds().items()}


class SubjectAnswer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # a field of that name
    proposal = serializers.IntegerField(allow_null=True)
    run = serializers.IntegerField(allow_null=True)
    url = serializers.CharField(
        allow_null=True, help_text="Where it is found here, if it has an address of its own."
    )


class EventAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="The journal's; not in the order of events.")
    cursor = serializers.CharField(help_text="Go on behind this event: give it as `after`.")
    at = Moment()
    move = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()
    reason = serializers.CharField()
    facts = serializers.DictField()
    subject = SubjectAnswer()
    actor = serializers.CharField()
    program = serializers.CharField(
        allow_null=True, help_text="The program through which the actor acted."
    )
    on_behalf = serializers.CharField(allow_null=True, help_text="For whom the actor acted.")
    face = serializers.CharField()


class EventsAnswer(serializers.Serializer[Any]):
    events = EventAnswer(many=True)
    next = serializers.CharField(help_text="Give it as `after` next time, also if nothing came.")
    more = serializers.BooleanField(help_text="Whether more wait already.")


class EventFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What the feed may be narrowed to; a cursor goes with any of it."""

    proposal = ParsedFilter(parse=inputs.proposal_number)
    kind = django_filters.MultipleChoiceFilter(
        choices=lambda: [(kind, kind) for kind in kinds()], method="of_kind"
    )
    move = django_filters.CharFilter(max_length=64)

    class Meta:
        model = Entry
        fields: tuple[str, ...] = ()

    def of_kind(self, rows: QuerySet[Entry], name: str, value: list[str]) -> QuerySet[Entry]:
        return rows.filter(subject_type__in=[kinds()[v] for v in value]) if value else rows


PARAMETERS = [
    OpenApiParameter(
        "after",
        str,
        description="A cursor that this feed gave. Without it the feed starts with the first "
        f"event ever, with `{NOW}` at its end.",
    ),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": USUAL}),
    OpenApiParameter(
        "proposal", {"type": "integer", "minimum": 0, "maximum": 999_999}, description="Its number."
    ),
    OpenApiParameter(
        "kind",
        {"type": "array", "items": {"type": "string"}},
        explode=True,
        description="Of what happened to such things: proposal, run, replica, job …",
    ),
    OpenApiParameter("move", str, description="E.g. assess, close, register files."),
]


class Events(Endpoint):
    @extend_schema(parameters=PARAMETERS, responses=EventsAnswer)
    def get(self, request: Request) -> Response:
        """What happened, in an order that never changes, as far as you may read the journal.

        Keep `next` and give it as `after` in the next call: nothing is missed and nothing comes
        twice. The order is that in which events became visible; `at` may go back a little.
        """
        found = filtered(request, EventFilter, queries.events(self.actor), beside=_BESIDE)
        asked = request.query_params
        limit = inputs.page_size(asked.get("limit", str(USUAL)), "limit")
        until = journal.reach()
        after = _place(asked.get("after"), until)
        rows: list[Entry] = []
        if after < until:
            behind = journal.between(found, after, until).select_related("on_behalf")
            rows = list(behind[: limit + 1])
        more = len(rows) > limit
        rows = rows[:limit]
        last = rows[-1].position if more else until
        told = [_event(entry) for entry in rows]
        return Response({"events": told, "next": _cursor(last), "more": more})


_BESIDE = ("after", "limit")


def _cursor(position: int | None) -> str:
    return f"e{position or 0:x}"


def _place(cursor: str | None, until: int) -> int:
    """The position behind which to go on. A cursor beyond the journal's end is of another journal:
    going on from it would miss what comes."""
    if cursor is None:
        return 0
    if cursor == NOW:
        return until
    try:
        found = int(cursor.removeprefix("e"), 16)
    except ValueError:
        found = -1
    if _cursor(found) != cursor or not 0 <= found <= until:
        raise Invalid("after", f"must be one that this feed gave in `next`, or {NOW}", cursor)
    return found


def _event(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.pk,
        "cursor": _cursor(entry.position),
        "at": moment(entry.at),
        "move": entry.move,
        "before": entry.before,
        "after": entry.after,
        "reason": entry.reason,
        "facts": entry.facts,
        "subject": _subject(entry),
        "actor": entry.actor_name,
        "program": entry.program_name or None,
        "on_behalf": entry.on_behalf.full_name if entry.on_behalf else None,
        "face": entry.face,
    }


def _subject(entry: Entry) -> dict[str, Any]:
    kind = _words().get(entry.subject_type) or entry.subject_type.rpartition(".")[2]
    return {
        "kind": kind,
        "label": entry.subject_label,
        "proposal": entry.proposal,
        "run": entry.run,
        "url": _address(kind, entry),
    }


def _address(kind: str, entry: Entry) -> str | None:
    name, takes = ADDRESSES.get(kind, ("", ""))
    parts = {"n": entry.proposal, "r": entry.run, "i": entry.subject_id}
    args = [parts[letter] for letter in takes]
    return reverse(name, args=args) if name and None not in args else None
