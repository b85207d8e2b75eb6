"""Signing in by LDAP: django-auth-ldap asks the directory, `directory.welcome` says who that is."""

from __future__ import annotations

import logging
from typing import Any

import ldap
from django.http import HttpRequest
from django_auth_ldap.backend import LDAPBackend
from django_auth_ldap.config import LDAPSettings

from catalogue.ground.identity import config, directory, ldap_reading, local
from catalogue.ground.identity.entry import LONGEST_LOGIN, Unreachable
from catalogue.ground.models import User

log = logging.getLogger(__name__)

# What a bind as the person may be answered that means "not with this password", or "not you".
_REFUSING = (
    ldap.INVALID_CREDENTIALS,
    ldap.INAPPROPRIATE_AUTH,
    ldap.INSUFFICIENT_ACCESS,
    ldap.CONSTRAINT_VIOLATION,
    ldap.NO_SUCH_OBJECT,
    ldap.INVALID_DN_SYNTAX,
    ldap.UNWILLING_TO_PERFORM,
)
LONGEST_PASSWORD = 1024


class DirectoryBackend(LDAPBackend):  # type: ignore[misc]
    """A bind that LDAP refuses is a sign-in refused; a directory that does not answer is told to
    the person (`Unreachable`), and never a sign-in."""

    @property
    def settings(self) -> LDAPSettings:
        """What django-auth-ldap would read from settings of its own."""
        known = config.ldap()
        assert known is not None  # without LDAP the backend is not among those that are asked
        told = LDAPSettings(self.settings_prefix, self.default_settings)
        told.SERVER_URI = known.url
        told.START_TLS = ldap_reading.starts_tls(known)
        told.CONNECTION_OPTIONS = ldap_reading.options(known)
        told.BIND_DN, told.BIND_PASSWORD = known.bind_dn, known.bind_password
        told.PERMIT_EMPTY_PASSWORD = False
        told.ALWAYS_UPDATE_USER = False
        told.USER_ATTRLIST = ldap_reading.Reader(None, known).attributes()
        if known.user_dn:
            told.USER_DN_TEMPLATE = known.user_dn
            told.BIND_AS_AUTHENTICATING_USER = True
        return told

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **named: Any,
    ) -> User | None:
        """Nothing of a local account is shown to LDAP, nor what no password can be: an empty one
        would be an anonymous bind, which LDAP answers with success."""
        if not username or not password or len(password) > LONGEST_PASSWORD:
            return None
        login = username.strip()
        if not login or not login.isprintable() or len(login) > LONGEST_LOGIN:
            return None
        if local.is_local(login):
            return None
        user: User | None = super().authenticate(request, username=login, password=password)
        return user

    def authenticate_ldap_user(self, ldap_user: Any, password: str) -> User | None:
        try:
            if not self._found(ldap_user):
                return None  # nobody, or more than one
            try:
                ldap_user._authenticate_user_dn(password)
            except (ldap_user.AuthenticationFailed, *_REFUSING):
                return None
            return self._known(ldap_user)
        except ldap.LDAPError as problem:
            log.warning("LDAP, while signing in: %s", problem)
            raise Unreachable(problem) from problem

    def _found(self, ldap_user: Any) -> bool:
        """Find the entry to bind as. Not by the library's own search, which takes a directory that
        does not answer for one that has nobody."""
        known = config.ldap()
        assert known is not None
        if known.user_dn:
            return ldap_user.dn is not None
        reader = ldap_reading.Reader(ldap_user.connection, known)
        entries = reader.entries_of(ldap_user._username)
        if len(entries) == 1:
            ldap_user._user_dn, ldap_user._user_attrs = entries[0]
        return len(entries) == 1

    def _known(self, ldap_user: Any) -> User | None:
        """The account of the entry that was bound as, if it is the one that was asked for."""
        known = config.ldap()
        assert known is not None
        reader = ldap_reading.Reader(ldap_user.connection, known)
        if known.user_dn and not reader.active(ldap_user.dn):
            return None
        person = reader.person(ldap_user.dn, ldap_user.attrs or {})
        if person is None or person.login.casefold() != ldap_user._username.casefold():
            log.warning("LDAP: %r is not who signs in as %r", ldap_user.dn, ldap_user._username)
            return None
        return directory.welcome(person)

    def get_user(self, user_id: int) -> User | None:
        """Whose session it is, while the account is open. Asks the database alone."""
        return User.objects.filter(pk=user_id, is_active=True).first()
