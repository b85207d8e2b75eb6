"""Proposals and runs as people write them in an address: `/proposals/002012/runs/0082`.

Addresses are written with all digits and read with fewer: `/proposals/2012` leads to the same page.
"""

from __future__ import annotations

from django.urls import register_converter


class ProposalNumber:
    """`002012` in the address, 2012 in the view."""

    regex = "[0-9]{1,6}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return f"{value:06d}"


class RunNumber:
    """`0082` in the address, 82 in the view."""

    regex = "[0-9]{1,4}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return f"{value:04d}"


class RowId:
    """What has neither number nor name that fits in an address."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(RowId, "row")
register_converter(ProposalNumber, "proposal")
register_converter(RunNumber, "run")
