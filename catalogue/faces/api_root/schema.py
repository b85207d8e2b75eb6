"""The OpenAPI document and its page, without anything from another site.

The document is made of our own endpoints; what drf-spectacular cannot see is told here.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer

__all__ = ["Document", "Page", "SessionScheme"]


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "catalogue.faces.api_root.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of yours, `lk-…`, or one that a program got with its secret. "
            "A program names the person it acts for in the header X-User-Email.",
        }


class PlainJson(OpenApiJsonRenderer):
    """The document under the type that every client asks for."""

    media_type = "application/json"


@cache
def document() -> dict[str, Any]:
    """The same for everybody, and most of a tenth of a second's work: a process makes it once."""
    made: dict[str, Any] = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return made


class Once(SchemaGenerator):
    """Gives out what was made before."""

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        return document()


class Document(SpectacularJSONAPIView):
    """/api/v1/openapi.json"""

    generator_class = Once
    authentication_classes: list[Any] = []
    renderer_classes = [PlainJson, OpenApiJsonRenderer, JSONRenderer]


class Page(SpectacularSwaggerSplitView):
    """/api/v1/docs: Swagger UI from our own static files; page and script apart, so that no inline
    script or style is needed."""

    authentication_classes: list[Any] = []
    url_name = "api-document"
    template_name = "api_root/docs.html"
    title = "Lightkeeper API"
