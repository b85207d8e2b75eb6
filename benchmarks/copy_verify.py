"""Copying with verification, beside what one would type: cp -r; sync; sha256sum; sha256sum.

    python benchmarks/copy_verify.py [--gigabytes 2] [--files 200] [--rounds 3] [--folder DIR]

Limit: the mover's wall time is at most 0.6 of the peer's. Each round makes new files, drops them
from the page cache before each of the two (which take turns in going first), and lets earlier
writes finish. The mover flushes each copy to the disk, drops it from the page cache and reads it
back; the peer's `sha256sum` of the copy may be served from memory.

`sha256sum` may be built without the processor's SHA instructions, which Python's OpenSSL uses. A
second ratio therefore counts the peer's two sums at the speed of Python's own hash.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from catalogue.ports.movers import Entry, Place, PosixMover  # noqa: E402

LIMIT = 0.6
BLOCK = 1 << 20


@dataclass(frozen=True)
class Round:
    """Wall times in seconds."""

    mover: float
    peer: dict[str, float]
    hashed_by_python: float

    @property
    def ratio(self) -> float:
        return self.mover / sum(self.peer.values())

    @property
    def ratio_with_equal_hash(self) -> float:
        return self.mover / (self.peer["cp"] + self.peer["sync"] + self.hashed_by_python)


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def make_files(folder: Path, *, count: int, size: int, seed: int) -> list[Entry]:
    """`count` files of `size` random bytes, on the disk, and what the catalogue would know."""
    folder.mkdir(parents=True)
    source = random.Random(seed)
    entries = []
    for number in range(count):
        path = folder / f"RAW-R0001-AGIPD{number % 16:02d}-S{number // 16:05d}.h5"
        digest = hashlib.sha256()
        with path.open("wb") as stream:
            for start in range(0, size, BLOCK):
                data = source.randbytes(min(BLOCK, size - start))
                digest.update(data)
                stream.write(data)
        entries.append(Entry(path.name, size, sha256=digest.hexdigest()))
    return entries


def drop(folder: Path) -> None:
    """Let all earlier writes finish, and drop the folder's files from the page cache."""
    os.sync()
    for path in folder.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def run_mover(base: Path, entries: list[Entry], threads: int) -> float:
    drop(base / "source")
    (base / "copy").mkdir()
    mover = PosixMover(threads=threads)
    seconds = timed(lambda: mover.copy(Place(base, "source"), Place(base, "copy"), entries))
    shutil.rmtree(base / "copy")
    return seconds


def run_peer(base: Path) -> tuple[dict[str, float], float]:
    """The peer's steps, and its two sums by Python's hash on what the page cache then holds."""
    source, copy = base / "source", base / "peer"
    drop(source)

    def run(*command: str | Path) -> float:
        quiet = subprocess.DEVNULL
        return timed(lambda: subprocess.run(command, check=True, stdout=quiet))

    peer = {
        "cp": run("cp", "-r", source, copy),
        "sync": run("sync"),
        "sha256sum of the source": run("sha256sum", *sorted(source.iterdir())),
        "sha256sum of the copy": run("sha256sum", *sorted(copy.iterdir())),
    }

    def hash_both() -> None:
        for path in (*source.iterdir(), *copy.iterdir()):
            with path.open("rb") as stream:
                hashlib.file_digest(stream, "sha256")

    hashed = timed(hash_both)
    shutil.rmtree(copy)
    return peer, hashed


def one_round(base: Path, number: int, options: argparse.Namespace) -> Round:
    size = int(options.gigabytes * 1e9 / options.files)
    entries = make_files(base / "source", count=options.files, size=size, seed=time.time_ns())
    if number % 2:
        peer, hashed = run_peer(base)
        mover = run_mover(base, entries, options.threads)
    else:
        mover = run_mover(base, entries, options.threads)
        peer, hashed = run_peer(base)
    shutil.rmtree(base / "source")
    return Round(mover, peer, hashed)


def machine(folder: Path) -> str:
    """Cores, processor, kernel and the file system under `folder`."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    below = [m for m in mounts if folder == Path(m[1]) or Path(m[1]) in folder.parents]
    system = max(below, key=lambda mount: len(mount[1]))[2]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {model}, {memory:.0f} GB memory, {platform.release()}, {system}"


def tell(rounds: list[Round], options: argparse.Namespace) -> None:
    ratios = [each.ratio for each in rounds]
    equal = [each.ratio_with_equal_hash for each in rounds]
    rate = options.gigabytes * 1e3 / statistics.median(each.mover for each in rounds)
    print(f"mover, median: {rate:.0f} MB/s copied, flushed and read back")
    print(f"ratio to the peer: min {min(ratios):.2f}, median {statistics.median(ratios):.2f}")
    print(
        f"ratio if the peer hashed as fast as Python: min {min(equal):.2f},"
        f" median {statistics.median(equal):.2f}"
    )
    verdict = "met" if statistics.median(ratios) <= LIMIT else "missed"
    print(f"limit {LIMIT} for the median: {verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Copying with verification beside cp and sums")
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=6)
    parser.add_argument(
        "--folder",
        type=Path,
        default=ROOT / "build" / "copy_verify",
        help="on the file system to measure; must not exist, and is removed at the end",
    )
    options = parser.parse_args()
    base = options.folder.absolute()
    base.mkdir(parents=True)
    try:
        print(f"{options.gigabytes:g} GB in {options.files} files; {machine(base)}", flush=True)
        rounds = []
        for number in range(options.rounds):
            rounds.append(one_round(base, number, options))
            peer = ", ".join(f"{name} {took:.1f}" for name, took in rounds[-1].peer.items())
            print(
                f"round {number + 1}: mover {rounds[-1].mover:.1f} s,"
                f" peer {sum(rounds[-1].peer.values()):.1f} s ({peer}),"
                f" ratio {rounds[-1].ratio:.2f}",
                flush=True,
            )
        tell(rounds, options)
    finally:
        shutil.rmtree(base)


if __name__ == "__main__":
    main()
