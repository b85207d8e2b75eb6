"""The list of proposals as a table."""

from __future__ import annotations

from typing import Any

from django_tables2 import Column, Table

from catalogue.ground import calendar, clock
from catalogue.ground.cells import Cell
from proposals.models import Proposal

_STATE = "{% load lightkeeper %}{% state record 'state' %} {% withdrawn record %}"
_ACCESS = (
    "{% load lightkeeper %}{% state record 'access' %}"
    "{% if record.access == 'embargoed' and record.release_at %}"
    " <span class='soft small'>until {{ record.release_at|day }}</span>{% endif %}"
)
_NUMBER = (
    '<a class="number" href="{% url \'proposals:general\' record.number %}">{{ record.folder }}</a>'
)


class ProposalTable(Table):  # type: ignore[misc] # django-tables2 has no types
    number = Cell(_NUMBER, verbose_name="Proposal")
    title = Column(attrs={"td": {"class": "wide"}})
    leader = Column(
        accessor="leaders",
        verbose_name="Leader",
        orderable=False,
        attrs={"td": {"class": "nowrap"}},
    )
    instrument = Column(accessor="instrument__identifier", verbose_name="Instrument")
    cycle = Column(accessor="cycle__identifier", verbose_name="Cycle")
    beamtime = Column(
        accessor="beamtimes",
        verbose_name="Beamtime",
        orderable=False,
        attrs={"td": {"class": "nowrap"}},
    )
    state = Cell(_STATE, order_by="state_since")
    access = Cell(_ACCESS, verbose_name="Data", order_by="release_at")

    class Meta:
        template_name = "_table.html"
        attrs = {"class": "cards"}
        order_by = "-number"
        empty_text = "No proposal that you may see is like this."

    def render_leader(self, value: list[Any]) -> str:
        return value[0].user.full_name if value else "–"

    def render_beamtime(self, record: Proposal) -> str:
        blocks = list(record.beamtimes.all())
        return calendar.say_day(blocks[0].begin_at, clock.facility_zone()) if blocks else "–"
