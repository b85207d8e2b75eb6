"""A real slapd of one test session's own, in a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

BASE = "dc=facility,dc=example"
PEOPLE, GROUPS = f"ou=people,{BASE}", f"ou=groups,{BASE}"
TREE = f"""
dn: {BASE}
objectClass: top
objectClass: organization
objectClass: dcObject
o: facility
dc: facility

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups
"""


def why_no_slapd() -> str | None:
    """Why there is no directory to test with, or None."""
    if find_spec("ldap") is None:
        return "python-ldap is not installed (extra `ldap`)"
    return None if shutil.which("slapd", path="/usr/sbin:/usr/bin:/usr/local/sbin") else (
        "slapd is not installed"
    )  # fmt: skip


@contextmanager
def started(folder: Path) -> Iterator[Any]:
    """A started server with its tree, in `folder`; stopped afterwards."""
    from slapdtest import SlapdObject  # why: comes with python-ldap, looked for above

    class Slapd(SlapdObject):  # type: ignore[misc]
        TMPDIR = str(folder)
        BIN_PATH = SBIN_PATH = "/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin"
        suffix = BASE
        openldap_schema_files = ("core.ldif", "cosine.ldif", "nis.ldif")

    server = Slapd()
    server.start()
    try:
        server.ldapadd(TREE)
        yield server
    finally:
        server.stop()


def account(server: Any, login: str, number: int) -> None:
    """Somebody with an account."""
    server.ldapadd(
        f"dn: uid={login},{PEOPLE}\nobjectClass: account\nobjectClass: posixAccount\n"
        f"uid: {login}\ncn: {login}\nuidNumber: {number}\ngidNumber: 100\nhomeDirectory: /none\n"
    )
