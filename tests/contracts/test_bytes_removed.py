"""Bytes are removed in the movers only: the lint sees a planted breach, and none in our code."""

from __future__ import annotations

import pytest

from tests.contracts.lints import bytes_removed
from tests.contracts.lints.source import Source, modules, told


def lint(text: str, path: str = "runs/workers.py") -> list[str]:
    return [breach.what for breach in bytes_removed.breaches([Source(path, text)])]


@pytest.mark.parametrize(
    "planted",
    [
        "import os\nos.remove(path)",
        "import os as o\no.unlink(path)",
        "import os\ndrop = os.remove",
        "import os\ngetattr(os, 'remove')(path)",
        "import os\nos.replace(a, b)",
        "import os\nos.rename(a, b)",
        "import os\nos.truncate(a, 0)",
        "import posix\nposix.unlink(a)",
        "from os import unlink",
        "from os import remove as gone\ngone(path)",
        "from os import *",
        "import shutil\nshutil.rmtree(folder)",
        "import shutil\nshutil.move(a, b)",
        "from shutil import rmtree as tidy",
        "path.unlink()",
        "list(map(Path.unlink, paths))",
        "path.rmdir()",
        "path.rename(other)",
        "path.replace(other)",
        "stream.truncate()",
        "import tempfile\ntempfile.TemporaryDirectory()",
        "from tempfile import TemporaryDirectory",
        "import subprocess\nsubprocess.run(['rm', '-r', folder])",
        "import subprocess\nsubprocess.run(('/bin/mv', a, b))",
        "import os\nos.system('rm -rf x')",
        "def f():\n    import os\n    os.rmdir(x)",
    ],
)
def test_a_planted_breach_is_seen(planted: str) -> None:
    assert lint(planted)


@pytest.mark.parametrize(
    "allowed",
    [
        "import os\nos.makedirs(path)",
        "names.remove('x')",
        "advance(replica.remove, by=by)",
        "text.replace('a', 'b')",
        "when.replace(tzinfo=UTC)",
        "from dataclasses import replace\nreplace(thing, a=1)",
        "import subprocess\nsubprocess.run([python, '-m', 'engine'])",
        "mover.remove(tree)",
    ],
)
def test_what_is_allowed_is_left_alone(allowed: str) -> None:
    assert lint(allowed) == []


def test_movers_may_and_engines_may_not() -> None:
    planted = "import os\nos.unlink(path)"
    assert lint(planted, "catalogue/ports/movers/posix.py") == []
    assert lint(planted, "catalogue/ports/engines/embedded.py")
    assert lint(planted, "catalogue/ports/moversby.py")


def test_nothing_of_ours_removes_bytes_past_the_movers() -> None:
    found = bytes_removed.breaches(modules())
    assert not found, told(found)


def test_the_movers_are_read_as_what_they_are() -> None:
    """The real mover, read as if it stood elsewhere, is full of breaches: the lint is not blind."""
    movers = [m for m in modules() if m.below(bytes_removed.MOVERS)]
    assert bytes_removed.breaches(Source(f"elsewhere/{m.path}", m.text) for m in movers)
