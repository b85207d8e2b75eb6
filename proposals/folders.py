"""Where a proposal's folders are, and which mover of ours reaches them."""

from __future__ import annotations

from pathlib import Path

from catalogue.ground.models import Store
from catalogue.ports.movers import Mover, Place, mover_for


def place(store: Store, path: str) -> Place:
    """A folder inside a store."""
    return Place(mount=Path(store.mount), path=path)


def mover(store: Store) -> Mover:
    """Who makes folders there: also where an external program brings the data, if the store is
    mounted here."""
    return mover_for("posix" if store.is_external else store.agent)
