"""Reading people and groups from LDAP, as the catalogue's own account there.

Everything that is put into a filter or a DN is escaped; what comes back is looked at before it is
believed: an entry must have the login that was asked for. Any failure is `Unreachable`, whatever
was read before: half an answer must never look like people who have left.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import ldap
import ldap.dn
from ldap.controls import SimplePagedResultsControl
from ldap.filter import escape_filter_chars

from catalogue.ground.identity import person as people
from catalogue.ground.identity.config import Ldap
from catalogue.ground.identity.entry import LONGEST_LOGIN, Person, Unreachable
from catalogue.ground.identity.roles import Rule

log = logging.getLogger(__name__)

AT_ONCE = 50
PAGE = 200
Entry = tuple[str, Mapping[str, list[bytes]]]


def options(config: Ldap) -> dict[int, Any]:
    """What each connection is told: how long it may wait, whom it trusts, to follow nobody."""
    told: dict[int, Any] = {
        ldap.OPT_PROTOCOL_VERSION: ldap.VERSION3,
        ldap.OPT_NETWORK_TIMEOUT: config.seconds,
        ldap.OPT_TIMEOUT: config.seconds,
        ldap.OPT_REFERRALS: 0,
    }
    if config.start_tls or config.url.startswith("ldaps:"):
        told[ldap.OPT_X_TLS_REQUIRE_CERT] = ldap.OPT_X_TLS_DEMAND
        if config.ca_file:
            told[ldap.OPT_X_TLS_CACERTFILE] = config.ca_file
        told[ldap.OPT_X_TLS_NEWCTX] = 0
    return told


def starts_tls(config: Ldap) -> bool:
    """Whether the connection is turned to TLS before anything is said over it."""
    return config.start_tls and config.url.startswith("ldap:")


@contextmanager
def reading(config: Ldap) -> Iterator[Reader]:
    """A reader with a connection of its own, bound as the catalogue's account."""
    try:
        connection = ldap.initialize(config.url)
        for option, value in options(config).items():
            connection.set_option(option, value)
        if starts_tls(config):
            connection.start_tls_s()
        connection.simple_bind_s(config.bind_dn, config.bind_password)
    except ldap.LDAPError as problem:
        log.warning("LDAP: %s", problem)
        raise Unreachable(_said(problem)) from problem
    try:
        yield Reader(connection, config)
    except ldap.LDAPError as problem:
        log.warning("LDAP: %s", problem)
        raise Unreachable(_said(problem)) from problem
    finally:
        connection.unbind_s()


def _said(problem: ldap.LDAPError) -> str:
    told = problem.args[0] if problem.args and isinstance(problem.args[0], Mapping) else {}
    return str(told.get("desc") or type(problem).__name__)


class Reader:
    """Reads over a connection that is bound already; raises `ldap.LDAPError`."""

    def __init__(self, connection: Any, config: Ldap) -> None:
        self._connection = connection
        self._config = config

    # ------------------------------------------------------------ people

    def by_login(self, login: str) -> list[Person]:
        """Those with this login; one, where the directory is sound."""
        if not login or len(login) > LONGEST_LOGIN:
            return []
        return self._people([f"({self._config.login}={escape_filter_chars(login)})"])

    def by_email(self, email: str) -> list[Person]:
        """Those with this e-mail address."""
        attribute = self._config.read.get("email", "mail")
        return self._people([f"({attribute}={escape_filter_chars(email)})"])

    def all_of(self, keys: Iterable[str], logins: Iterable[str]) -> list[Person]:
        """Those with one of these unique ids, or one of these logins; who is missing is gone."""
        key = self._config.key or self._config.login
        asked = [f"({key}={_escaped_key(key, value)})" for value in keys]
        asked += [f"({self._config.login}={escape_filter_chars(name)})" for name in logins]
        members = self.members()
        found: list[Person] = []
        for begin in range(0, len(asked), AT_ONCE):
            found += self._people(asked[begin : begin + AT_ONCE], members)
        return found

    def entries_of(self, login: str) -> list[Entry]:
        """The entries with this login, as they are."""
        return self._entries([f"({self._config.login}={escape_filter_chars(login)})"])

    def _people(
        self, terms: Sequence[str], members: Mapping[str, list[Rule]] | None = None
    ) -> list[Person]:
        entries = self._entries(terms)
        found = (self.person(dn, attributes, members) for dn, attributes in entries)
        return [p for p in found if p is not None]

    def _entries(self, terms: Sequence[str]) -> list[Entry]:
        wanted = f"(&{self._config.user_filter}(|{''.join(terms)}))"
        base = self._config.user_base or self._config.user_dn.partition(",")[2]
        return self._search(base, ldap.SCOPE_SUBTREE, wanted, self.attributes())

    def attributes(self) -> list[str]:
        """What is read of an entry: nothing that is not taken over."""
        known = self._config
        return sorted({known.login, known.key, *known.read.values()} - {""})

    def person(
        self,
        dn: str,
        attributes: Mapping[str, Sequence[bytes | str]],
        members: Mapping[str, list[Rule]] | None = None,
    ) -> Person | None:
        """The person an entry is of; None where it has no login or no id to be known by."""
        known = self._config
        values = {name.lower(): list(found) for name, found in attributes.items()}
        login = _text(_first(values, known.login))
        key = _key(_first(values, known.key)) if known.key else login.casefold()
        if not login or not key or len(login) > LONGEST_LOGIN:
            log.warning("LDAP: %r has no %s or no %s", dn, known.login, known.key or known.login)
            return None
        fields = {name: _text(_first(values, source)) for name, source in known.read.items()}
        if members is None:
            given = self.given(dn, login)
        else:
            given = members.get(folded(dn), []) + members.get(login.casefold(), [])
        return Person(login, key, dn, people.cleaned(fields), tuple(given))

    def active(self, dn: str) -> bool:
        """Whether the entry is one of those that `LDAP_USER_FILTER` lets in."""
        found = self._search(dn, ldap.SCOPE_BASE, self._config.user_filter, ["1.1"])
        return len(found) == 1

    # ------------------------------------------------------------ groups

    def given(self, dn: str, login: str) -> list[Rule]:
        """The rules of the groups in which somebody is."""
        known = self._config
        if not known.rules:
            return []
        member = "".join(f"({known.member}={escape_filter_chars(v)})" for v in (dn, login))
        wanted = f"(&{known.group_filter}(|{member}))"
        groups = self._search(known.group_base, ldap.SCOPE_SUBTREE, wanted, ["cn"])
        names = {name for group, found in groups for name in _names(group, found)}
        return [rule for rule in known.rules if folded(rule.group) in names]

    def members(self) -> dict[str, list[Rule]]:
        """Everybody in a group that gives something, by DN or login, with what it gives. A group
        that is there no longer, under its name of then, gives nothing."""
        known = self._config
        told: dict[str, list[Rule]] = {}
        if not known.rules:
            return told
        groups = self._search(
            known.group_base, ldap.SCOPE_SUBTREE, known.group_filter, ["cn", known.member]
        )
        for group, found in groups:
            rules = [rule for rule in known.rules if folded(rule.group) in _names(group, found)]
            values = {name.lower(): list(v) for name, v in found.items()}
            for value in values.get(known.member.lower(), []) if rules else []:
                told.setdefault(folded(_text(value)), []).extend(rules)
        return told

    # ------------------------------------------------------------ all of it

    def _search(self, base: str, scope: int, wanted: str, attributes: list[str]) -> list[Entry]:
        """All that is found, page by page; a base that is not there holds nothing."""
        page = SimplePagedResultsControl(criticality=True, size=PAGE, cookie="")
        found: list[Entry] = []
        while True:
            asked = self._connection.search_ext(base, scope, wanted, attributes, serverctrls=[page])
            _, entries, _, controls = self._connection.result3(asked)
            found += [(dn, attrs) for dn, attrs in entries if dn is not None]  # no referrals
            cookies = [c.cookie for c in controls if c.controlType == page.controlType]
            if not cookies or not cookies[0]:
                return found
            page.cookie = cookies[0]


def folded(name: str) -> str:
    """A DN in the one form in which equal ones are equal; what is no DN without its case."""
    try:
        parts = ldap.dn.str2dn(name)
    except ldap.DECODING_ERROR:
        return name.casefold()
    if not parts or "=" not in name:
        return name.casefold()
    canonical = [
        sorted((a.casefold(), v.casefold().strip(), f) for a, v, f in rdn) for rdn in parts
    ]
    return str(ldap.dn.dn2str(canonical))


def _names(dn: str, attributes: Mapping[str, list[bytes]]) -> set[str]:
    """By what a rule may name a group: its DN, or its cn."""
    values = {name.lower(): found for name, found in attributes.items()}
    return {folded(dn), *(_text(cn).casefold() for cn in values.get("cn", []))}


def _first(values: Mapping[str, list[Any]], name: str) -> Any:
    return next(iter(values.get(name.lower(), [])), b"")


def _text(value: bytes | str) -> str:
    """As text, or nothing where it is none."""
    try:
        text = value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return ""
    return text.replace("\0", "").strip()


def _key(value: bytes | str) -> str:
    """A unique id; one that is no text (objectGUID) in hexadecimal digits."""
    if isinstance(value, str):
        return value.strip()
    try:
        text = value.decode("ascii")
    except UnicodeDecodeError:
        return value.hex()
    return text.strip() if text.isprintable() else value.hex()


def _escaped_key(attribute: str, key: str) -> str:
    if attribute.casefold() == "objectguid" and len(key) == 32:
        return "".join(f"\\{key[i : i + 2]}" for i in range(0, 32, 2))
    return str(escape_filter_chars(key))
