"""Addresses of the endpoints of runs, below /api/v1/."""

from __future__ import annotations

from django.urls import path

from catalogue.ground.endpoints import converters  # noqa: F401 - paths below use them
from runs.api import (
    calibrations,
    conditions,
    constants,
    constants_entered,
    files,
    parts,
    replicas,
    views,
)

PROPOSAL = "proposals/<proposal_number:number>"
RUN = f"{PROPOSAL}/runs/<run_number:run>"

urlpatterns = [
    path("conditions", conditions.Conditions.as_view(), name="api-conditions"),
    path("conditions/<row_id:id>", conditions.OneCondition.as_view(), name="api-condition"),
    path("calibration-kinds", conditions.Kinds.as_view(), name="api-calibration-kinds"),
    path(
        "calibration-parameters",
        conditions.Quantities.as_view(),
        name="api-calibration-parameters",
    ),
    path("detector-units", constants_entered.DetectorUnits.as_view(), name="api-detector-units"),
    path(
        "detector-units/<path:name>", constants_entered.OneUnit.as_view(), name="api-detector-unit"
    ),
    path("detectors", constants.Detectors.as_view(), name="api-detectors"),
    path("detectors/<str:identifier>", constants.OneDetector.as_view(), name="api-detector"),
    path("detectors/<str:identifier>/units", constants.Units.as_view(), name="api-units"),
    path("constants", constants_entered.Constants.as_view(), name="api-constants"),
    path("constants/select", conditions.Selection.as_view(), name="api-constants-select"),
    path("constants/<row_id:id>", constants_entered.OneConstant.as_view(), name="api-constant"),
    path("constants/<row_id:id>/runs", constants.ConstantRuns.as_view(), name="api-constant-runs"),
    path(
        f"{PROPOSAL}/constants",
        constants.ProposalConstants.as_view(),
        name="api-proposal-constants",
    ),
    path(f"{PROPOSAL}/checklist", parts.Checklist.as_view(), name="api-checklist"),
    path(f"{PROPOSAL}/packages", parts.Packages.as_view(), name="api-packages"),
    path(f"{PROPOSAL}/data-groups", replicas.Groups.as_view(), name="api-proposal-data-groups"),
    path(f"{PROPOSAL}/replicas", replicas.Replicas.as_view(), name="api-replicas"),
    path(
        f"{PROPOSAL}/calibrations",
        calibrations.ProposalCalibrations.as_view(),
        name="api-proposal-calibrations",
    ),
    path(
        f"{PROPOSAL}/dark-requests",
        calibrations.ProposalDarkRequests.as_view(),
        name="api-proposal-dark-requests",
    ),
    path(f"{PROPOSAL}/runs", views.Runs.as_view(), name="api-runs"),
    path(f"{PROPOSAL}/runs/next-number", views.NextNumber.as_view(), name="api-next-number"),
    path(RUN, views.OneRun.as_view(), name="api-run"),
    path(f"{RUN}/withdraw", views.WithdrawRun.as_view(), name="api-withdraw-run"),
    path(f"{RUN}/heartbeat", views.Heartbeat.as_view(), name="api-heartbeat"),
    path(f"{RUN}/close", views.Close.as_view(), name="api-close"),
    path(f"{RUN}/abort", views.Abort.as_view(), name="api-abort"),
    path(f"{RUN}/assess", views.Assess.as_view(), name="api-assess"),
    path(f"{RUN}/assessments", views.Assessments.as_view(), name="api-assessments"),
    path(f"{RUN}/files", files.Files.as_view(), name="api-files"),
    path(f"{RUN}/files/check", files.CheckFiles.as_view(), name="api-check-files"),
    path(f"{RUN}/files/<path:name>", files.OneFile.as_view(), name="api-file"),
    path(f"{RUN}/data-groups", files.DataGroups.as_view(), name="api-data-groups"),
    path(f"{RUN}/replicas", replicas.RunReplicas.as_view(), name="api-run-replicas"),
    path(f"{RUN}/replicas/<row_id:id>", replicas.OneReplica.as_view(), name="api-replica"),
    path(f"{RUN}/calibrations", calibrations.Calibrations.as_view(), name="api-calibrations"),
    path(
        f"{RUN}/calibrations/<row_id:id>",
        calibrations.OneCalibration.as_view(),
        name="api-calibration",
    ),
    path(
        f"{RUN}/calibrations/<row_id:id>/ask-again",
        calibrations.AskAgain.as_view(),
        name="api-ask-again",
    ),
    path(
        f"{RUN}/calibrations/<row_id:id>/report",
        calibrations.CalibrationReport.as_view(),
        name="api-calibration-report",
    ),
    path(f"{RUN}/dark-requests", calibrations.DarkRequests.as_view(), name="api-dark-requests"),
    path(
        f"{RUN}/dark-requests/<row_id:id>",
        calibrations.OneDarkRequest.as_view(),
        name="api-dark-request",
    ),
    path(
        f"{RUN}/dark-requests/<row_id:id>/report",
        calibrations.DarkReport.as_view(),
        name="api-dark-report",
    ),
]
