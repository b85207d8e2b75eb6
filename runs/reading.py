"""Opening what the stores hold for somebody who may read it."""

from __future__ import annotations

import logging
import os
from typing import BinaryIO

from catalogue.ground.actor import Actor
from catalogue.ground.models import Store
from catalogue.ground.outcome import PortError
from catalogue.ground.refusal import Refused
from catalogue.ports.movers import Place
from runs import access, queries
from runs.models import Artifact, File, Run
from runs.workers import places

log = logging.getLogger(__name__)


class Unreadable(Exception):
    """There is no copy that can be read now; the sentence names no folder of the stores."""


def require_data(actor: Actor, run: Run) -> None:
    """Raise `Refused` where `actor` may not read the data of `run`."""
    if not access.may_read_data(actor, run):
        raise Refused(
            f"You may not read the data of {run.label}.", kind="permission", who="the team"
        )


def require_file(actor: Actor, file: File) -> None:
    """Raise `Refused` where `actor` may not read this file, which may be of a kind that is never
    open."""
    if not access.may_read_file(actor, file):
        raise Refused(
            f"You may not read the data of {file.data_group.run.label}.",
            kind="permission",
            who="the team",
        )


def open_file(file: File) -> BinaryIO:
    """The file, from the best replica. Raises `Unreadable`, also where the copy is not as long as
    the catalogue knows it."""
    replica = queries.readable_replica(file.data_group)
    if replica is None:
        raise Unreadable(f"No store holds a copy of {file.name} that can be read.")
    place = places.of_group(file.data_group, replica.store)
    return _open(replica.store, place, file.name, file.bytes)


def open_artifact(artifact: Artifact) -> BinaryIO:
    """A report or preview. Raises as `open_file`."""
    folder, _, name = artifact.path.rpartition("/")
    return _open(artifact.store, places.place(artifact.store, folder), name, artifact.bytes)


def _open(store: Store, place: Place, name: str, size: int) -> BinaryIO:
    try:
        opened = places.reader(store).open_read(place, name)
    except PortError as problem:
        log.warning("%s cannot be read: %s", name, problem)
        raise Unreadable(f"The copy of {name} in {store} cannot be read now.") from problem
    found = opened.seek(0, os.SEEK_END)
    opened.seek(0)
    if found != size:
        opened.close()
        raise Unreadable(f"The copy of {name} in {store} is not as long as the catalogue knows it.")
    return opened
