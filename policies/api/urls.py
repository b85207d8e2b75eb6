"""Addresses of the endpoints of holds and verdicts, below /api/v1/."""

from __future__ import annotations

from django.urls import path

from catalogue.ground.endpoints import converters  # noqa: F401 - paths below use them
from policies.api import policies, views

PROPOSAL = "proposals/<proposal_number:number>"

urlpatterns = [
    path(f"{PROPOSAL}/holds", views.Holds.as_view(), name="api-holds"),
    path(f"{PROPOSAL}/holds/<row_id:id>", views.OneHold.as_view(), name="api-hold"),
    path(f"{PROPOSAL}/holds/<row_id:id>/lift", views.Lift.as_view(), name="api-lift"),
    path(
        f"{PROPOSAL}/holds/<row_id:id>/lift/ask", views.AskToLift.as_view(), name="api-ask-to-lift"
    ),
    path("policies", policies.Policies.as_view(), name="api-policies"),
    path("policies/<row_id:id>", policies.OnePolicy.as_view(), name="api-policy"),
    path(
        f"{PROPOSAL}/runs/<run_number:run>/verdicts",
        views.Verdicts.as_view(),
        name="api-verdicts",
    ),
]
