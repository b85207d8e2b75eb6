"""Groups in a real directory."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from catalogue.ports.outcome import Permanent, PortError, Transient
from tests.catalogue.ports.directory import servers

pytestmark = [
    pytest.mark.identity,
    pytest.mark.skipif(bool(servers.why_no_slapd()), reason=str(servers.why_no_slapd())),
]
GROUP = "x900054-dmgt"


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with servers.started(tmp_path_factory.mktemp("slapd")) as server:
        for n, login in enumerate(("ada", "hk", "eve", "o'neil")):
            servers.account(server, login, 2000 + n)
        yield server


def kept(slapd: Any, **other: Any) -> Any:
    from catalogue.ports.directory.ldap_directory import (  # why: needs python-ldap
        LdapDirectory,
        Server,
    )

    server = {
        "uri": slapd.ldap_uri, "bind_dn": slapd.root_dn, "password": slapd.root_pw,
        "start_tls": False, "ca_file": "", "timeout": 3.0,
    }  # fmt: skip
    given = {
        "groups": servers.GROUPS, "people": servers.PEOPLE, "numbers": range(600_000, 600_100),
    }  # fmt: skip
    server |= {k: v for k, v in other.items() if k in server}
    given |= {k: v for k, v in other.items() if k in given}
    return LdapDirectory(Server(**server), **given)


@pytest.fixture(autouse=True)
def no_groups(slapd: Any) -> Iterator[None]:
    yield
    with kept(slapd)._server.connection() as connection:
        for dn, _ in connection.search_s(servers.GROUPS, 1, "(objectClass=posixGroup)", ["cn"]):
            connection.delete_s(dn)


def test_a_group_is_made_and_follows_its_members(slapd: Any) -> None:
    ours = kept(slapd)
    assert ours.look(GROUP) is None
    first = ours.configure(GROUP, ["hk", "ada"])
    assert (first.members, first.number, first.not_done) == (("ada", "hk"), 600_000, ())
    again = ours.configure(GROUP, ["ada", "hk"])
    assert again == first
    changed = ours.configure(GROUP, ["ada", "eve"])
    assert (changed.members, changed.number) == (("ada", "eve"), 600_000)
    assert ours.configure(GROUP, []).members == ()
    there = ours.look(GROUP)
    assert (there.number, there.members) == (600_000, ()), "emptied, and its number is kept"
    assert ours.configure("x900055-dmgt", ["ada"]).number == 600_001


def test_who_has_no_account_is_told_and_left_out(slapd: Any) -> None:
    done = kept(slapd).configure(GROUP, ["ada", "ghost", "*", "ada)(uid=*", "o'neil"])
    assert done.members == ("ada",)
    assert "ghost has no account in the directory." in done.not_done
    assert len(done.not_done) == 4
    everybody = kept(slapd, people="").configure(GROUP, ["ada", "ghost"])
    assert everybody.members == ("ada", "ghost")


def test_many_at_once_get_a_number_each(slapd: Any) -> None:
    numbers: dict[str, int | None] = {}
    problems: list[PortError] = []

    def make(name: str) -> None:
        for _ in range(5):
            try:
                numbers[name] = kept(slapd).configure(name, ["ada"]).number
            except Transient:
                continue  # as the job would
            except PortError as problem:
                problems.append(problem)
            return

    threads = [threading.Thread(target=make, args=[f"x9001{n:02d}-dmgt"]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(set(numbers.values())) == len(numbers) == 8


@pytest.mark.parametrize(
    ("other", "kind", "reason"),
    [
        ({"uri": "ldap://127.0.0.1:1"}, Transient, "contact LDAP server"),
        ({"password": "wrong"}, Permanent, "Invalid credentials"),
        ({"groups": "ou=nowhere,dc=facility,dc=example"}, Permanent, "No such object"),
        ({"numbers": range(5, 6)}, Permanent, "are used up"),
        ({"start_tls": True}, PortError, "directory"),
    ],
)
def test_what_goes_wrong_is_sorted(
    slapd: Any, other: dict[str, Any], kind: type[Exception], reason: str
) -> None:
    if "numbers" in other:
        kept(slapd, **other).configure("x900056-dmgt", [])
    with pytest.raises(kind, match=reason):
        kept(slapd, **other).configure(GROUP, ["ada"])


def test_a_group_that_is_something_else_is_left_alone(slapd: Any) -> None:
    slapd.ldapadd(
        f"dn: cn={GROUP},{servers.GROUPS}\nobjectClass: organizationalRole\ncn: {GROUP}\n"
    )
    try:
        with pytest.raises(Permanent, match="is no posixGroup"):
            kept(slapd).configure(GROUP, ["ada"])
    finally:
        slapd.ldapdelete(f"cn={GROUP},{servers.GROUPS}")


def test_a_server_that_is_silent_costs_the_time_out_only(slapd: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(Transient):
            kept(slapd, uri=f"ldap://127.0.0.1:{port}", timeout=0.5).look(GROUP)
        assert time.monotonic() - began < 5
