"""What the settings say of LDAP and of the OpenID provider, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from catalogue.ground.identity.roles import Rule
from catalogue.ground.identity.roles import rules as rules_of

PERSON_FIELDS = ("first_name", "last_name", "email", "orcid", "affiliation", "affiliation_ror",
                 "nickname", "contact_email")  # fmt: skip
"""What of a person may be taken over from outside."""

LDAP_ATTRIBUTES = {"first_name": "givenName", "last_name": "sn", "email": "mail"}
CLAIMS = {
    "first_name": "given_name",
    "last_name": "family_name",
    "email": "email",
    "orcid": "orcid",
    "entitlements": "entitlements eduperson_entitlement",
}
MOST_SKEW = 300.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True)
class Ldap:
    """How LDAP is reached and read. With `user_dn` people bind directly, as the entry of that
    pattern (`uid=%(user)s,ou=people,…`); else they are searched for below `user_base`."""

    url: str
    start_tls: bool
    ca_file: str
    seconds: float
    bind_dn: str
    bind_password: str
    user_dn: str
    user_base: str
    user_filter: str
    login: str
    key: str
    group_base: str
    group_filter: str
    member: str
    sync_minutes: float
    attributes: dict[str, str] = field(default_factory=dict)
    roles: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def rules(self) -> list[Rule]:
        return rules_of(self.roles, "LDAP_ROLES")

    @cached_property
    def read(self) -> dict[str, str]:
        """Field of a person to attribute."""
        return _mapping(LDAP_ATTRIBUTES, self.attributes, PERSON_FIELDS, "LDAP_ATTRIBUTES")

    def complaints(self) -> list[str]:
        """What is wrong with the settings, in whole sentences."""
        parts = urlsplit(self.url)
        said = []
        if parts.scheme not in {"ldap", "ldaps", "ldapi"}:
            said.append("LDAP_URL must begin with ldap://, ldaps:// or ldapi://.")
        if not self.user_base and not self.user_dn:
            said.append("LDAP_USER_BASE or LDAP_USER_DN must say where people are.")
        if self.user_dn and "%(user)s" not in self.user_dn:
            said.append("LDAP_USER_DN must hold %(user)s, where the login goes.")
        if self.rules and not self.group_base:
            said.append("LDAP_ROLES need LDAP_GROUP_BASE, below which the groups are.")
        _ = self.read
        return said

    @property
    def in_the_clear(self) -> bool:
        """Whether passwords travel where others can read them."""
        return in_the_clear(self.url, start_tls=self.start_tls)


def in_the_clear(url: str, *, start_tls: bool) -> bool:
    """Whether what is said to a directory at this address can be read by others on the way."""
    parts = urlsplit(url)
    return parts.scheme == "ldap" and not start_tls and parts.hostname not in _LOOPBACK


@dataclass(frozen=True)
class Oidc:
    """The OpenID provider and what is taken over from it."""

    issuer: str
    name: str
    client_id: str
    client_secret: str
    scopes: str
    seconds: float
    skew: float
    role_days: int
    session_hours: float
    opens_accounts: bool
    claims: dict[str, str] = field(default_factory=dict)
    roles: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def rules(self) -> list[Rule]:
        return rules_of(self.roles, "OIDC_ROLES")

    @cached_property
    def read(self) -> dict[str, str]:
        """Field of a person to claim; "entitlements" to all claims that hold them."""
        fields = (*PERSON_FIELDS, "entitlements")
        return _mapping(CLAIMS, self.claims, fields, "OIDC_CLAIMS")

    def complaints(self) -> list[str]:
        """What is wrong with the settings, in whole sentences."""
        said = []
        if not safe(self.issuer):
            said.append("OIDC_ISSUER must begin with https://.")
        if not self.client_id or not self.client_secret:
            said.append("OIDC_CLIENT_ID and OIDC_CLIENT_SECRET are what the provider gave out.")
        if not 0 <= self.skew <= MOST_SKEW:
            said.append(f"OIDC_SKEW_SECONDS must be at most {MOST_SKEW:.0f}.")
        if "openid" not in self.scopes.split():
            said.append("OIDC_SCOPES must hold openid.")
        _ = self.read, self.rules
        return said


def safe(url: str) -> bool:
    """Whether what is said there cannot be read or changed on the way."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _mapping(
    usual: dict[str, str], given: dict[str, str], fields: tuple[str, ...], setting: str
) -> dict[str, str]:
    """The usual mapping with the given one over it; an empty source takes a field out."""
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise ImproperlyConfigured(f"{setting}: {unknown[0]!r} is none of {', '.join(fields)}.")
    return {name: source for name, source in (usual | given).items() if source}


def ldap() -> Ldap | None:
    """LDAP as configured, or None where there is none."""
    return Ldap(**settings.LDAP) if settings.LDAP["url"] else None


def oidc() -> Oidc | None:
    """The provider as configured, or None where there is none."""
    return Oidc(**settings.OIDC) if settings.OIDC["issuer"] else None
