"""What every answer says to browsers beyond what Django and django-csp say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# Nothing here needs a sensor, a camera, or to be told apart from others.
PERMISSIONS: Final = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture",
        "encrypted-media", "fullscreen", "geolocation", "gyroscope", "hid",
        "identity-credentials-get", "idle-detection", "local-fonts", "magnetometer", "microphone",
        "midi", "payment",
        "picture-in-picture", "publickey-credentials-create", "publickey-credentials-get",
        "screen-wake-lock", "serial", "usb", "web-share", "xr-spatial-tracking",
    )
)  # fmt: skip
PRIVATE: Final = "private, no-store"


class SecurityHeaders:
    """Sets them where a view has not: it stands near the top, so static files and errors have them
    too. What was made for somebody who is signed in or has a token is not kept by anybody."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        headers = response.headers
        headers.setdefault("Permissions-Policy", PERMISSIONS)
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Embedder-Policy", "require-corp")
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("X-Permitted-Cross-Domain-Policies", "none")
        if _of_somebody(request) and not request.path.startswith(
            f"/{settings.STATIC_URL.strip('/')}/"
        ):
            headers.setdefault("Cache-Control", PRIVATE)
        return response


def _of_somebody(request: HttpRequest) -> bool:
    """Whether the answer may hold what is not for everybody; asks neither session nor database."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES or "Authorization" in request.headers
