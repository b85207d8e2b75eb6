"""What `manage.py check` says of the settings by which people sign in, and get their groups."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from catalogue.ground.identity import config


def identity_is_configured(
    app_configs: Sequence[AppConfig] | None = None, **named: Any
) -> list[CheckMessage]:
    """Each complaint names its setting; no password or secret is among them."""
    said: list[CheckMessage] = []
    for known in (config.ldap(), config.oidc()):
        if known is None:
            continue
        try:
            said += [Error(text, id="identity.E001") for text in known.complaints()]
        except ImproperlyConfigured as problem:
            said.append(Error(str(problem), id="identity.E001"))
    directory = config.ldap()
    if directory is not None and find_spec("ldap") is None:
        text = "LDAP_URL is set, but python-ldap is not there: install lightkeeper[ldap]."
        said.append(Error(text, id="identity.E002"))
    if directory is not None and directory.in_the_clear and settings.PRODUCTION:
        text = "LDAP_URL is ldap:// without LDAP_START_TLS: passwords would travel in the clear."
        said.append(Error(text, id="identity.E003"))
    writes = settings.DIRECTORY_LDAP_URI if settings.DIRECTORY == "ldap" else ""
    if settings.PRODUCTION and config.in_the_clear(
        writes, start_tls=settings.DIRECTORY_LDAP_START_TLS
    ):
        text = (
            "DIRECTORY_LDAP_URI is ldap:// without DIRECTORY_LDAP_START_TLS: the password by which "
            "groups are written, which give access to data, would travel in the clear."
        )
        said.append(Error(text, id="identity.E005"))
    if not (settings.LOCAL_SIGN_IN or directory or config.oidc()):
        said.append(Error("LOCAL_SIGN_IN is off and nothing else is on.", id="identity.E004"))
    return said
