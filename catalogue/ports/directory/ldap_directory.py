"""A directory that speaks LDAP: groups are posixGroup entries with their members as `memberUid`.

A group's number is one more than the highest in use. Who finds after writing that another group got
the same number in the same moment takes the next; no number is used before that look, and none is
given twice, since groups are emptied and never deleted.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ldap
import ldap.dn
import ldap.filter
from ldap import modlist

from catalogue.ports.directory.contract import Configured, Group, checked
from catalogue.ports.outcome import Permanent, Transient

_LATER = (
    ldap.SERVER_DOWN, ldap.CONNECT_ERROR, ldap.TIMEOUT, ldap.TIMELIMIT_EXCEEDED, ldap.BUSY,
    ldap.UNAVAILABLE, ldap.ADMINLIMIT_EXCEEDED,
    # Somebody else changed the same values at the same time: the next attempt looks anew.
    ldap.NO_SUCH_ATTRIBUTE, ldap.TYPE_OR_VALUE_EXISTS,
)  # fmt: skip
_PEOPLE_AT_ONCE = 50
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Server:
    """Where it is and as whom it is spoken to; `timeout` seconds for each call."""

    uri: str
    bind_dn: str
    password: str
    start_tls: bool
    ca_file: str
    timeout: float

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """A bound connection, closed afterwards. What goes wrong on it is told as the port does."""
        try:
            connection = ldap.initialize(self.uri, bytes_mode=False)
            self._set_up(connection)
            connection.simple_bind_s(self.bind_dn, self.password)
            try:
                yield connection
            finally:
                connection.unbind_s()
        except _LATER as problem:
            raise Transient(f"The directory did not do it: {_words(problem)}") from problem
        except ldap.LDAPError as problem:
            raise Permanent(f"The directory refused: {_words(problem)}") from problem

    def _set_up(self, connection: Any) -> None:
        connection.protocol_version = ldap.VERSION3
        connection.set_option(ldap.OPT_REFERRALS, 0)
        connection.set_option(ldap.OPT_NETWORK_TIMEOUT, self.timeout)
        connection.set_option(ldap.OPT_TIMEOUT, self.timeout)
        if self.start_tls or self.uri.startswith("ldaps:"):
            if self.ca_file:
                connection.set_option(ldap.OPT_X_TLS_CACERTFILE, self.ca_file)
            connection.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
            connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
        if self.start_tls:
            connection.start_tls_s()


def _words(problem: Exception) -> str:
    """What a server said, without what could be a secret."""
    told = problem.args[0] if problem.args and isinstance(problem.args[0], dict) else {}
    parts = [str(told[key]) for key in ("desc", "info") if told.get(key)]
    return ", ".join(parts) or type(problem).__name__


class LdapDirectory:
    """See `contract.Directory`. `groups` and `people` are base DNs; without `people` accounts are
    not looked for, and every login is written."""

    is_there = True

    def __init__(self, server: Server, *, groups: str, people: str, numbers: range) -> None:
        if not (server.uri and groups):
            raise Permanent("DIRECTORY is ldap; it needs DIRECTORY_LDAP_URI and …_GROUPS")
        self._server = server
        self._groups = groups
        self._people = people
        self._numbers = numbers

    def look(self, group: str) -> Group | None:
        checked(group, ())
        with self._server.connection() as connection:
            return self._look(connection, group)

    def configure(self, group: str, members: Sequence[str]) -> Configured:
        group, good, odd = checked(group, members)
        with self._server.connection() as connection:
            known = self._known(connection, good)
            unknown = [login for login in good if login not in known]
            wanted = [login for login in good if login in known]
            there = self._look(connection, group)
            if there is None:
                self._add(connection, group, wanted)
            else:
                self._bring_to(connection, there, wanted)
            now = self._settled(connection, group)
        if list(now.members) != wanted:
            found = ", ".join(now.members) or "nobody"
            raise Permanent(f"{group} was written, and the directory says it holds {found}.")
        absent = tuple(f"{login} has no account in the directory." for login in unknown)
        return Configured(group, now.members, (*odd, *absent), now.number)

    def _dn(self, group: str) -> str:
        return f"cn={ldap.dn.escape_dn_chars(group)},{self._groups}"

    def _search(
        self, connection: Any, base: str, filter: str, attributes: list[str]
    ) -> list[tuple[str, dict[str, list[bytes]]]]:
        found = connection.search_ext_s(
            base, ldap.SCOPE_SUBTREE, filter, attributes, timeout=self._server.timeout
        )
        return [(dn, values) for dn, values in found if dn is not None]

    def _look(self, connection: Any, group: str) -> Group | None:
        name = ldap.filter.escape_filter_chars(group)
        found = self._search(
            connection, self._groups, f"(cn={name})", ["objectClass", "gidNumber", "memberUid"]
        )
        if not found:
            return None
        if len(found) > 1:
            raise Permanent(
                f"{group} is there {len(found)} times: " + "; ".join(d for d, _ in found)
            )
        _, values = found[0]
        if b"posixgroup" not in {c.lower() for c in values.get("objectClass", [])}:
            raise Permanent(f"{group} is in the directory, and is no posixGroup")
        members = sorted(m.decode() for m in values.get("memberUid", []))
        return Group(group, int(values["gidNumber"][0]), tuple(members))

    def _known(self, connection: Any, logins: Sequence[str]) -> set[str]:
        """Those who have an account."""
        if not self._people:
            return set(logins)
        known: set[str] = set()
        for start in range(0, len(logins), _PEOPLE_AT_ONCE):
            escaped = (
                ldap.filter.escape_filter_chars(x) for x in logins[start : start + _PEOPLE_AT_ONCE]
            )
            wanted = "".join(f"(uid={login})" for login in escaped)
            accounts = f"(&(objectClass=posixAccount)(|{wanted}))"
            for _, values in self._search(connection, self._people, accounts, ["uid"]):
                known |= {value.decode() for value in values.get("uid", [])}
        return known

    def _add(self, connection: Any, group: str, members: Sequence[str]) -> None:
        values: dict[str, list[bytes]] = {
            "objectClass": [b"top", b"posixGroup"],
            "cn": [group.encode()],
            "gidNumber": [str(self._next_number(connection)).encode()],
        }
        if members:
            values["memberUid"] = [m.encode() for m in members]
        try:
            connection.add_s(self._dn(group), modlist.addModlist(values))
        except ldap.ALREADY_EXISTS as problem:
            raise Transient(f"{group} was made by somebody else just now") from problem

    def _bring_to(self, connection: Any, there: Group, wanted: Sequence[str]) -> None:
        gone = [m.encode() for m in there.members if m not in wanted]
        new = [m.encode() for m in wanted if m not in there.members]
        changes: list[tuple[int, str, list[bytes]]] = []
        if gone:
            changes.append((ldap.MOD_DELETE, "memberUid", gone))
        if new:
            changes.append((ldap.MOD_ADD, "memberUid", new))
        if changes:
            connection.modify_s(self._dn(there.name), changes)

    def _settled(self, connection: Any, group: str) -> Group:
        """The group as it is now, with a number that no other has."""
        for _ in range(_TRIES):
            there = self._look(connection, group)
            if there is None:
                raise Transient(f"{group} was written and is gone")
            same = self._search(
                connection, self._groups, f"(&(objectClass=posixGroup)(gidNumber={there.number}))",
                ["cn"],
            )  # fmt: skip
            if len(same) <= 1:
                return there
            number = self._next_number(connection, ahead=random.randint(0, 5))  # noqa: S311
            changes = [
                (ldap.MOD_DELETE, "gidNumber", [str(there.number).encode()]),
                (ldap.MOD_ADD, "gidNumber", [str(number).encode()]),
            ]
            connection.modify_s(self._dn(group), changes)
        raise Transient(f"others took every number that was meant for {group}")

    def _next_number(self, connection: Any, ahead: int = 0) -> int:
        used = [
            int(value)
            for _, values in self._search(
                connection, self._groups, "(objectClass=posixGroup)", ["gidNumber"]
            )
            for value in values.get("gidNumber", [])
        ]
        ours = [number for number in used if number in self._numbers]
        number = max(ours, default=self._numbers.start - 1) + 1 + ahead
        if number not in self._numbers:
            raise Permanent(
                f"the numbers for groups, {self._numbers.start} to {self._numbers[-1]}, are used up"
            )
        return number
