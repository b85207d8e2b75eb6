"""Addresses of the endpoints of proposals, below /api/v1/."""

from __future__ import annotations

from django.urls import path

from catalogue.ground.endpoints import converters  # noqa: F401 - paths below use them
from proposals.api import access, approvals, parts, views

ONE = "proposals/<proposal_number:number>"

urlpatterns = [
    path("access", access.Table.as_view(), name="api-access"),
    path("access/why", access.Why.as_view(), name="api-access-why"),
    path("approvals", approvals.Approvals.as_view(), name="api-approvals"),
    path("approvals/<row_id:id>", approvals.OneApproval.as_view(), name="api-approval"),
    path(
        "approvals/<row_id:id>/<str:name>",
        approvals.Decide.as_view(),
        name="api-decide-approval",
    ),
    path("proposals", views.Proposals.as_view(), name="api-proposals"),
    path(ONE, views.OneProposal.as_view(), name="api-proposal"),
    path(f"{ONE}/withdraw", views.WithdrawProposal.as_view(), name="api-withdraw-proposal"),
    path(
        f"{ONE}/withdraw/ask",
        approvals.AskToWithdraw.as_view(),
        name="api-ask-to-withdraw",
    ),
    path(f"{ONE}/moves", views.Moves.as_view(), name="api-moves"),
    path(f"{ONE}/moves/<str:name>", views.OneMove.as_view(), name="api-move"),
    path(f"{ONE}/journal", views.Journal.as_view(), name="api-journal"),
    path(f"{ONE}/beamtimes", parts.Beamtimes.as_view(), name="api-beamtimes"),
    path(f"{ONE}/beamtimes/<row_id:id>", parts.OneBeamtime.as_view(), name="api-beamtime"),
    path(f"{ONE}/members", parts.Members.as_view(), name="api-members"),
    path(f"{ONE}/members/<str:login>", parts.OneMember.as_view(), name="api-member"),
    path(f"{ONE}/deputies", parts.Deputies.as_view(), name="api-deputies"),
    path(f"{ONE}/deputies/<str:login>", parts.OneDeputy.as_view(), name="api-deputy"),
    path(f"{ONE}/prolong", views.ProlongAccess.as_view(), name="api-prolong"),
    path(f"{ONE}/experiments", parts.Experiments.as_view(), name="api-experiments"),
    path(f"{ONE}/experiments/<row_id:id>", parts.OneExperiment.as_view(), name="api-experiment"),
    path(f"{ONE}/samples", parts.Samples.as_view(), name="api-samples"),
    path(f"{ONE}/samples/<row_id:id>", parts.OneSample.as_view(), name="api-sample"),
]
