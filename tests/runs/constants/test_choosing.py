"""Which constants are chosen from the tables: as the pure rules say, in few queries, whatever
numbers are stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogue.constants import conditions as rules
from catalogue.constants import selection
from catalogue.constants.conditions import Stored
from catalogue.ground.actor import COMMAND
from catalogue.ground.models import Condition, DetectorUnit
from runs.constants import choosing, entering
from tests.constant_rows import Catalogue
from tests.factories import BEGIN, Facility

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.fixture
def units(facility: Facility) -> list[DetectorUnit]:
    """Two units, each with its number."""
    made = list(facility.detector(modules=2).units.all())
    for n, unit in enumerate(made):
        unit.uuid = 1000 * (n + 1)
        unit.save()
    return made


def chosen(
    catalogue: Catalogue, units: list[DetectorUnit], *, hours: float = 10, **asked: Any
) -> list[str | None]:
    """By unit the name of the version of Offset that is taken."""
    facts = {"strategy": selection.prior, "at": BEGIN + timedelta(hours=hours), **asked}
    values = facts.pop("values", catalogue.asked())
    found = choosing.by_condition(values, [catalogue.offset], units, **facts)
    rows = {row.pk: row.name for row in choosing.told(found.values())}
    return [rows.get(found.get((unit.pk, catalogue.offset.pk), 0)) for unit in units]


def test_what_holds_for_the_values_is_chosen_for_each_unit(
    catalogue: Catalogue, units: list[DetectorUnit]
) -> None:
    first, second = units
    condition = catalogue.condition()
    catalogue.version(first, condition, name="old")
    catalogue.version(first, condition, name="new", hours=5)
    catalogue.version(first, condition, name="late", hours=20)
    catalogue.version(first, condition, name="noise", hours=6, kind=catalogue.noise)
    catalogue.version(first, catalogue.condition(bias=400.0), name="other", hours=7)
    catalogue.version(second, condition, name="withdrawn", deployed=False)
    assert chosen(catalogue, units) == ["new", None]
    assert chosen(catalogue, units, hours=4) == ["old", None]
    assert chosen(catalogue, units, hours=18, strategy=selection.closest) == ["late", None]
    assert chosen(catalogue, units, snapshot_at=BEGIN) == ["old", None]
    assert chosen(catalogue, units, values=catalogue.asked(bias=306.0)) == [None, None]


def test_a_units_own_constants_go_before_newer_ones_of_all(
    catalogue: Catalogue, units: list[DetectorUnit]
) -> None:
    first = units[0]
    binding = catalogue.parameter(choosing.BINDING)
    mine = catalogue.condition((binding, first.float_uuid or 0.0))
    catalogue.version(first, mine, name="mine")
    for unit in units:
        catalogue.version(unit, catalogue.condition(), name=f"all {unit.aggregator}", hours=5)
    assert first.float_uuid == 4.94e-321
    assert chosen(catalogue, units) == ["mine", "all AGIPD01"]
    assert chosen(catalogue, units, hours=-1) == [None, None]


def test_the_number_of_queries_does_not_grow(catalogue: Catalogue, facility: Facility) -> None:
    units = list(facility.detector(modules=6).units.all())
    condition = catalogue.condition()

    def queries(some: list[DetectorUnit]) -> int:
        with CaptureQueriesContext(connection) as asked:
            chosen(catalogue, some)
        return len(asked)

    for n, unit in enumerate(units):
        for hours in range(4):
            catalogue.version(unit, condition, hours=hours, name=f"v {n} {hours}")
        catalogue.condition(bias=300.0 + n)
    assert queries(units) == queries(units[:1]) <= 7


def test_possible_conditions_and_the_expected_one(catalogue: Catalogue) -> None:
    condition = catalogue.condition()
    catalogue.condition(bias=310.0)
    extra = catalogue.parameter("Gain setting")
    catalogue.condition((extra, 1.0))
    assert choosing.possible(catalogue.asked()) == [condition]
    assert len(choosing.possible(catalogue.asked(bias=305.0))) == 2
    assert choosing.possible({catalogue.bias.pk: 300.0}) == []
    exactly = {catalogue.bias.pk: Stored(300.0, 5.0, 5.0), catalogue.cells.pk: Stored("0,1,2,")}
    assert choosing.expected(exactly) == condition
    assert choosing.expected({**exactly, catalogue.bias.pk: Stored(300.0, 5.0, 4.0)}) is None
    assert choosing.expected({**exactly, catalogue.cells.pk: Stored("0,1,")}) is None


odd = st.sampled_from(
    [0.0, -0.0, 4.94e-321, -9.88e-321, 1e-250, 2.4, 2.9, -2.9, 1e200, 1.7e308, -1.7e308]
)
numbers = odd | st.floats(allow_nan=False, allow_infinity=False)
widths = st.sampled_from([0.0, 0.5, 1e-9, 1e200, 1.7e308])


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stored=st.lists(st.tuples(numbers, widths, widths), min_size=1, max_size=4),
    asked=numbers,
)
def test_the_query_leaves_out_nothing_that_the_rules_take(
    catalogue: Catalogue, stored: list[tuple[float, float, float]], asked: float
) -> None:
    """Whatever numbers are stored, the largest and smallest too."""
    Condition.objects.all().delete()
    for n, one in enumerate(stored):
        entering.enter_condition(by=COMMAND, name=str(n), values={catalogue.bias: Stored(*one)})
    rows = [choosing.stored(row) for row in Condition.objects.prefetch_related("parameters")]
    for question in (asked, stored[0][0], stored[0][0] + stored[0][2]):
        if abs(question) < 1.79e308:
            wanted = [row for row in rows if rules.accepts(row, {catalogue.bias.pk: question})]
            found = choosing.possible({catalogue.bias.pk: question})
            assert [choosing.stored(row) for row in found] == wanted
