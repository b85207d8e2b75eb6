"""Calibration engines: RAW and constants in, PROC or new constants out, behind one contract."""

from __future__ import annotations

from catalogue.ports.engines.contract import Engine
from catalogue.ports.engines.embedded import EmbeddedEngine
from catalogue.ports.engines.null import NullEngine

_ENGINES: dict[str, type[EmbeddedEngine] | type[NullEngine]] = {
    "embedded": EmbeddedEngine,
    "null": NullEngine,
}

__all__ = ["EmbeddedEngine", "Engine", "NullEngine", "engine_for"]


def engine_for(name: str) -> Engine:
    """The engine a facility's setting names; ValueError lists the ones there are."""
    try:
        return _ENGINES[name]()
    except KeyError:
        raise ValueError(
            f"there is no calibration engine {name!r}; there are {', '.join(sorted(_ENGINES))}"
        ) from None
