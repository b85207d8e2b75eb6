"""Where data lie, in the movers' words, and progress in the jobs' words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from catalogue.ground.lifecycle import Work
from catalogue.ground.models import Store
from catalogue.ground.words import bytes_text
from catalogue.ports.movers import Mover, Place, Progress, mover_for
from catalogue.ports.outcome import Permanent
from runs.models import DataGroup, Replica


def mover(store: Store) -> Mover:
    """Who moves bytes in `store`. Permanent where an external program does."""
    if store.is_external:
        raise Permanent(f"The program that keeps {store} moves and removes its files, and reports.")
    return mover_for(store.agent)


def reader(store: Store) -> Mover:
    """Who reads what lies in `store`: also what an external program brought there, where the store
    is mounted here."""
    return mover_for("posix" if store.is_external else store.agent)


def maker(store: Store) -> Mover:
    """Who writes what the catalogue itself makes, e.g. corrected data: also into a store to which
    an external program brings the rest, where that is mounted here."""
    return reader(store)


def place(store: Store, path: str) -> Place:
    """A folder inside a store."""
    return Place(mount=Path(store.mount), path=path)


def of_group(group: DataGroup, store: Store) -> Place:
    """Where the files of `group` lie in `store`."""
    return place(store, group.path)


def of_replica(replica: Replica) -> Place:
    return of_group(replica.data_group, replica.store)


def work_folder(store: Store, name: str) -> Place:
    """An empty work folder of ours in a store; what an earlier attempt left is discarded."""
    folder = place(store, f".work/{name}")
    maker(store).discard(folder)
    maker(store).make_folder(folder, mode=0o2750)
    return folder


def folder(place: Place) -> str:
    """A place as programs of this machine know it."""
    return str(place.mount / place.path)


def telling(work: Work, verb: str) -> Callable[[Progress], None]:
    """A progress function for movers that tells the job, e.g. "copied 1.2 GB of 1.9 GB"."""

    def tell(progress: Progress) -> None:
        fraction = progress.bytes_done / progress.bytes if progress.bytes else 1.0
        work.progress(
            fraction, f"{verb} {bytes_text(progress.bytes_done)} of {bytes_text(progress.bytes)}"
        )

    return tell
