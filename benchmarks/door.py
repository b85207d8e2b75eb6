"""How many moves a second go through the door, from four processes at once, on PostgreSQL.

Each move is one transaction: a locked row, the permission, the guards, the new state, a journal
entry and a job row, and the hint to the workers after it. Two moves are measured: the DAQ closes a
run, which is the door and little else; somebody marks a run, with all that hangs on it, which
writes the mark to its history as well. Meanwhile one process gives the journal's entries their
positions and seals them, as the schedule does, but every second instead of every five
(`--seal-every 0`: without a pause). Goal: 200 a second, none lost, and all of it sealed soon after.

    DATABASE_URL=postgres://… python benchmarks/door.py
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
GOAL = 200.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--moves", type=int, default=500, help="by each process")
    parser.add_argument("--without-sealing", action="store_true", help="for comparison")
    parser.add_argument("--seal-every", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument("--seal", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--move", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker is not None or arguments.seal:
        from benchmarks import door_worker  # why: needs the environment of the parent

        if arguments.seal:
            door_worker.seal(arguments.seal_every)
            return
        door_worker.make(arguments.move, arguments.worker, arguments.moves)
        return
    every = None if arguments.without_sealing else arguments.seal_every
    measure(arguments.processes, arguments.moves, seal_every=every)


def measure(processes: int, moves: int, *, seal_every: float | None) -> None:
    """Make a database of its own, let the processes move runs, and count what is there."""
    from benchmarks.place import database, machine  # why: before Django reads the settings

    print(machine())
    with database("lightkeeper_bench_door") as url:
        environment = {**os.environ, "DATABASE_URL": url, "BROKER_URL": "memory://localhost//"}
        os.environ.update(environment)
        from benchmarks import door_worker  # why: reads the settings

        door_worker.prepare(processes * moves)
        beside = None
        if seal_every is not None:
            sealer = [sys.executable, __file__, "--seal", "--seal-every", str(seal_every)]
            beside = subprocess.Popen(sealer, env=environment, cwd=ROOT)
        for move in ("close", "assess"):
            door_worker.forget()
            command = [sys.executable, __file__, "--moves", str(moves), "--move", move]
            started = [
                subprocess.Popen([*command, "--worker", str(n)], env=environment, cwd=ROOT)
                for n in range(processes)
            ]
            codes = [p.wait() for p in started]
            assert codes == [0] * processes, codes
            report(move, door_worker.result(move, processes * moves), processes)
        if beside is not None:
            beside.terminate()
            beside.wait()
            print(door_worker.sealed())


def report(move: str, result: dict[str, float], processes: int) -> None:
    """The rate over the time in which moves were made (start-up of the processes left out)."""
    rate = result["entries"] / result["seconds"]
    print(
        f"{move}: {result['entries']:.0f} moves from {processes} processes in "
        f"{result['seconds']:.2f} s: {rate:.0f} a second, {rate / GOAL:.2f} x the goal of "
        f"{GOAL:.0f}; {result['lost']:.0f} lost, {result['jobs']:.0f} job rows"
    )


if __name__ == "__main__":
    main()
