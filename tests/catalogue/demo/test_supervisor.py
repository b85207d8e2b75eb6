"""Programs under one process: all end with it, however it ends, and with any one of them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalogue.demo import serving
from catalogue.demo.layout import Layout
from catalogue.demo.supervisor import EndedError, Interrupted, Supervisor

REPOSITORY = Path(__file__).resolve().parents[3]
PATIENCE = 20.0

# A program with a child of its own, in a process group of ours; each tells its number in a file.
PARENT = """
import os, signal, subprocess, sys, time
folder, stubborn = sys.argv[1], "stubborn" in sys.argv
if stubborn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" if stubborn else ""
tell = "open(sys.argv[1] + '/' + str(os.getpid()), 'w').close()"
code = f"import os, sys, time; {ignore} {tell}; time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code, folder])
exec(tell)
time.sleep(600)
"""
# What supervises them, as a program that a test can end.
STARTER = """
import sys
from pathlib import Path
from catalogue.demo.supervisor import Interrupted, Supervisor
folder, parent = sys.argv[1:3]
try:
    with Supervisor({"PATH": "/usr/bin:/bin"}, Path(folder)) as programs:
        for name in ("one", "two"):
            programs.start(name, [sys.executable, "-c", parent, folder + "/numbers", *sys.argv[3:]])
        programs.watch()
except Interrupted as interruption:
    print("stopped by", interruption)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "numbers").mkdir()
    return tmp_path


@pytest.fixture
def starter(folder: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the supervising program, and wait until its four processes have told their numbers."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", STARTER, str(folder), PARENT, *options],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        until(lambda: len(numbers(folder)) == 4)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
    for number in numbers(folder):
        if is_there(number):
            os.kill(number, signal.SIGKILL)


def numbers(folder: Path) -> list[int]:
    return [int(path.name) for path in (folder / "numbers").iterdir()]


def is_there(number: int) -> bool:
    """Whether the process runs; a dead one that nobody has reaped yet does not."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def none_left(folder: Path) -> bool:
    return not any(is_there(number) for number in numbers(folder))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_all_end_when_it_is_interrupted(starter, folder: Path, number: signal.Signals) -> None:
    process = starter()
    process.send_signal(number)
    said, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (0, f"stopped by {number.name}\n")
    assert none_left(folder)


def test_programs_that_do_not_heed_end_all_the_same(starter, folder: Path) -> None:
    process = starter("stubborn")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert none_left(folder)


@pytest.mark.parametrize("options", [(), ("stubborn",)])
def test_none_outlives_it_when_it_is_killed(starter, folder: Path, options) -> None:
    process = starter(*options)
    process.kill()
    process.wait()
    until(lambda: none_left(folder))


def one_fails(folder: Path) -> None:
    with Supervisor({"PATH": os.environ["PATH"]}, folder) as programs:
        programs.start("steady", [sys.executable, "-c", PARENT, str(folder / "numbers")])
        until(lambda: len(numbers(folder)) == 2)
        programs.start("weak", [sys.executable, "-c", "print('out of paper'); exit(3)"])
        programs.watch()


def test_when_one_ends_by_itself_it_is_told_and_the_others_end(folder: Path) -> None:
    with pytest.raises(EndedError) as ended:
        one_fails(folder)
    assert "The weak ended with 3" in str(ended.value)
    assert "out of paper" in str(ended.value)
    assert str(folder / "weak.log") in str(ended.value)
    assert none_left(folder)


def test_a_program_that_has_to_succeed(folder: Path) -> None:
    with Supervisor({"PATH": os.environ["PATH"]}, folder) as programs:
        programs.must(programs.start("good", [sys.executable, "-c", ""]))
        suicide = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
        killed = programs.start("killed", suicide)
        with pytest.raises(EndedError, match="The killed was ended by SIGKILL"):
            programs.must(killed)


def interrupt(folder: Path) -> None:
    with Supervisor({}, folder):
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()


def test_handlers_are_given_back(folder: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted):
        interrupt(folder)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("command", [serving.run, serving.demo])
def test_a_port_in_use_is_said_before_anything_starts(tmp_path: Path, capsys, command) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert command(Layout(tmp_path), port) == 1
    said = capsys.readouterr()
    assert f"Port {port}" in said.err
    assert f"PORT={port + 1}" in said.err
    assert not (tmp_path / "catalogue.sqlite3").exists()


def test_one_demo_at_a_time_in_one_folder(tmp_path: Path, capsys) -> None:
    layout = Layout(tmp_path)
    layout.make()
    with serving._alone(layout):
        assert serving.run(layout, 0) == 1
    assert "Another demo runs in" in capsys.readouterr().err
