"""Nothing of one machine is kept: no folder of it, no package index."""

from __future__ import annotations

import subprocess

import pytest

from tests.contracts.lints import words
from tests.contracts.lints.source import ROOT, told


@pytest.mark.parametrize(
    "planted",
    [
        "see /wo" + "rk/main/README.md",
        "cd /ro" + "ot/.config",
        "log in /tm" + "p/bash_jobs.0/1",
        "cache = /ho" + "me/ada/x",
        "pip install --index-u" + "rl=x",
        "--extra-index-u" + "rl x",
        "--trusted-h" + "ost x",
        "https://example.org/py/si" + "mple",
        "https://py" + "pi.org/",
    ],
)
def test_a_planted_word_is_seen(planted: str) -> None:
    assert words.breaches([("README.md", f"fine\n{planted}\n")])


@pytest.mark.parametrize("allowed", ["/srv/wo" + "rk/main", "network/root", "a/home/x", "simple/"])
def test_other_words_are_left_alone(allowed: str) -> None:
    assert words.breaches([("README.md", allowed)]) == []


def test_nothing_kept_speaks_of_one_machine() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone: what is kept cannot be told from what lies here")
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = [path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file()]
    assert "pyproject.toml" in paths
    found = words.breaches(words.texts(ROOT, paths))
    assert not found, told(found)
