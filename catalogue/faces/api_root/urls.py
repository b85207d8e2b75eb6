"""The router of the native REST API: the apps' endpoints below one version."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from catalogue.faces.api_root import events, reference, schema, views
from catalogue.ground.endpoints import converters  # noqa: F401 - paths below use them
from catalogue.ground.endpoints.token_issue import token

version_1: list[URLPattern | URLResolver] = [
    path("", include("proposals.api.urls")),
    path("", include("runs.api.urls")),
    path("", include("policies.api.urls")),
    path("events", events.Events.as_view(), name="api-events"),
    path("instruments", reference.Instruments.as_view(), name="api-instruments"),
    path(
        "instruments/<str:identifier>",
        reference.OneInstrument.as_view(),
        name="api-instrument",
    ),
    path("cycles", reference.Cycles.as_view(), name="api-cycles"),
    path("experiment-types", reference.ExperimentTypes.as_view(), name="api-experiment-types"),
    path("techniques", reference.Techniques.as_view(), name="api-techniques"),
    path("jobs", views.Jobs.as_view(), name="api-jobs"),
    path("jobs/<row_id:id>", views.OneJob.as_view(), name="api-job"),
    path("jobs/<row_id:id>/retry", views.Retry.as_view(), name="api-job-retry"),
    path("jobs/<row_id:id>/hold", views.Hold.as_view(), name="api-job-hold"),
    path("jobs/<row_id:id>/cancel", views.Cancel.as_view(), name="api-job-cancel"),
    path("stores", views.Stores.as_view(), name="api-stores"),
    path("me", views.Me.as_view(), name="api-me"),
    path("health", views.Health.as_view(), name="api-health"),
    path("problems/<slug:slug>", views.ProblemKind.as_view(), name="api-problem"),
    path("openapi.json", schema.Document.as_view(), name="api-document"),
    path("docs", schema.Page.as_view(), name="api-docs"),
    re_path("", views.Nowhere.as_view()),
]

urlpatterns = [
    path("v1/", include(version_1)),
    path("oauth/token", token, name="api-token"),
    re_path("", views.Nowhere.as_view()),
]
