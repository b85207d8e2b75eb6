"""The list of jobs as a table."""

from __future__ import annotations

from django_tables2 import Table

from catalogue.ground.cells import Cell
from catalogue.ground.models import Job

_LOAD = "{% load lightkeeper %}"
_STATE = (
    _LOAD
    + "{% state record %}{% if record.state == 'claimed' %} <progress max='1' value='"
    + "{{ record.progress|stringformat:'.3f' }}'></progress> {{ record.progress|percent }}"
    + "{% elif record.reason and record.state != 'done' %} <span class='soft'>"
    + "{{ record.reason|truncatechars:160 }}</span>{% endif %}"
)

_PICK = (
    "{% if record.may_act and record.state != 'done' and record.state != 'cancelled' %}"
    "<label><input type='checkbox' name='job' value='{{ record.pk }}'"
    "{% if record.pk in table.picked %} checked{% endif %}>"
    "<span class='unseen'>Pick job {{ record.pk }}</span></label>{% endif %}"
)


class JobTable(Table):  # type: ignore[misc] # django-tables2 has no types
    picked: frozenset[int] = frozenset()

    pick = Cell(_PICK, verbose_name="", orderable=False, attrs={"td": {"class": "pick"}})
    id = Cell(
        '<a class="number" href="{% url \'job\' record.pk %}">{{ record.pk }}</a>',
        verbose_name="Job",
    )
    name = Cell(
        _LOAD + "{{ record|job_words }}", verbose_name="What", attrs={"td": {"class": "nowrap"}}
    )
    subject_label = Cell("{{ record.subject_label }}", verbose_name="About")
    state = Cell(_STATE, verbose_name="How it stands", attrs={"td": {"class": "wide"}})
    who = Cell(
        "{% if record.state == 'held' %}{{ record.who|default:'–' }}{% else %}–{% endif %}",
        verbose_name="Who must act",
    )
    attempts = Cell("{{ record.attempts }}", attrs={"td": {"class": "num"}, "th": {"class": "num"}})
    asked_by = Cell("{{ record.asked_by }}", verbose_name="Asked by")
    created_at = Cell(_LOAD + "{{ record.created_at|brief }}", verbose_name="Asked")
    after = Cell(
        _LOAD + "{% if record.state == 'waiting' %}{{ record.after|brief }}{% elif "
        "record.finished_at %}{{ record.finished_at|brief }}{% else %}–{% endif %}",
        verbose_name="Due, or ended",
    )

    class Meta:
        model = Job
        fields: tuple[str, ...] = ()
        template_name = "_table.html"
        attrs = {"class": "cards"}
        order_by = "-id"
        empty_text = (
            "No job is like this. Jobs are asked for by what happens to proposals and runs: a mark "
            "asks for a copy, a review for a DOI."
        )
