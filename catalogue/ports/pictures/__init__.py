"""Looking into the files of a run: its sources and trains, a picture, a plot; one contract."""

from __future__ import annotations

from catalogue.ports.pictures.contract import Viewer
from catalogue.ports.pictures.embedded import EmbeddedViewer
from catalogue.ports.pictures.null import NullViewer

_VIEWERS: dict[str, type[EmbeddedViewer] | type[NullViewer]] = {
    "embedded": EmbeddedViewer,
    "null": NullViewer,
}

__all__ = ["EmbeddedViewer", "NullViewer", "Viewer", "viewer_for"]


def viewer_for(name: str) -> Viewer:
    """The viewer a facility's setting names; ValueError lists the ones there are."""
    try:
        return _VIEWERS[name]()
    except KeyError:
        raise ValueError(
            f"there is nobody {name!r} to look into files; there are {', '.join(sorted(_VIEWERS))}"
        ) from None
