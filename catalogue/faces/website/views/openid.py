"""Signing in with the OpenID provider, linking one's identity there, and signing out there too.

What a browser brings back counts only with a state that was given to that browser, once, and not
long ago; what went wrong is told on the sign-in page, and nobody is signed in or out by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from django.contrib import auth, messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from catalogue.ground import clock, inputs, pages
from catalogue.ground.identity import config, linking, openid_backend, provider
from catalogue.ground.models import User
from catalogue.ground.refusal import Refused

BEGUN_AT_MOST = timedelta(minutes=15)
ID_TOKEN = "openid_id_token"  # noqa: S105 - a name in the session
LONGEST_KEPT = 16_000
_LOST = (
    "This sign-in was begun too long ago, in another browser, or came back twice. Nobody was "
    "signed in: begin again."
)


class _Begin(OIDCAuthenticationRequestView):  # type: ignore[misc]
    """Off to the provider, with a state, a nonce and a verifier of this sign-in alone."""

    extra: Mapping[str, str] = {}

    @staticmethod
    def get_settings(attr: str, *args: Any) -> Any:
        return openid_backend.setting(attr, *args)

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        return dict(self.extra)


@require_safe
@never_cache
@pages.guarded
def begin(request: HttpRequest) -> HttpResponse:
    """Sign in with the provider, and then to `next`."""
    try:
        answer: HttpResponse = _Begin().get(request)
    except Refused as refusal:
        return _told(request, refusal)
    target = request.GET.get("next", "")
    if not _ours(request, target):
        request.session["oidc_login_next"] = None
    return answer


@require_POST
@login_required
@never_cache
@pages.guarded
def link(request: HttpRequest) -> HttpResponse:
    """Off to the provider to show anew who one is there, in order to link it."""
    try:
        begun = _Begin()
        begun.extra = {"prompt": "login", "max_age": "0"}
        answer: HttpResponse = begun.get(request)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("identities")
    state = parse_qs(urlsplit(answer["Location"]).query)["state"][0]
    assert isinstance(request.user, User)
    states = request.session["oidc_states"]
    states[state]["link"] = {"user": request.user.pk, "began": clock.now().timestamp()}
    request.session["oidc_login_next"] = None
    request.session.modified = True
    return answer


@method_decorator(never_cache, name="dispatch")
class Return(OIDCAuthenticationCallbackView):  # type: ignore[misc]
    """Back from the provider."""

    def get(self, request: HttpRequest) -> HttpResponse:
        states = request.session.get("oidc_states") or {}
        given = request.GET.get("state", "")
        pending = states.get(given)
        if pending is None:
            return _told(request, Refused(_LOST, kind="state"))
        old = clock.now().timestamp() - pending["added_on"] > BEGUN_AT_MOST.total_seconds()
        self.pending = pending.get("link")
        request.openid_link = self.pending  # type: ignore[attr-defined]
        try:
            refused = self._refused(request, old)
            if refused is not None:
                del states[given]
                request.session.modified = True
                raise refused
            answer: HttpResponse = super().get(request)
        except Refused as refusal:
            return _told(request, refusal, where="identities" if self.pending else "sign-in")
        return answer

    def _refused(self, request: HttpRequest, old: bool) -> Refused | None:
        """Why this is no sign-in, whatever the code is worth."""
        known = openid_backend.known()
        if old:
            return Refused(_LOST, kind="state")
        said = request.GET.get("iss")
        if said != known.issuer and (said or provider.endpoints(known).names_itself):
            return Refused(_LOST, kind="state")
        if request.GET.get("error") or not request.GET.get("code"):
            return Refused(
                f"{known.name} did not sign you in; you may have stopped it there.", kind="state"
            )
        return None

    def login_failure(self) -> HttpResponse:
        return _told(self.request, Refused(_LOST, kind="state"))

    def login_success(self) -> HttpResponse:
        if self.pending is not None:
            messages.success(self.request, "Your identity is linked: you can sign in with it now.")
            return redirect("identities")
        target = self.request.session.pop("oidc_login_next", None)
        auth.login(self.request, self.user, backend=_BACKEND)
        token = getattr(self.request, "openid_id_token", "")
        if len(token) <= LONGEST_KEPT:
            self.request.session[ID_TOKEN] = token
        hours = openid_backend.known().session_hours
        self.request.session.set_expiry(timedelta(hours=hours))
        if not isinstance(target, str) or not _ours(self.request, target):
            target = settings.LOGIN_REDIRECT_URL
        return HttpResponseRedirect(target)


_BACKEND = "catalogue.ground.identity.openid_backend.OpenIDBackend"


def _ours(request: HttpRequest, target: str) -> bool:
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure())
    return safe and target.startswith("/")


def _told(request: HttpRequest, refusal: Refused, where: str = "sign-in") -> HttpResponse:
    """The refusal, on the page where one begins again."""
    messages.error(request, str(refusal))
    return redirect("home" if where == "sign-in" and request.user.is_authenticated else where)


def provider_logout(request: HttpRequest, back: str) -> str:
    """Where to sign out at the provider as well, if the session came from there and it has such a
    place; else nothing. A provider that does not answer keeps nobody from signing out here."""
    token = request.session.get(ID_TOKEN)
    known = config.oidc()
    if not token or known is None:
        return ""
    try:
        place = provider.endpoints(known).logout
    except Refused:
        return ""
    asked = {
        "id_token_hint": token,
        "client_id": known.client_id,
        "post_logout_redirect_uri": back,
    }
    return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}" if place else ""


# ---------------------------------------------------------------- how I sign in


@require_safe
@login_required
@pages.guarded
def identities(request: HttpRequest) -> HttpResponse:
    """With what one signs in, and what can be linked."""
    assert isinstance(request.user, User)
    context = {
        "page": pages.page_of(request, linking.of(request.user)),
        "provider": config.oidc(),
        "ldap": request.user.provider == "ldap",
        "local": request.user.has_usable_password() and settings.LOCAL_SIGN_IN,
    }
    return render(request, "catalogue/identities.html", context)


@require_POST
@login_required
@pages.guarded
def detach(request: HttpRequest) -> HttpResponse:
    """Take one of one's identities away; it ends all sessions, so this one is begun anew."""
    assert isinstance(request.user, User)
    number = inputs.free_text(request.POST.get("identity", ""), 20, "identity")
    if not (number.isascii() and number.isdigit()):
        raise inputs.Invalid("identity", "must be a number", number)
    gone = linking.detach(request.user, int(number), by=pages.actor(request))
    if request.session.get(ID_TOKEN):
        auth.logout(request)
        messages.success(request, f"{gone.name or gone.subject} is unlinked. Sign in again.")
        return redirect("sign-in")
    request.user.refresh_from_db()
    auth.update_session_auth_hash(request, request.user)
    messages.success(request, f"{gone.name or gone.subject} is unlinked.")
    return pages.back(request, "identities")
