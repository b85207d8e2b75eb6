"""Which conditions hold and which versions are taken: rows become the values of the pure rules.

What the rules need is read in a constant number of queries, narrowed to what could be chosen; the
choice itself is `catalogue.constants`.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Case, Exists, F, FloatField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Abs

from catalogue.constants import conditions as rules
from catalogue.constants import selection
from catalogue.constants.conditions import Stored
from catalogue.ground.models import (
    CalibrationKind,
    CalibrationParameter,
    Condition,
    ConditionParameter,
    Constant,
    ConstantVersion,
    DetectorUnit,
)
from runs.constants import reading

BINDING = "Detector UUID"
"""The parameter that binds a condition to one unit; its value is the unit's `float_uuid`."""

Values = Mapping[int, rules.Value]
"""What is asked for: a value by the id of its parameter."""

_WIDER = 1e-8
"""The query takes in a little more than the rules do, relative to the numbers compared."""
_SMALL, _LARGE, _BEYOND = 1e-200, 1e300, sys.float_info.max
"""Between these a database can calculate; beyond, PostgreSQL ends the query with an error."""
_PATTERN = 100


def stored(condition: Condition) -> dict[int, Stored]:
    """A condition as the rules know it; its parameters have to be there already."""
    return {row.parameter_id: value_of(row) for row in condition.parameters.all()}


def value_of(row: ConditionParameter) -> Stored:
    """A parameter's value as the rules know it."""
    if row.text_value is not None:
        return Stored(row.text_value)
    return Stored(row.value or 0.0, row.lower_deviation, row.upper_deviation)


def possible(asked: Values) -> list[Condition]:
    """Every condition that holds for these values, with its parameters."""
    found = _nearly(asked).prefetch_related("parameters")
    return [row for row in found if rules.accepts(stored(row), asked)]


def expected(wanted: Mapping[int, Stored]) -> Condition | None:
    """The condition with exactly these parameters, values and deviations; of several the first."""
    asked = {parameter: one.value for parameter, one in wanted.items()}
    rows = _nearly(asked, exact=True).prefetch_related("parameters").order_by("id")
    return next((row for row in rows if rules.same(stored(row), wanted)), None)


def _nearly(
    asked: Values, *, besides: Collection[int] = (), exact: bool = False
) -> QuerySet[Condition]:
    """The conditions that have these parameters, with values about these, and none but these and
    those `besides`."""
    values = ConditionParameter.objects.alias(
        _lowest=_limit("lower_deviation", -1), _highest=_limit("upper_deviation", 1)
    )
    has = [
        Exists(values.filter(_about(value, exact), condition=OuterRef("pk"), parameter=parameter))
        for parameter, value in asked.items()
    ]
    others = ConditionParameter.objects.filter(condition=OuterRef("pk")).exclude(
        parameter__in=[*asked, *besides]
    )
    return Condition.objects.filter(*has, ~Exists(others))


def _about(value: rules.Value, exact: bool) -> Q:
    if isinstance(value, str):
        # databases limit how long a pattern may be
        return Q(text_value=value) if exact else Q(text_value__startswith=value[:_PATTERN])
    if exact:
        return Q(value=value)
    slack = _WIDER * abs(value)
    return Q(value=value) | Q(_lowest__lte=value + slack, _highest__gte=value - slack)


def _limit(deviation: str, sign: int) -> Case:
    """A limit of a stored value, a little wider. What arithmetic in the database could not hold is
    let through: only the rules decide."""
    slack = Abs(F("value")) * _WIDER
    own = F("value") - F(deviation) - slack if sign < 0 else F("value") + F(deviation) + slack
    return Case(
        When(
            Q(value=0) | Q(value__range=(_SMALL, _LARGE)) | Q(value__range=(-_LARGE, -_SMALL)),
            then=Case(
                When(Q(**{f"{deviation}__range": (0.0, _LARGE)}), then=own),
                default=Value(sign * _BEYOND),
                output_field=FloatField(),
            ),
        ),
        default=Value(sign * _BEYOND),
        output_field=FloatField(),
    )


class Preferred:
    """The constants to take for each unit, best first: those whose condition is bound to the unit
    by its UUID, then those with exactly the parameters that were asked for."""

    def __init__(
        self, asked: Values, kinds: Collection[CalibrationKind], units: Sequence[DetectorUnit]
    ) -> None:
        self._asked = asked
        self._known: dict[float | None, Sequence[Collection[Hashable]]] = {}
        binding = CalibrationParameter.objects.filter(name=BINDING).first()
        self._binding = binding.pk if binding is not None else None
        besides = [] if self._binding is None else [self._binding]
        rows = _nearly(asked, besides=besides).prefetch_related("parameters")
        self._conditions = [(row.pk, stored(row)) for row in rows]
        constants = Constant.objects.filter(
            condition__in=[row for row, _ in self._conditions],
            kind__in=kinds,
            detector_type__in={unit.detector_type_id for unit in units},
        )
        self._named: dict[tuple[Hashable, ...], int] = {
            tuple(key): pk
            for pk, *key in constants.values_list("pk", "kind", "detector_type", "condition")
        }

    @property
    def constants(self) -> list[int]:
        """The ids of all that any unit could take."""
        return list(self._named.values())

    def of(self, unit: DetectorUnit, kind: CalibrationKind) -> list[set[int]]:
        """The ids of constants, in groups of falling preference."""
        return [
            {
                self._named[key]
                for row in group
                if (key := (kind.pk, unit.detector_type_id, row)) in self._named
            }
            for group in self._groups(unit)
        ]

    def _groups(self, unit: DetectorUnit) -> Sequence[Collection[Hashable]]:
        """The conditions for a unit, best first; units without a number have them in common."""
        number = unit.float_uuid
        if number not in self._known:
            self._known[number] = rules.preferences(
                self._conditions, self._asked, binding=self._binding, bound_to=number
            )
        return self._known[number]


def by_condition(
    asked: Values,
    kinds: Sequence[CalibrationKind],
    units: Sequence[DetectorUnit],
    *,
    strategy: selection.Strategy,
    at: datetime,
    snapshot_at: datetime | None = None,
) -> dict[tuple[int, int], int]:
    """The id of the version that is taken, by ids of unit and kind; where there is none, none.

    Only what time does not decide is narrowed by the query: the versions of these constants and
    units.
    """
    preferred = Preferred(asked, kinds, units)
    known = values(versions_of(preferred.constants, [u.pk for u in units]))
    of_unit: dict[int, list[selection.Version]] = {}
    for version in known:
        of_unit.setdefault(int(str(version.unit)), []).append(version)
    found: dict[tuple[int, int], int] = {}
    for unit in units:
        for kind in kinds:
            chosen = selection.choose(
                of_unit.get(unit.pk, ()),
                unit=unit.pk,
                preferences=preferred.of(unit, kind),
                strategy=strategy,
                at=at,
                snapshot_at=snapshot_at,
            )
            if chosen is not None:
                found[unit.pk, kind.pk] = chosen.id
    return found


def of_constants(
    constants: Collection[int],
    units: Collection[int],
    *,
    strategy: selection.Strategy,
    at: datetime,
    snapshot_at: datetime | None = None,
) -> dict[int, int]:
    """The id of the version of any of these constants that is taken, by the id of its unit."""
    known = values(versions_of(constants, units))
    found = {}
    for unit in units:
        chosen = selection.choose(
            known, unit=unit, preferences=[set(constants)], strategy=strategy, at=at,
            snapshot_at=snapshot_at,
        )  # fmt: skip
        if chosen is not None:
            found[unit] = chosen.id
    return found


def by_time(
    constants: Collection[int], unit: int, *, at: datetime, snapshot_at: datetime | None = None
) -> list[int]:
    """The ids of all versions of these constants for a unit, from the nearest in time on."""
    known = selection.candidates(values(versions_of(constants, [unit])), snapshot_at=snapshot_at)
    return [version.id for version in selection.by_distance(known, at)]


def versions_of(constants: Collection[int], units: Collection[int]) -> QuerySet[ConstantVersion]:
    """The versions of these constants for these units."""
    return ConstantVersion.objects.filter(constant__in=constants, unit__in=units)


def values(rows: QuerySet[ConstantVersion]) -> list[selection.Version]:
    """Versions as the rules know them: a few columns of each, in one query."""
    columns = rows.order_by().values_list(
        *("pk", "constant_id", "unit_id", "begin_at", "created_at", "end_validity_at"),
        *("deployed", "good_quality"),
    )
    return [selection.Version(*row) for row in columns]


def told(ids: Iterable[int]) -> list[ConstantVersion]:
    """These versions with all that is told of them, in this order."""
    wanted = list(ids)
    rows = {row.pk: row for row in reading.versions().filter(pk__in=wanted)}
    return [rows[row] for row in wanted if row in rows]
