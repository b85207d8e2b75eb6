"""Endpoints of calibrations and dark run requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.http import FileResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground.endpoints import (
    ORDERED,
    Order,
    Reason,
    filtered,
    named,
    once,
    page,
    page_answer,
    pages_by,
    refuse_unknown,
    tagged,
)
from catalogue.ground.models import Detector
from runs import calibrating, queries, reading
from runs.api import serializers as shapes
from runs.api.files import Download
from runs.api.views import RunEndpoint
from runs.filters import CalibrationFilter, DarkRequestFilter
from runs.models import Calibration, DarkRequest, Run

ORDER = Order("-id", id=("id",), created_at=("created_at", "id"))
RANGES = "Numbers and ranges, e.g. 12-40, 55."


def _detector(given: dict[str, Any]) -> Detector | None:
    if "detector" not in given:
        return None
    return named(queries.detector, given["detector"], "detector", "a detector")


class ProposalCalibrations(RunEndpoint):
    @extend_schema(
        parameters=pages_by(CalibrationFilter, ORDER, runs=RANGES),
        responses=page_answer(shapes.CalibrationAnswer),
    )
    def get(self, request: Request, number: int) -> Response:
        """The calibrations of all runs of the proposal, newest first."""
        rows = queries.calibrations_of(self.inside(number))
        found = filtered(request, CalibrationFilter, rows, beside=ORDERED)
        return page(request, found, order=ORDER, show=partial(_calibrations, request))


class Calibrations(RunEndpoint):
    @extend_schema(parameters=pages_by(), responses=page_answer(shapes.CalibrationAnswer))
    def get(self, request: Request, number: int, run: int) -> Response:
        """The calibrations of the run, newest first."""
        refuse_unknown(request)
        rows = queries.calibrations(self.own(number, run))
        return page(request, rows, "-id", show=partial(_calibrations, request))

    @extend_schema(request=shapes.NewCalibration, responses={201: shapes.CalibrationAnswer})
    @once
    def post(self, request: Request, number: int, run: int) -> Response:
        """Ask for calibration, by default of the whole detector. While one is open, asking again
        gives that one."""
        found = self.own(number, run)
        given = self.given(shapes.NewCalibration)
        detector = _detector(given)
        units = []
        if given.get("units"):
            whose = detector or queries.detector_of(found.proposal)
            units = named(
                lambda names: queries.units(whose, names) if whose else [],
                given["units"], "units", "units of the detector, by aggregator,",
            )  # fmt: skip
        made = calibrating.request_calibration(found, by=self.actor, detector=detector, units=units)
        return Response(_calibration(request, made), status=201)


class OneCalibration(RunEndpoint):
    @extend_schema(responses=shapes.CalibrationAnswer)
    @tagged
    def get(self, request: Request, number: int, run: int, id: int) -> Response:
        """One calibration: what was asked for, with which constants it was made, or why not."""
        refuse_unknown(request, ())
        row = self.find(queries.calibrations(self.own(number, run)).get, pk=id)
        return Response(_calibration(request, row))


def _calibrations(request: Request, rows: Iterable[Calibration]) -> list[dict[str, Any]]:
    return [_calibration(request, row) for row in rows]


def _calibration(request: Request, row: Calibration) -> dict[str, Any]:
    address = partial(_address, request, "api-calibration-report")
    return dict(shapes.CalibrationAnswer(row, context={"report": address}).data)


def _address(request: Request, name: str, row: Calibration | DarkRequest) -> str:
    """Where the report of `row` is given out."""
    args = [row.run.proposal.number, row.run.number, row.pk]
    return request.build_absolute_uri(reverse(name, args=args))


class AskAgain(RunEndpoint):
    @extend_schema(request=Reason, responses=shapes.CalibrationAnswer)
    @once
    def post(self, request: Request, number: int, run: int, id: int) -> Response:
        """Try a held or failed calibration once more."""
        found = self.own(number, run)
        row = self.find(queries.calibrations(found).get, pk=id)
        calibrating.ask_again(row, by=self.actor, **self.given(Reason))
        return Response(_calibration(request, row))


class ProposalDarkRequests(RunEndpoint):
    @extend_schema(
        parameters=pages_by(DarkRequestFilter, ORDER, runs=RANGES),
        responses=page_answer(shapes.DarkRequestAnswer),
    )
    def get(self, request: Request, number: int) -> Response:
        """The requests for constants of the proposal, newest first."""
        rows = queries.dark_requests_of(self.inside(number))
        found = filtered(request, DarkRequestFilter, rows, beside=ORDERED)
        return page(request, found, order=ORDER, show=partial(_darks, request))


class DarkRequests(RunEndpoint):
    @extend_schema(parameters=pages_by(), responses=page_answer(shapes.DarkRequestAnswer))
    def get(self, request: Request, number: int, run: int) -> Response:
        """The requests for constants from this dark run, newest first."""
        refuse_unknown(request)
        rows = queries.dark_requests(self.own(number, run))
        return page(request, rows, "-id", show=partial(_darks, request))

    @extend_schema(request=shapes.NewDarkRequest, responses={201: shapes.DarkRequestAnswer})
    @once
    def post(self, request: Request, number: int, run: int) -> Response:
        """Ask for new constants from this dark run. While a request is open, asking again gives
        that one."""
        found = self.own(number, run)
        detector = _detector(self.given(shapes.NewDarkRequest))
        made = calibrating.request_dark(found, by=self.actor, detector=detector)
        return Response(_dark(request, made), status=201)


class OneDarkRequest(RunEndpoint):
    @extend_schema(responses=shapes.DarkRequestAnswer)
    @tagged
    def get(self, request: Request, number: int, run: int, id: int) -> Response:
        """One request for constants: how far it is, and which constants it brought."""
        refuse_unknown(request, ())
        row = self.find(queries.dark_requests(self.own(number, run)).get, pk=id)
        return Response(_dark(request, row))


def _darks(request: Request, rows: Iterable[DarkRequest]) -> list[dict[str, Any]]:
    return [_dark(request, row) for row in rows]


def _dark(request: Request, row: DarkRequest) -> dict[str, Any]:
    address = partial(_address, request, "api-dark-report")
    return dict(shapes.DarkRequestAnswer(row, context={"report": address}).data)


class Report(Download):
    """The report of a calibration or of a dark run request."""

    rows: Callable[[Run], Any]

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def get(self, request: Request, number: int, run: int, id: int) -> FileResponse:
        """The report: input, constants, configuration, software."""
        refuse_unknown(request, ())
        found = self.own(number, run)
        row = self.find(type(self).rows(found).get, pk=id)
        if row.report is None:
            raise NotFound("It has no report yet.")
        reading.require_data(self.actor, found)
        return self.send(
            reading.open_artifact(row.report),
            name=row.report.path,
            size=row.report.bytes,
            sha256=row.report.sha256,
            type=row.report.content_type,
        )


class CalibrationReport(Report):
    rows = staticmethod(queries.calibrations)


class DarkReport(Report):
    rows = staticmethod(queries.dark_requests)
