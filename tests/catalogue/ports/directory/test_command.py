"""The command hook: a program of the facility's own, which may answer anything."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from catalogue.ports.directory import CommandDirectory, directory
from catalogue.ports.outcome import Permanent, Transient

PROGRAM = """
import json, os, sys
order = json.load(sys.stdin)
book = json.load(open("{book}"))
if order["verb"] == "configure":
    book.setdefault(order["group"], {{"number": 5000 + len(book)}})["members"] = [
        m for m in order["members"] if m != "ghost"]
    json.dump(book, open("{book}", "w"))
there = book.get(order["group"])
answer = {{"group": order["group"], **there}} if there else {{"group": None}}
if "ghost" in order.get("members", []):
    answer["not_done"] = ["ghost has no account."]
print(json.dumps(answer))
print(sorted(os.environ), file=sys.stderr)
"""


def program(folder: Path, text: str) -> CommandDirectory:
    path = folder / "groups.py"
    path.write_text(text)
    return CommandDirectory([sys.executable, str(path)], timeout=5)


def test_it_keeps_groups_in_a_book_of_its_own(tmp_path: Path) -> None:
    book = tmp_path / "book.json"
    book.write_text("{}")
    kept = program(tmp_path, PROGRAM.format(book=book))
    assert kept.look("x900054-dmgt") is None
    done = kept.configure("x900054-dmgt", ["hk", "ada", "ada", "ghost", "no good"])
    assert (done.number, done.members) == (5000, ("ada", "hk"))
    assert done.not_done == (
        "'no good' is no login that a directory holds.", "ghost has no account.",
    )  # fmt: skip
    there = kept.look("x900054-dmgt")
    assert there is not None
    assert there.members == ("ada", "hk")
    assert kept.configure("x900054-dmgt", []).members == ()
    assert json.loads(book.read_text())["x900054-dmgt"]["members"] == []


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("import sys; sys.exit(75)", Transient, "asks to come later"),
        ("import sys; sys.exit('no rights')", Permanent, "ended with 1: no rights"),
        ("print('hello')", Permanent, "cannot be right"),
        ("print('[]')", Permanent, "cannot be right"),
        ('print(\'{"group": "other", "members": []}\')', Permanent, "group that cannot"),
        ('print(\'{"group": "x1", "members": "ada"}\')', Permanent, "members that cannot"),
        (
            'print(\'{"group": "x1", "members": [], "number": true}\')',
            Permanent,
            "number that cannot",
        ),
        ('print(\'{"group": "x1", "members": ["eve"]}\')', Permanent, "still has eve"),
    ],
)
def test_what_it_may_answer(tmp_path: Path, text: str, kind: type[Exception], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        program(tmp_path, text).configure("x1", ["ada"])


def test_one_that_does_not_end_is_ended_with_all_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "child"
    text = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(mark)!r}, 'w').write(str(child.pid))\ntime.sleep(60)"
    )
    path = tmp_path / "slow.py"
    path.write_text(text)
    with pytest.raises(Transient, match=r"did not answer in 1.5 s"):
        CommandDirectory([sys.executable, str(path)], timeout=1.5).look("x1")
    child = int(mark.read_text())
    end = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < end:
        if "Z" in Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]:
            break
        time.sleep(0.02)
    else:
        assert not Path(f"/proc/{child}").exists()


def test_it_gets_none_of_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "do not tell")
    text = "import os, sys; sys.exit(' '.join(sorted(os.environ)))"
    with pytest.raises(Permanent) as told:
        program(tmp_path, text).look("x1")
    assert "SECRET_KEY" in os.environ
    assert "SECRET_KEY" not in told.value.reason


@pytest.mark.parametrize("name", ["X1", "x 1", "x1\n", "../x", "x1,ou=people", "", "a" * 33])
def test_a_group_that_cannot_be_is_not_asked_for(tmp_path: Path, name: str) -> None:
    with pytest.raises(Permanent, match="refused the group name"):
        program(tmp_path, "raise SystemExit(9)").configure(name, [])


def test_the_settings_choose(settings) -> None:
    assert not directory().is_there
    settings.DIRECTORY, settings.DIRECTORY_COMMAND = "command", ["/nowhere/groups"]
    with pytest.raises(Permanent, match="cannot be run"):
        directory().look("x1")
    settings.DIRECTORY = "yp"
    with pytest.raises(Permanent, match="may be empty, ldap or command"):
        directory()
