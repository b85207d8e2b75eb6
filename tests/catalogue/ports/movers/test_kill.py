"""A real process, killed (SIGKILL) or merely at work, in the middle of a copy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from catalogue.ports.movers import Place, PosixMover
from catalogue.ports.outcome import Transient
from tests.catalogue.ports.movers.stores import RUN, contents, entries, hidden, put

ROOT = Path(__file__).resolve().parents[4]
FILES = {f"RAW-R0001-DA{number:02d}-S00000.h5": bytes([number]) * 50_000 for number in range(6)}

CHILD = """
import sys, threading
from pathlib import Path
from catalogue.ports.movers import Place, PosixMover
from catalogue.ports.movers.disk import Disk
from tests.catalogue.ports.movers.stores import RUN, entries
from tests.catalogue.ports.movers.test_kill import FILES

lock = threading.Lock()

class Halting(Disk):
    chunk = 4096
    calls = 0

    def __getattribute__(self, name):
        if name == sys.argv[2]:
            with lock:
                Halting.calls += 1
                if Halting.calls >= int(sys.argv[3]):
                    print("here", flush=True)
                    threading.Event().wait()
        return super().__getattribute__(name)

base = Path(sys.argv[1])
PosixMover(disk=Halting(), threads=3).copy(
    Place(base / "online", RUN), Place(base / "offline", RUN), entries(FILES)
)
"""


@contextmanager
def halted(base: Path, call: str, at: int) -> Iterator[subprocess.Popen[str]]:
    """A process that copies and has come to a halt at the `at`-th `call`."""
    command = [sys.executable, "-c", CHILD, str(base), call, str(at)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    ) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == "here\n"
            yield child
        finally:
            child.kill()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    put(Place(tmp_path / "online", RUN), FILES)
    (tmp_path / "offline" / RUN).mkdir(parents=True)
    return tmp_path


def places(base: Path) -> tuple[Place, Place]:
    return Place(base / "online", RUN), Place(base / "offline", RUN)


@pytest.mark.parametrize(
    ("call", "at"), [("write", 20), ("flush", 4), ("read", 60), ("rename_exclusively", 3)]
)
def test_a_killed_copy_is_taken_up(base: Path, call: str, at: int) -> None:
    with halted(base, call, at) as child:
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    left = hidden(base / "offline")
    assert left, "it was not in the middle of a file"
    whole = {n: d for n, d in contents(base / "offline" / RUN).items() if n not in left}
    assert whole.items() <= FILES.items()
    assert len(whole) < len(FILES)

    receipt = PosixMover().copy(*places(base), entries(FILES))
    assert receipt.entries == tuple(entries(FILES))
    assert contents(base / "offline" / RUN) == FILES
    assert hidden(base) == []


def test_a_copy_at_work_is_not_disturbed(base: Path) -> None:
    """Its lease may have run out while it was merely slow: a second one must not mix with it."""
    with halted(base, "write", 20) as child:
        with pytest.raises(Transient, match="another attempt"):
            PosixMover().copy(*places(base), entries(FILES))
        assert hidden(base / "offline"), "the file at work was taken away"
        with pytest.raises(Transient, match="another attempt"):
            PosixMover().trash(places(base)[1], entries(FILES), key="1", partial=True)
        child.send_signal(signal.SIGKILL)
    PosixMover().copy(*places(base), entries(FILES))
    assert contents(base / "offline" / RUN) == FILES
    assert hidden(base) == []
