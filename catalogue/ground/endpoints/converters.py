"""Numbers in the paths of the API: `path("proposals/<proposal_number:number>", …)`.

They are written without leading zeros and read with them. (The pages' own are in
`catalogue.ground.addresses`: people write all digits.)
"""

from __future__ import annotations

from django.urls import register_converter

from catalogue.ground import inputs


class ProposalNumber:
    """0 to 999999."""

    regex = "[0-9]{1,6}"

    def to_python(self, value: str) -> int:
        return inputs.proposal_number(value)

    def to_url(self, value: int) -> str:
        return str(value)


class RunNumber:
    """1 to 9999."""

    regex = "[0-9]{1,4}"

    def to_python(self, value: str) -> int:
        return inputs.run_number(value)

    def to_url(self, value: int) -> str:
        return str(value)


class RowId:
    """An id of ours; what a database cannot hold has no row."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(ProposalNumber, "proposal_number")
register_converter(RunNumber, "run_number")
register_converter(RowId, "row_id")
