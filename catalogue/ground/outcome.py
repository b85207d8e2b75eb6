"""The ways in which work beyond a port fails.

Every port sorts what goes wrong into one of these: all that jobs need to know is who acts next.
"""

from __future__ import annotations

from collections.abc import Mapping


class PortError(Exception):
    """A port could not do what was asked.

    `reason` is one sentence for people; `evidence` holds the facts behind it (file name, checksums,
    HTTP status …) as plain JSON values, shown on the job's page and written to the journal.
    """

    def __init__(self, reason: str, /, **evidence: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.evidence: Mapping[str, object] = evidence

    def __str__(self) -> str:
        return self.reason


class Transient(PortError):
    """It may work later without anybody acting: the job backs off and tries again.

    `retry_after` (seconds) is what the other side asked for, if it did.
    """

    def __init__(
        self, reason: str, /, *, retry_after: float | None = None, **evidence: object
    ) -> None:
        super().__init__(reason, **evidence)
        self.retry_after = retry_after


class Permanent(PortError):
    """It will not work until a person has acted: the job is held with the reason."""


class Cancelled(PortError):
    """The work was taken back while it ran; nothing half-made is left."""
