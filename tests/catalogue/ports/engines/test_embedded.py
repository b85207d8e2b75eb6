"""The engine as a process: alone, without secrets, and gone when it must be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalogue.ports.apart.caller import environment
from catalogue.ports.engines import EmbeddedEngine
from catalogue.ports.engines.contract import CorrectionRequest, to_json
from catalogue.ports.engines.files import sha256_of
from catalogue.ports.outcome import Cancelled, Permanent, Transient
from tests.catalogue.ports.engines import small
from tests.catalogue.ports.engines.small import Small

ENGINE = EmbeddedEngine()
SECRETS = {
    "DATABASE_URL": "postgres://catalogue:open-sesame@db/catalogue",
    "DJANGO_SETTINGS_MODULE": "catalogue.settings",
    "SECRET_KEY": "open-sesame",
    "PYTHONSTARTUP": "anything.py",
}
ROOT = Path(__file__).resolve().parents[4]


class Watched:
    """Popen as it is, remembering what it started."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[bytes]] = []
        self._real = subprocess.Popen

    def __call__(self, *args: Any, **options: Any) -> subprocess.Popen[bytes]:
        child = self._real(*args, **options)
        self.started.append(child)
        return child


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    watch = Watched()
    monkeypatch.setattr(subprocess, "Popen", watch)
    return watch


def finals(folder: Path) -> list[str]:
    """Files under their final names; what an attempt left lies in a hidden folder."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def running(pid: int) -> bool:
    """Whether the process is there and is not just a name waiting to be collected."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_a_correction_comes_back_whole(beamtime: Small, tmp_path: Path) -> None:
    told: list[tuple[float, str]] = []
    request = beamtime.correction(tmp_path / "out")
    receipt = ENGINE.correct(
        request, progress=lambda *step: told.append(step), cancelled=small.never
    )
    assert finals(tmp_path / "out") == sorted(
        [*(file.path for file in receipt.files), receipt.report.path]
    )
    for file in (*receipt.files, receipt.report):
        path = tmp_path / "out" / file.path
        assert (path.stat().st_size, sha256_of(path)) == (file.bytes, file.sha256)
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0, 1)
    assert (0, "RAW-R0003-AGIPD00-S00000.h5") in told
    assert receipt.software["engine embedded"] == ENGINE.version


def test_constants_come_back_whole(beamtime: Small, tmp_path: Path) -> None:
    request = small.dark_request(beamtime.dark, beamtime.dark_files, tmp_path)
    receipt = ENGINE.characterise(request, progress=small.silent, cancelled=small.never)
    assert receipt == beamtime.characterised


def test_a_refusal_keeps_its_evidence(beamtime: Small, tmp_path: Path) -> None:
    request = beamtime.correction(tmp_path / "out", constants=())
    with pytest.raises(Permanent, match="no constants for AGIPD00, AGIPD01") as caught:
        ENGINE.correct(request, progress=small.silent, cancelled=small.never)
    assert caught.value.evidence["missing"] == ["AGIPD00", "AGIPD01"]


def test_a_missing_work_folder_is_said(beamtime: Small, tmp_path: Path) -> None:
    request = replace(beamtime.correction(tmp_path / "out"), output_folder=str(tmp_path / "no"))
    with pytest.raises(Permanent, match="work folder is not there"):
        ENGINE.correct(request, progress=small.silent, cancelled=small.never)


def engine_says(order: dict[str, Any], folder: Path) -> tuple[int, dict[str, Any]]:
    """Exit code and last word of the program, given this order."""
    (folder / "order.json").write_text(json.dumps(order))
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "catalogue.ports.engines.process", folder / "order.json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(folder),
    ) as child:  # fmt: skip
        assert child.stdout is not None
        *_, last = child.stdout.read().splitlines()
    return child.returncode, json.loads(last)


def test_what_the_system_refuses_may_work_later(beamtime: Small, tmp_path: Path) -> None:
    request = to_json(beamtime.correction(tmp_path / "out"))
    nowhere = {"task": "correct", "request": request, "parts": str(tmp_path / "nowhere")}
    code, said = engine_says(nowhere, tmp_path)
    assert (code, said["failed"]) == (4, "transient")
    assert said["evidence"]["errno"] == 2


def test_our_own_mistakes_are_told_in_full(tmp_path: Path) -> None:
    code, said = engine_says({"task": "correct", "request": {}, "parts": ""}, tmp_path)
    assert (code, said["failed"]) == (3, "permanent")
    assert "CorrectionRequest lacks or does not know" in said["reason"]
    assert "Traceback" in said["evidence"]["trace"][0]
    code, said = engine_says({"task": "bake", "request": {}, "parts": ""}, tmp_path)
    assert (code, said["reason"]) == (3, "the engine has no task 'bake'")


# ------------------------------------------------------------------ what it may see


def test_the_engine_sees_nothing_of_our_environment(
    beamtime: Small, tmp_path: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/proc/self/environ").exists():
        pytest.skip("what a process sees is read from /proc")
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    seen: list[bytes] = []

    def look(_fraction: float, _text: str) -> None:
        if not seen:
            seen.append(Path(f"/proc/{watched.started[0].pid}/environ").read_bytes())

    ENGINE.correct(beamtime.correction(tmp_path / "out"), progress=look, cancelled=small.never)
    names = {entry.partition(b"=")[0].decode() for entry in seen[0].split(b"\0") if entry}
    assert names <= {
        "PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED",
        "HOME", "TMPDIR", "LC_ALL", "TZ",
    }  # fmt: skip
    assert b"open-sesame" not in seen[0]


def test_the_engine_is_neither_django_nor_the_demo(beamtime: Small, tmp_path: Path) -> None:
    """Run as the engine is run, with a whole correction done, and asked what it has loaded."""
    request = beamtime.correction(tmp_path / "out")
    order = tmp_path / "request.json"
    order.write_text(
        json.dumps({"task": "correct", "request": to_json(request), "parts": str(tmp_path)})
    )
    script = (
        "import sys, runpy\n"
        f"sys.argv = ['process', {str(order)!r}]\n"
        "try:\n"
        "    runpy.run_module('catalogue.ports.engines.process', run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "sys.stdout.write('loaded ' + ' '.join(sorted(sys.modules)) + '\\n')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-P", "-c", script],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(tmp_path), text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        *_, last = child.stdout.read().splitlines()
    loaded = set(last.split())
    assert "catalogue.ports.engines.correct" in loaded
    foreign = ("django", "celery", "extra_data", "psycopg", "matplotlib", "catalogue.demo")
    ours = {n for n in loaded if n.startswith("catalogue.")}
    assert not {name for name in loaded if name.split(".")[0] in foreign or name in foreign}
    assert all(name.startswith(("catalogue.ports", "catalogue.ground")) for name in ours), ours


# ------------------------------------------------------------------ how it ends


def test_a_killed_engine_leaves_no_file_and_can_be_asked_again(
    beamtime: Small, tmp_path: Path, watched: Watched
) -> None:
    request = beamtime.correction(tmp_path / "out")

    def kill(_fraction: float, _text: str) -> None:
        os.kill(watched.started[0].pid, signal.SIGKILL)

    with pytest.raises(Transient, match="killed by SIGKILL"):
        ENGINE.correct(request, progress=kill, cancelled=small.never)
    assert finals(tmp_path / "out") == []
    receipt = ENGINE.correct(request, progress=small.silent, cancelled=small.never)
    assert len(finals(tmp_path / "out")) == len(receipt.files) + 1


def test_an_engine_that_died_while_publishing_can_be_asked_again(
    beamtime: Small, tmp_path: Path
) -> None:
    """Some files have their names already: they are the same files, and stay."""
    request = beamtime.correction(tmp_path / "out")
    before = ENGINE.correct(request, progress=small.silent, cancelled=small.never)
    (tmp_path / "out" / before.files[1].path).unlink()
    kept = (tmp_path / "out" / before.files[0].path).stat().st_ino
    assert ENGINE.correct(request, progress=small.silent, cancelled=small.never) == before
    assert (tmp_path / "out" / before.files[0].path).stat().st_ino == kept


def test_a_file_that_is_there_is_never_replaced(beamtime: Small, tmp_path: Path) -> None:
    request = beamtime.correction(tmp_path / "out")
    there = tmp_path / "out/CORR-R0003-AGIPD00-S00000.h5"
    there.write_bytes(b"somebody's")
    with pytest.raises(Permanent, match=there.name):
        ENGINE.correct(request, progress=small.silent, cancelled=small.never)
    assert there.read_bytes() == b"somebody's"


def test_calling_off_kills_the_engine(beamtime: Small, tmp_path: Path, watched: Watched) -> None:
    steps: list[float] = []
    with pytest.raises(Cancelled):
        ENGINE.correct(
            beamtime.correction(tmp_path / "out"),
            progress=lambda fraction, _: steps.append(fraction),
            cancelled=lambda: bool(steps),
        )
    (child,) = watched.started
    assert child.returncode == -signal.SIGKILL
    assert not running(child.pid)
    assert finals(tmp_path / "out") == []


def test_trouble_in_our_own_process_kills_the_engine(
    beamtime: Small, tmp_path: Path, watched: Watched
) -> None:
    def lost(_fraction: float, _text: str) -> None:
        raise ConnectionError("the database is gone")

    with pytest.raises(ConnectionError):
        ENGINE.correct(beamtime.correction(tmp_path / "out"), progress=lost, cancelled=small.never)
    assert watched.started[0].returncode == -signal.SIGKILL


def test_an_engine_that_says_nothing_is_given_up(
    beamtime: Small, tmp_path: Path, watched: Watched
) -> None:
    """It is stopped at its first word, as by a dead network store, and never speaks again."""

    def freeze(_fraction: float, _text: str) -> None:
        os.kill(watched.started[0].pid, signal.SIGSTOP)

    with pytest.raises(Transient, match=r"said nothing for 0\.5 s"):
        EmbeddedEngine(silence=0.5).correct(
            beamtime.correction(tmp_path / "out"), progress=freeze, cancelled=small.never
        )
    assert watched.started[0].returncode == -signal.SIGKILL


ORPHAN = """
import json, os, signal, subprocess, sys
from catalogue.ports.engines import EmbeddedEngine
from catalogue.ports.engines.contract import CorrectionRequest, from_json

real, started = subprocess.Popen, []
subprocess.Popen = lambda *a, **k: started.append(real(*a, **k)) or started[-1]

def die(fraction, text):
    # The last word before the files get their names.
    if text != "writing the report":
        return
    sys.stdout.write(str(started[0].pid))
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)

request = from_json(CorrectionRequest, json.load(open(sys.argv[1])))
EmbeddedEngine().correct(request, progress=die, cancelled=lambda: False)
"""


def test_the_engine_does_not_outlive_its_caller(beamtime: Small, tmp_path: Path) -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("whether a process runs is read from /proc")
    request: CorrectionRequest = beamtime.correction(tmp_path / "out")
    (tmp_path / "request.json").write_text(json.dumps(to_json(request)))
    caller = subprocess.run(
        [sys.executable, "-c", ORPHAN, str(tmp_path / "request.json")],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, check=False,
    )  # fmt: skip
    assert caller.returncode == -signal.SIGKILL
    engine = int(caller.stdout)
    until = time.monotonic() + 10
    while running(engine):
        assert time.monotonic() < until, "the engine is still there"
        time.sleep(0.01)
    assert finals(tmp_path / "out") == []
