"""Filters and tags of the templates: states, icons, sizes, times, journal entries, all as the
facility says them. Every page of every app loads this one library."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from secrets import token_hex
from typing import Any

from django import template
from django.db.models import Model
from django.forms import BoundField
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from catalogue.faces.website import glossary, states
from catalogue.ground import calendar, clock, telling, typed, words
from catalogue.ground.models import Entry, Job

register = template.Library()

register.filter("size", words.bytes_text)
register.filter("number", words.number_text)
register.filter("count_of", words.count_text)


@register.filter
def get(mapping: Mapping[Any, Any], key: object) -> Any:
    """`mapping[key]`, or nothing."""
    return mapping.get(key)


@register.filter
def with_article(role: str) -> str:
    """ "an instrument scientist"; a person's name as it is."""
    if role[:1].isupper():
        return role
    return f"{'an' if role[:1] in 'aeiou' else 'a'} {role}"


@register.filter
def breakable(path: str) -> SafeString:
    """A path that may be broken over lines after each of its slashes."""
    return format_html_join("", "{}<wbr>", ((part,) for part in re.split(r"(?<=/)", path)))


@register.filter
def initials(name: str) -> str:
    """ "HK" for Henry Kirkwood; a worker's name as it is."""
    parts = name.split()
    return "".join(p[0] for p in parts[:3]).upper() if len(parts) > 1 else name


@register.filter
def basename(path: str) -> str:
    """The last part of a path in a store."""
    return path.rpartition("/")[2]


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """A symbol of icons.svg; the words beside it say what it means."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("lightkeeper/icons.svg"),
        name,
    )


@register.simple_tag(name="help")
def help_mark(word: str) -> SafeString:
    """`{% help "verified" %}`: a question mark that explains a word of the glossary: a button, for
    pointer, finger and key, that opens a note without a script; nothing needs hover."""
    term = glossary.TERMS[word]
    return format_html(
        '<button type="button" class="help-mark" popovertarget="help-{0}-{1}"'
        ' aria-label="What is “{2}”?">?</button>'
        '<span popover id="help-{0}-{1}" class="help-note"><strong>{2}</strong> {3}'
        ' <a href="{4}#{0}">All words</a></span>',
        term.anchor,
        token_hex(3),
        term.word,
        term.says,
        reverse("help"),
    )


@register.simple_tag
def state(thing: Model, field: str = "state") -> SafeString:
    """The state of a thing: icon, word and colour."""
    look = states.look_of(thing, field)
    return labelled(look.icon, states.word_of(thing, field), look.tone)


@register.simple_tag
def labelled(symbol: str, word: str, tone: str = "quiet") -> SafeString:
    """Any word with an icon and a tone, looking like a state."""
    return format_html(
        '<span class="state" data-tone="{}">{}<span>{}</span></span>', tone, icon(symbol), word
    )


@register.simple_tag
def withdrawn(thing: Any) -> str | SafeString:
    """That a proposal or run was withdrawn, beside its state; nothing where it was not."""
    return labelled("cross", "Withdrawn", "bad") if thing.withdrawn_at else ""


@register.simple_tag
def copy(replica: Any) -> SafeString:
    """A replica in a narrow column: its icon, and in words for those who do not see it."""
    look = states.look_of(replica, "state")
    words = f"{replica.data_group.kind} {states.word_of(replica, 'state').lower()}"
    return format_html(
        '<span class="state" data-tone="{}" title="{}">{}<span class="unseen">{}</span></span>',
        look.tone,
        words,
        icon(look.icon),
        words,
    )


@register.simple_tag
def once() -> SafeString:
    """The mark of a form that is done once however often it is sent; stands beside csrf_token."""
    return format_html('<input type="hidden" name="{}" value="{}">', typed.ONCE, typed.mark())


@register.filter
def duration(value: float | timedelta | None) -> str:
    """ "4 min 10 s"."""
    return "" if value is None else words.duration_text(value)


@register.filter
def minutes(value: timedelta | None) -> str:
    """ "4:10", "1:04:10": a duration for a narrow column."""
    if value is None:
        return ""
    seconds = int(value.total_seconds())
    hours, rest = divmod(seconds, 3600)
    tail = f"{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
    return f"{hours}:{tail}" if hours else tail


@register.filter
def when(value: datetime | None) -> str | SafeString:
    """ "3 December 2026, 14:00" on the facility's clock, readable for programs too."""
    if value is None:
        return ""
    return format_html(
        '<time datetime="{}" data-form="when">{}</time>',
        value.isoformat(timespec="seconds"),
        calendar.say_when(value, clock.facility_zone()),
    )


@register.filter
def brief(value: datetime | None) -> str | SafeString:
    """ "14:00" today, "3 Dec 14:00" this year, else "3 Dec 2026": for narrow columns."""
    if value is None:
        return ""
    zone = clock.facility_zone()
    local, today = value.astimezone(zone), clock.now().astimezone(zone).date()
    month = calendar.say_day(local, zone).split()[1][:3]
    text = f"{local.day} {month} {local.year}"
    if local.date() == today:
        text = f"{local:%H:%M}"
    elif local.year == today.year:
        text = f"{local.day} {month} {local:%H:%M}"
    moment = value.isoformat(timespec="seconds")
    return format_html('<time datetime="{}" data-form="brief">{}</time>', moment, text)


@register.filter
def day(value: date | None) -> str | SafeString:
    """ "3 December 2026"."""
    if value is None:
        return ""
    text = calendar.say_day(value, clock.facility_zone())
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), text)


@register.filter
def day_short(value: datetime | None) -> str:
    """ "3 Dec", for the narrowest columns."""
    if value is None:
        return ""
    local = value.astimezone(clock.facility_zone())
    return f"{local.day} {calendar.say_day(local, clock.facility_zone()).split()[1][:3]}"


@register.filter
def told(entry: Entry) -> telling.Told:
    """A journal entry in words."""
    return telling.told(entry)


@register.filter
def job_words(job: Job | str) -> str:
    """What a job does, in words."""
    return telling.job_words(job)


@register.filter
def fact(value: object, name: str) -> str:
    """A fact of a job's evidence or result, in words."""
    return telling.plain_fact(name, value)


@register.filter
def percent(fraction: float) -> str:
    """ "62 %"."""
    return f"{int(fraction * 100)} %"


@register.simple_tag(takes_context=True)
def querystring_for(context: template.Context, parameter: str, value: object) -> str:
    """The query of the page shown, with one parameter changed."""
    query = context["request"].GET.copy()
    query[parameter] = str(value)
    return f"?{query.urlencode()}"


@register.simple_tag
def field(bound: BoundField, **attributes: Any) -> SafeString:
    """A form's field with further attributes, e.g. `{% field form.q placeholder="…" %}`."""
    return bound.as_widget(attrs={**bound.field.widget.attrs, **attributes})
