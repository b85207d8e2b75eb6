"""ACLs on a real file system, with rights and without."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from catalogue.ports.movers import Place, PosixMover, acl
from catalogue.ports.outcome import Permanent
from tests.catalogue.ports.movers.stores import as_nobody, mover

ENTRIES = ["default:group:54321:rwx", "group:54321:rwx", "user:54400:r-x"]


def why_no_acls() -> str | None:
    """Why ACLs cannot be tested here, or None."""
    if not shutil.which("setfacl") or not shutil.which("getfacl"):
        return "setfacl is not installed"
    probe = Path.cwd() / ".acl-probe"
    probe.mkdir(exist_ok=True)
    done = subprocess.run(["setfacl", "-m", "u:1:r", str(probe)], capture_output=True, check=False)
    probe.rmdir()
    return done.stderr.decode() or None


pytestmark = [
    pytest.mark.identity,
    pytest.mark.skipif(bool(why_no_acls()), reason=f"no ACLs here: {why_no_acls()}"),
]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_gets_its_entries_and_keeps_its_mode(tmp_path: Path) -> None:
    place = Place(tmp_path, "SPB/202601/p900060/usr")
    for _ in range(2):
        assert mover().make_folder(place, mode=0o2750, acl=ENTRIES) == []
        found = mover().look_at_folder(place)
        assert found is not None
        assert (found.mode, list(found.acl or ())) == (0o2750, ENTRIES)
    assert mode(tmp_path / place.path) == 0o2770, "what is shown is the mask"
    below = tmp_path / place.path / "notes"
    below.mkdir()
    inherited = mover().look_at_folder(Place(tmp_path, f"{place.path}/notes"))
    assert inherited is not None
    assert "group:54321:rwx" in (inherited.acl or ())
    assert mover().make_folder(place, mode=0o2750, acl=[]) == []
    found = mover().look_at_folder(place)
    assert found is not None
    assert (found.mode, found.acl, mode(tmp_path / place.path)) == (0o2750, (), 0o2750)


def test_what_somebody_added_is_seen_and_taken_away(tmp_path: Path) -> None:
    place = Place(tmp_path, "raw")
    mover().make_folder(place, mode=0o2750, acl=[])
    subprocess.run(["setfacl", "-m", "u:54400:rwx", str(tmp_path / "raw")], check=True)
    found = mover().look_at_folder(place)
    assert found is not None
    assert (found.mode, found.acl) == (0o2750, ("user:54400:rwx",))
    assert mover().make_folder(place, mode=0o2750, acl=[]) == []
    found = mover().look_at_folder(place)
    assert found is not None
    assert found.acl == ()


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "store").mkdir()
    (tmp_path / "store/raw").symlink_to(tmp_path / "elsewhere")
    for act in (
        lambda p: mover().make_folder(p, mode=0o2777, acl=ENTRIES),
        lambda p: mover().look_at_folder(p),
    ):
        with pytest.raises(Permanent, match="links are never followed"):
            act(Place(tmp_path / "store", "raw"))
    assert mode(tmp_path / "elsewhere") == 0o700
    assert os.listxattr(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("entry", ["group:x:rwz", "mask::rwx", "u:1:rwx", "group:a b:r--", "x"])
def test_odd_entries_are_refused(tmp_path: Path, entry: str) -> None:
    with pytest.raises(Permanent, match="refused the ACL entry"):
        mover().make_folder(Place(tmp_path, "raw"), mode=0o2750, acl=[entry])
    assert not (tmp_path / "raw").exists()


def test_names_that_nobody_knows_are_told(tmp_path: Path) -> None:
    told = mover().make_folder(
        Place(tmp_path, "raw"), mode=0o2750, acl=["group:no-such-group-x:r-x"]
    )
    assert told == [f"{tmp_path}/raw: this machine knows no group no-such-group-x of its ACL"]


def test_without_rights_it_says_what_is_left_to_do(open_folder: Path) -> None:
    """As nobody: its own folder gets its ACL; for a foreign group and somebody else's folder the
    commands are told."""
    root = os.geteuid() == 0
    other = Place(open_folder, "theirs") if root else Place(Path("/usr"), "share")
    if root:
        (open_folder / "theirs").mkdir(mode=0o755)

    def act() -> tuple[list[str], list[str], list[str]]:
        ours = PosixMover()
        mine = ours.make_folder(Place(open_folder, "raw"), mode=0o2770, acl=ENTRIES)
        found = ours.look_at_folder(Place(open_folder, "raw"))
        assert found is not None
        assert list(found.acl or ()) == ENTRIES
        group = ours.make_folder(Place(open_folder, "raw"), mode=0o2770, group=54321, acl=ENTRIES)
        theirs = ours.make_folder(other, mode=0o2770, acl=ENTRIES)
        return mine, group, theirs

    mine, group, theirs = as_nobody(act) if root else act()
    assert mine == []
    left = f"what is left to do: chgrp 54321 {open_folder}/raw"
    why = "this process may not give it to the group 54321"
    assert group == [f"{open_folder}/raw: {why}; {left}"]
    place = other.mount / other.path
    line = acl.command(ENTRIES, 0o2770, str(place))
    assert theirs[0] == (
        f"{place}: this process may not change its ACL; what is left to do: {line}"
    )
    assert f"chmod 2770 {place}" in theirs[1]
    if root:  # who has the right does what was told
        subprocess.run(line.split(), check=True)
        found = mover().look_at_folder(other)
        assert found is not None
        assert list(found.acl or ()) == ENTRIES


def test_without_the_program_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(acl.subprocess, "run", missing)
    (told,) = mover().make_folder(Place(tmp_path, "raw"), mode=0o2750, acl=["group:5:rwx"])
    assert "setfacl is not installed here; what is left to do: setfacl --set" in told
    assert mode(tmp_path / "raw") == 0o2750
