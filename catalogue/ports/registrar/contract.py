"""What the house asks of a registrar of DOIs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class DoiState(StrEnum):
    """The states of a DOI at its registrar.

    A draft is known to its owner alone; a registered DOI resolves but is not found in searches; a
    findable one is public. None of the last two goes back to draft.
    """

    DRAFT = "draft"
    REGISTERED = "registered"
    FINDABLE = "findable"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the registrar holds after a call: read from its answer, not assumed."""

    doi: str
    state: DoiState
    url: str


class Registrar(Protocol):
    """Each verb says the state to reach, so it may be called again: after a time-out, by a second
    worker, or when the answer was lost on the way. Two equal calls end as one does.

    `metadata` is a DataCite JSON document (kernel 4.5), checked before anything is sent. Every verb
    raises Transient where the same call may succeed later, and Permanent where a person must act.
    """

    def register(self, doi: str, metadata: Mapping[str, Any], url: str) -> Receipt:
        """The DOI resolves to `url` and is internal: not findable, whatever it was before."""
        ...

    def publish(self, doi: str, metadata: Mapping[str, Any], url: str) -> Receipt:
        """The DOI resolves to `url` and is findable with these metadata."""
        ...

    def update(self, doi: str, metadata: Mapping[str, Any], url: str) -> Receipt:
        """New metadata and address for a DOI that exists; its state stays. Unknown: Permanent."""
        ...

    def hide(self, doi: str) -> Receipt:
        """A findable DOI is registered only. Permanent where it is unknown or still a draft."""
        ...

    def state(self, doi: str) -> DoiState | None:
        """Its state, None where the registrar does not know it. Drafts are seen by their owner."""
        ...
