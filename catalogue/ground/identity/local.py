"""Accounts whose password the catalogue keeps itself."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from catalogue.ground.models import User

LOCAL = "local"


class LocalBackend(ModelBackend):
    """Django's, for local accounts alone: whom LDAP or a provider vouches for has no password here,
    even if somebody has set one, since it would outlive the account out there."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **named: Any,
    ) -> User | None:
        if not settings.LOCAL_SIGN_IN:
            return None
        user = super().authenticate(request, username=username, password=password, **named)
        return user if isinstance(user, User) and user.provider == LOCAL else None


def is_local(login: str) -> bool:
    """Whether a local account has this login: its password is nobody else's to be shown."""
    return User.objects.filter(username__iexact=login, provider=LOCAL).exists()
