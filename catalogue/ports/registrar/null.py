"""No registrar: what a site has until it is given one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalogue.ports.outcome import Permanent
from catalogue.ports.registrar.contract import DoiState, Receipt


class NullRegistrar:
    """Knows no DOI and registers none.

    It refuses rather than pretends: a receipt from nowhere would put a DOI on a page that resolves
    nowhere. The job is held with the reason, and goes on when a registrar is configured.
    """

    def register(self, doi: str, metadata: Mapping[str, Any], url: str) -> Receipt:
        raise _none(doi)

    def publish(self, doi: str, metadata: Mapping[str, Any], url: str) -> Receipt:
        raise _none(doi)

    def update(self, doi: str, metadata: Mapping[str, Any], url: str) -> Receipt:
        raise _none(doi)

    def hide(self, doi: str) -> Receipt:
        raise _none(doi)

    def state(self, doi: str) -> DoiState | None:
        return None


def _none(doi: str) -> Permanent:
    return Permanent("No DOI registrar is configured (REGISTRAR_URL is empty).", doi=doi)
