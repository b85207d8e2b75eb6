"""No directory: nothing is written anywhere, and the proposal's page says so."""

from __future__ import annotations

from collections.abc import Sequence

from catalogue.ports.directory.contract import Configured, Group


class NullDirectory:
    """Stands in where the facility's directory is not configured."""

    is_there = False

    def look(self, group: str) -> Group | None:
        """Nothing is known of any group."""
        return None

    def configure(self, group: str, members: Sequence[str]) -> Configured:
        """Report what would have been written."""
        people = ", ".join(members) or "nobody"
        note = f"No directory is configured: the group {group} with {people} was not written."
        return Configured(group=group, members=tuple(members), not_done=(note,))
