"""A beamtime with a real directory and a real file system: groups in LDAP, folders with their
numbers and ACLs, a team change carried through, and what was changed by hand found and put right.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalogue.ground import lifecycle
from catalogue.ports.directory import directory
from proposals import commands, content, upkeep
from proposals.models import Drift, FolderRule, Preparation, Proposal
from tests.catalogue.ports.directory import servers
from tests.factories import Facility

pytestmark = [
    pytest.mark.identity,
    pytest.mark.skipif(bool(servers.why_no_slapd()), reason=str(servers.why_no_slapd())),
]


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with servers.started(tmp_path_factory.mktemp("slapd")) as server:
        yield server


@pytest.fixture
def in_ldap(slapd: Any, settings: Any) -> Any:
    settings.DIRECTORY = "ldap"
    settings.DIRECTORY_LDAP_URI = slapd.ldap_uri
    settings.DIRECTORY_LDAP_BIND_DN = slapd.root_dn
    settings.DIRECTORY_LDAP_PASSWORD = slapd.root_pw
    settings.DIRECTORY_LDAP_GROUPS = servers.GROUPS
    settings.DIRECTORY_LDAP_PEOPLE = servers.PEOPLE
    settings.DIRECTORY_TIMEOUT = 3
    return slapd


GROUP = "x900100-dmgt"
ENTRIES = "group:x{number}-dmgt:rwx\ndefault:group:x{number}-dmgt:rwx"


def in_group() -> tuple[str, ...]:
    there = directory().look(GROUP)
    assert there is not None
    return there.members


@pytest.fixture
def prepared(facility: Facility, in_ldap: Any) -> Iterator[Proposal]:
    """A proposal that is ready, with a group and an ACL on its folder usr."""
    FolderRule.objects.filter(path="usr").update(acl=ENTRIES)
    proposal = facility.proposal()
    servers.account(in_ldap, facility.leader.username, 3000)
    facility.take(proposal, "R")
    yield proposal
    in_ldap.ldapdelete(f"cn={GROUP},{servers.GROUPS}")
    in_ldap.ldapdelete(f"uid={facility.leader.username},{servers.PEOPLE}")


def usr(facility: Facility, proposal: Proposal) -> Path:
    return Path(facility.stores["online"].mount) / proposal.path / "usr"


def test_groups_and_folders_are_made_and_a_team_change_is_carried_through(
    facility: Facility, in_ldap: Any, prepared: Proposal
) -> None:
    there = directory().look(GROUP)
    assert there is not None
    assert there.members == (facility.leader.username,)
    place = usr(facility, prepared)
    command = ["getfacl", "-n", "-c", "-p", str(place)]
    entries = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert f"group:{there.number}:rwx" in entries
    assert f"default:group:{there.number}:rwx" in entries
    row = Preparation.objects.get()
    if os.geteuid() == 0:
        assert place.stat().st_gid == there.number
        assert (list(row.drifts.all()), row.not_done) == ([], [])
    else:
        assert any(f"chgrp {there.number}" in line for line in row.not_done)
    person = facility.person()
    servers.account(in_ldap, person.username, 3001)
    member = commands.add_member(prepared, user=person, by=facility.staff)
    lifecycle.perform_due()
    assert in_group() == tuple(sorted((facility.leader.username, person.username)))
    content.remove_member(member, by=facility.staff)
    lifecycle.perform_due()
    assert in_group() == (facility.leader.username,)
    commands.cancel(prepared, by=facility.staff, reason="no beam")
    lifecycle.perform_due()
    assert in_group() == ()


def test_what_somebody_changed_by_hand_is_found_and_put_right(
    facility: Facility, in_ldap: Any, prepared: Proposal
) -> None:
    """In the directory and on the disk; who has no account cannot be written, and is told."""
    unknown, place = facility.person(), usr(facility, prepared)
    commands.add_member(prepared, user=unknown, by=facility.staff)
    lifecycle.perform_due()
    in_ldap.ldapmodify(
        f"dn: cn={GROUP},{servers.GROUPS}\nchangetype: modify\nadd: memberUid\nmemberUid: mallory\n"
    )
    subprocess.run(["setfacl", "-m", "u:54400:rwx", str(place)], check=True)
    place.chmod(0o2777)
    upkeep.ask_to_look(prepared, by=facility.staff)
    lifecycle.perform_due()
    found = {(d.place, d.what) for d in Drift.objects.exclude(what="group")}
    assert found == {("directory", "members"), ("online", "acl"), ("online", "mode")}
    assert "mallory" in Drift.objects.get(place="directory").found
    digest = Preparation.objects.get().digest
    upkeep.ask_to_apply(prepared, digest=digest, by=facility.staff)
    lifecycle.perform_due()
    left = {(d.place, d.what) for d in Drift.objects.exclude(what="group")}
    assert left == {("directory", "members")}
    assert in_group() == (facility.leader.username,)
    assert any(unknown.username in line for line in Preparation.objects.get().not_done)
    assert stat.S_IMODE(place.stat().st_mode) == 0o2770
