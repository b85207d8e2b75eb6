"""The site's addresses."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from catalogue.faces.website.views import sign_in

handler400 = "catalogue.faces.website.views.errors.not_understood"
handler403 = "catalogue.faces.website.views.errors.forbidden"
handler404 = "catalogue.faces.website.views.errors.not_found"
handler500 = "catalogue.faces.website.views.errors.server_error"

legacy = (
    [
        path("", include("catalogue.faces.mymdc.oauth")),
        path("", include("catalogue.faces.mymdc.urls")),
    ]
    if settings.LEGACY_FACE
    else []
)
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("catalogue.faces.api_root.urls")),
    *legacy,
    path("", include("catalogue.faces.website.urls")),
    path("", include("proposals.urls")),
    path("", include("runs.urls")),
    path("", include("policies.urls")),
    path("admin/login/", sign_in.of_admin),
    path("admin/", admin.site.urls),
]
