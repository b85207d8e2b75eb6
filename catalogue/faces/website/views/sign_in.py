"""Signing in and out, and the choice of colours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import auth
from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalogue.faces.website.context import SCHEME_COOKIE, SCHEMES
from catalogue.faces.website.views.openid import provider_logout
from catalogue.ground import clock, pages
from catalogue.ground.identity import config, throttle
from catalogue.ground.refusal import Refused

LONGEST_PASSWORD = 1024
_YEAR = 365 * 86400


class SignInForm(AuthenticationForm):
    """Login and password, in the words of the rest of the site."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["username"].label = "Login"
        self.fields["password"].validators.append(MaxLengthValidator(LONGEST_PASSWORD))

    def clean(self) -> dict[str, Any]:
        """Also what keeps a right password from being enough: a directory that does not answer, an
        account that was closed."""
        try:
            return super().clean()
        except Refused as refusal:
            raise ValidationError(str(refusal)) from refusal


class SignIn(views.LoginView):
    """What is configured: a form for login and password, a way to the OpenID provider. A demo shows
    its logins, and says that it is one."""

    authentication_form = SignInForm
    template_name = "catalogue/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        return super().get_context_data(
            demo_logins=settings.DEMO_LOGINS if settings.DEMO else [],
            provider=config.oidc(),
            by_password=settings.LOCAL_SIGN_IN or config.ldap() is not None,
            **named,
        )


sign_in = never_cache(SignIn.as_view())


def too_many(
    request: HttpRequest, original: HttpResponse | None, credentials: Mapping[str, Any] | None
) -> HttpResponse:
    """In place of the sign-in page, for whoever guessed too often: when to come again."""
    again = throttle.again_at(request, credentials) or clock.now()
    wait = max(math.ceil((again - clock.now()).total_seconds()), 1)
    form = SignInForm(request)
    context = {
        "form": form,
        "again": again + timedelta(minutes=1),  # shown in minutes, and not too early
        "provider": config.oidc(),
        "next": "",
        "by_password": False,
    }
    answer = render(request, "catalogue/sign_in.html", context, status=429)
    answer["Retry-After"] = str(wait)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@never_cache
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out here, and at the provider if the session came from there."""
    elsewhere = provider_logout(request, f"{settings.SITE_URL}/")
    auth.logout(request)
    return HttpResponseRedirect(elsewhere or settings.LOGOUT_REDIRECT_URL)


@require_safe
def of_admin(request: HttpRequest) -> HttpResponse:
    """The reference tables have no sign-in of their own, which would know passwords alone."""
    target = request.GET.get("next", "") or reverse("admin:index")
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect(f"{reverse('sign-in')}?{urlencode({'next': target})}")


@require_POST
def scheme(request: HttpRequest) -> HttpResponse:
    """Keep the colours that were chosen for a year: light, dark, or (empty) as the system has."""
    answer = pages.back(request, "home")
    chosen = request.POST.get("scheme", "")
    if chosen in SCHEMES:
        secure = request.is_secure()
        answer.set_cookie(
            SCHEME_COOKIE, chosen, max_age=_YEAR, samesite="Lax", httponly=True, secure=secure
        )
    else:
        answer.delete_cookie(SCHEME_COOKIE)
    return answer
