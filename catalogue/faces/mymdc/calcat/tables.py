"""The plain tables of the constants catalogue: types, detectors, parameters, calibrations,
reports; and the instruments, which are read here only."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import URLPattern

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.calcat import columns as c
from catalogue.faces.mymdc.calcat.kept import Kept
from catalogue.faces.mymdc.call import Answer, Call
from catalogue.faces.mymdc.columns import Column, checked, integer, real, refers, shown, text
from catalogue.faces.mymdc.errors import Missing
from catalogue.faces.mymdc.resource import Resource, Unique, at
from catalogue.ground.actor import Actor
from catalogue.ground.models import (
    CalibrationKind,
    CalibrationParameter,
    ConstantReport,
    ConstantVersion,
    Detector,
    DetectorType,
    Instrument,
    User,
)
from runs.constants import entering, reading


class DetectorTypes(Kept):
    path, wrapper, kind = "detector_types", "detector_type", DetectorType
    found = staticmethod(reading.detector_types)
    columns = (c.name(60), c.available(), c.description(), *c.entered())
    unique = (Unique(("name",)),)


def _instruments(row: Detector) -> list[dict[str, int]]:
    return [
        {"id": one.pk, "instrument_id": one.instrument_id, "detector_id": row.pk}
        for one in row.detectors_instruments.all()
    ]


class Detectors(Kept):
    path, wrapper, kind = "detectors", "detector", Detector
    found = staticmethod(reading.detectors)
    columns = (
        c.name(64),
        text("identifier", c.LONGEST, lookup="identifier", required=True, fixed=True),
        text("karabo_name", c.LONGEST, lookup="karabo_name", required=True),
        c.said("karabo_id_control"),
        c.said("source_name_pattern"),
        integer("number_of_modules"),
        integer("first_module_index"),
        c.available(),
        c.description(),
        *c.entered(),
        shown("detectors_instruments", _instruments),
    )
    unique = (Unique(("name",)), Unique(("identifier",)), Unique(("karabo_name",)))

    def more(self) -> list[URLPattern]:
        return [at(f"{self.path}/get_all_by_instrument", get=self.by_instrument)]

    def by_instrument(self, call: Call) -> Answer:
        """The detectors that are used at an instrument."""
        try:
            instrument = wire.integer(call.query.get("instrument_id"))
        except wire.Unreadable:
            instrument = None
        rows = self.rows(call.actor).filter(instruments=instrument).order_by("pk")
        return Answer(self.shown(list(rows)))


class Parameters(Kept):
    path, wrapper, kind = "parameters", "parameter", CalibrationParameter
    found = staticmethod(reading.parameters)
    columns = (
        c.name(fixed=True),
        c.unit_id(fixed=True),
        c.available(),
        c.yes("flg_logarithmic", "logarithmic", default=False),
        c.yes("flg_text", "text", default=False, fixed=True),
        real(
            "def_lower_deviation_value",
            read="default_lower_deviation", write="default_lower_deviation",
        ),
        real(
            "def_upper_deviation_value",
            read="default_upper_deviation", write="default_upper_deviation",
        ),
        c.description(),
        *c.entered(),
    )  # fmt: skip
    unique = (Unique(("name",)),)


class Calibrations(Kept):
    path, wrapper, kind = "calibrations", "calibration", CalibrationKind
    found = staticmethod(reading.kinds)
    columns = (
        c.name(fixed=True),
        c.unit_id(fixed=True),
        real("max_value"),
        real("min_value"),
        real("allowed_deviation"),
        c.description(),
        *c.entered(),
    )
    # the field's catalogue tells a name that is taken on the unit as well
    unique = (Unique(("name",), told=("name", "unit")),)


def _users(actor: Actor) -> QuerySet[User]:
    return reading.all_of(User)


REPORT: tuple[Column, ...] = (
    c.name(64),
    text("file_path", 1024, lookup="file_path", required=True),
    c.available(),
    c.description(),
    refers("user_id", _users, write="user"),
    *c.entered(),
)


class Reports(Kept):
    path, wrapper, kind = "reports", "report", ConstantReport
    found = staticmethod(reading.reports)
    columns = REPORT
    unique = (Unique(("file_path",)),)

    def more(self) -> list[URLPattern]:
        return [at(f"{self.path}/set", post=self.set)]

    def show(self, call: Call, pk: str) -> Answer:
        """One report, with the versions that were made with it."""
        versions = [
            {"id": row.pk, "name": row.name, "begin_at": wire.shown(row.begin_at)}
            for row in reading.all_of(ConstantVersion).filter(report=int(pk)).order_by("pk")
        ]
        told = {
            "view_url": f"{settings.SITE_URL}/calibration/api/{self.path}/{pk}",
            "calibration_constant_versions": versions,
        }
        return Answer({**self.one(call, pk), **told})

    def set(self, call: Call) -> Answer:
        """The report with this address: the stored one as it is, or a new one."""
        values = checked(self.columns, call.attributes(self.wrapper), None, call.actor)
        row, new = entering.set_report(by=call.actor, **values)
        return Answer(self.one(call, row.pk), 201 if new else 200)


class Instruments(Resource):
    """Enough of the instruments to look up detectors by them; they are kept elsewhere."""

    path, wrapper = "instruments", "instrument"
    columns = (
        text("name", lookup="name"),
        text("identifier", lookup="identifier"),
        shown("flg_available", "available"),
        shown("description", "description"),
    )
    verbs = frozenset({"index", "show"})

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return reading.all_of(Instrument)


class Units(Resource):
    """The units of physical quantities; they are kept elsewhere."""

    path, wrapper = "units", "unit"
    columns = (
        text("name", lookup="name"),
        text("identifier", lookup="identifier"),
        text("symbol", lookup="symbol"),
        text("origin"),
        shown("flg_available", "available"),
        shown("description", "description"),
    )
    verbs = frozenset({"index", "show"})

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return c.units(actor)


def me(call: Call) -> Answer:
    """The person who is acted for."""
    user = call.actor.user
    if user is None:
        raise Missing
    return Answer(
        {
            "id": user.pk,
            "email": user.email,
            "provider": user.provider,
            "contact_email": user.contact_email or user.email,
            "name": user.full_name,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "nickname": user.nickname,
            "uid": user.uid,
            "ldap_synced_at": wire.shown(user.directory_synced_at),
            "flg_service_account": user.is_service,
            "flg_ldap_account_valid": user.is_active,
            "roles": sorted(set(user.appointments.values_list("role", flat=True))),
        }
    )
