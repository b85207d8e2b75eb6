"""Signing in by OpenID: mozilla-django-oidc speaks the protocol, here is what is believed of it."""

from __future__ import annotations

import logging
from typing import Any

import requests
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from catalogue.ground.actor import Actor
from catalogue.ground.identity import config, id_token, linking, provider
from catalogue.ground.identity.config import Oidc
from catalogue.ground.identity.provider import ProviderUnreachable
from catalogue.ground.models import User
from catalogue.ground.refusal import Refused

log = logging.getLogger(__name__)

# Their settings, and where each comes from.
_ENDPOINTS = {
    "OIDC_OP_AUTHORIZATION_ENDPOINT": "authorization",
    "OIDC_OP_TOKEN_ENDPOINT": "token",
    "OIDC_OP_USER_ENDPOINT": "userinfo",
    "OIDC_OP_JWKS_ENDPOINT": "keys",
}
_CONFIGURED = {
    "OIDC_RP_CLIENT_ID": "client_id",
    "OIDC_RP_CLIENT_SECRET": "client_secret",
    "OIDC_RP_SCOPES": "scopes",
    "OIDC_TIMEOUT": "seconds",
}


def known() -> Oidc:
    """The provider; without one the backend is not among those that are asked."""
    found = config.oidc()
    if found is None:
        raise Refused("No OpenID provider is connected to the catalogue.", kind="state")
    return found


def setting(name: str, *default: Any) -> Any:
    """A setting of mozilla-django-oidc: from the provider's description, where it is told there."""
    if name in _ENDPOINTS:
        return getattr(provider.endpoints(known()), _ENDPOINTS[name])
    if name in _CONFIGURED:
        return getattr(known(), _CONFIGURED[name])
    return OIDCAuthenticationBackend.get_settings(name, *default)


class OpenIDBackend(OIDCAuthenticationBackend):  # type: ignore[misc]
    """Code, secret and verifier for a token; the token's claims for an account."""

    def __init__(self) -> None:
        """Nothing is looked up before it is needed: Django makes one of these a request."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("OIDC_"):
            return setting(name)
        raise AttributeError(name)

    @staticmethod
    def get_settings(attr: str, *args: Any) -> Any:
        return setting(attr, *args)

    def authenticate(self, request: HttpRequest | None, **named: Any) -> User | None:
        """Whom the provider has vouched for, or None where no sign-in of this kind was asked for.
        Raises `Refused`: in words for the person where the provider is out of reach or the account
        is closed, and without the details where something was not as it should be."""
        if request is None or not named.get("nonce") or not named.get("code_verifier"):
            return None
        try:
            user: User | None = super().authenticate(request, **named)
        except requests.HTTPError as problem:
            status = getattr(problem.response, "status_code", 0)
            if status >= 500:
                raise ProviderUnreachable(known(), problem) from problem
            log.warning("OpenID: the provider refused the code (%s)", status)
            raise _distrusted() from problem
        except requests.JSONDecodeError as problem:
            raise ProviderUnreachable(known(), problem) from problem
        except requests.RequestException as problem:
            raise ProviderUnreachable(known(), problem) from problem
        except (id_token.Distrusted, SuspiciousOperation, ValueError, KeyError, TypeError,
                AttributeError) as problem:  # fmt: skip
            log.warning("OpenID: not believed: %s", problem)
            raise _distrusted() from problem
        return user

    def verify_token(self, token: Any, **named: Any) -> dict[str, Any]:
        """In place of theirs, which leaves issuer, audience and time to the caller."""
        return id_token.claims(known(), token, nonce=named.get("nonce"))

    def store_tokens(self, access_token: str, id_token: str) -> None:
        """For signing out at the provider; the session is not changed before all is well."""
        self.request.openid_id_token = id_token

    def get_or_create_user(self, access_token: str, token: str, payload: dict[str, Any]) -> User:
        """Whose account it is; or the account that is signed in, if it is to be linked."""
        provided = known()
        if not id_token.belongs(payload, token, access_token):
            raise id_token.Distrusted("the access token is not the ID token's own")
        info = self.get_userinfo(access_token, token, payload)
        if info.get("sub") != payload["sub"]:
            raise id_token.Distrusted("what is told of the person is of another one")
        claims = {**info, **{n: v for n, v in payload.items() if n not in info}}
        pending = getattr(self.request, "openid_link", None)
        if pending is None:
            return linking.welcome(provided, claims)
        return self._linked(provided, claims, payload, pending)

    def _linked(
        self, provided: Oidc, claims: dict[str, Any], payload: dict[str, Any], pending: Any
    ) -> User:
        user = self.request.user
        if not isinstance(user, User) or user.pk != pending["user"]:
            raise Refused("Somebody else is signed in by now; begin again.", kind="state")
        if not id_token.signed_in_since(provided, payload, pending["began"]):
            raise Refused(
                f"{provided.name} did not ask anew who you are, so nothing was linked.",
                kind="permission",
            )
        linking.link(provided, claims, user, by=Actor.of(user, face="page"))
        return user

    def get_user(self, user_id: int) -> User | None:
        """Whose session it is, while the account is open."""
        return User.objects.filter(pk=user_id, is_active=True).first()


def _distrusted() -> Refused:
    return Refused(
        f"The answer of {known().name} was not in order, so nobody was signed in. Begin again; "
        "if it stays so, tell staff.",
        kind="permission",
    )
