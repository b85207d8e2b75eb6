"""Runs whose files are a detector's, as the demo's DAQ writes them, in a small facility."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from catalogue.demo.daq import Kind, RunSpec, RunWriter
from catalogue.ports.engines.files import Products
from catalogue.ports.pictures.contract import LookReceipt, LookRequest
from catalogue.ports.pictures.look import look
from proposals.models import Proposal
from runs import commands, registration
from runs.models import Run
from tests.factories import BEGIN, Facility


class Here:
    """The viewer that comes with the catalogue, without a process of its own: quicker."""

    name = "here"

    def look(self, request: LookRequest, **_: object) -> LookReceipt:
        output = Path(request.output_folder)
        parts = output / ".parts"
        parts.mkdir(exist_ok=True)
        return look(request, Products(output, parts), lambda fraction, text: None)


TYPES = {"data": "LCP SFX", "dark": "Dark", "test": "Test DAQ"}


def take(
    facility: Facility,
    proposal: Proposal,
    kind: Kind = "data",
    *,
    closed: bool = True,
    **facts: Any,
) -> Run:
    """A run of two modules and 30 trains in the online store, closed unless said otherwise."""
    number = commands.next_number(proposal, by=facility.daq)
    run: Run = commands.register(
        proposal, number=number, begin_at=BEGIN, by=facility.daq, first_train=10_000,
        experiment=facility.experiment(proposal, TYPES[kind]),
    )  # fmt: skip
    usual: dict[str, Any] = {"trains": 30, "modules": 2, "seed": 7, "sequences": 1}
    spec = RunSpec(
        folder=facility.raw_folder(run), proposal=proposal.number, run=number, kind=kind,
        first_train=10_000, began_at=BEGIN, **(usual | facts),
    )  # fmt: skip
    writer = RunWriter(spec)
    written = [f for n in range(writer.sequences) for f in writer.write_sequence(n)]
    rows = [{"name": f.path.name, "bytes": f.bytes, "sha256": f.sha256} for f in written]
    registration.register(run, kind="RAW", files=rows, by=facility.daq)
    if closed:
        run.refresh_from_db()
        end = BEGIN + timedelta(seconds=3)
        commands.close(run, end_at=end, last_train=spec.last_train, by=facility.daq)
    return run
