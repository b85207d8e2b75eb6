"""A small demo facility on disk, with data of every kind that is kept: `python -m … FOLDER`.

The past is loaded, two runs of a detector with one module are added by the verbs, one of them
corrected with constants from the other, and the open proposal is packaged. No site runs.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from catalogue.demo import facility
from catalogue.demo.daq import RunSpec, RunWriter
from catalogue.demo.datacite_server import DataCiteServer
from catalogue.demo.entering import enter
from catalogue.demo.layout import REGISTRAR_PASSWORD, REGISTRAR_USER, Layout

NUMBER = 900054


def build(layout: Layout) -> None:
    """Make it."""
    enter(layout, 8765)
    # why: models can be imported only after django.setup()
    from django.conf import settings

    from catalogue.ground import lifecycle
    from catalogue.ground.actor import COMMAND
    from catalogue.ground.models import DetectorUnit
    from proposals import commands
    from proposals.models import Proposal
    from runs import calibrating, packaging

    DetectorUnit.objects.exclude(module_number=0).delete()
    proposal = Proposal.objects.get(number=NUMBER)
    commands.adopt(proposal, state="A", by=COMMAND)
    spec = RunSpec(
        folder=layout.stores / "online" / proposal.path / "raw" / "r0003",
        proposal=NUMBER,
        run=3,
        kind="dark",
        trains=160,
        first_train=1000,
        began_at=datetime.now(UTC) - timedelta(minutes=1),
        seed=NUMBER,
        sequences=1,
        modules=1,
    )
    dark = take(proposal, spec, facility.DARK.name)
    folder = spec.folder.with_name("r0004")
    good = replace(spec, folder=folder, run=4, kind="data", trains=30, first_train=2000)
    data = take(proposal, good, facility.LCP_SFX.name)
    calibrating.request_dark(dark, by=COMMAND)
    lifecycle.perform_due()
    calibrating.request_calibration(data, by=COMMAND)
    packaging.request_package(Proposal.objects.get(number=2012), by=COMMAND)
    with DataCiteServer(
        layout.registrar, username=REGISTRAR_USER, password=REGISTRAR_PASSWORD
    ) as registrar:
        settings.REGISTRAR_URL = registrar.url
        lifecycle.perform_due()
        for job in held():
            lifecycle.retry(job, by=COMMAND, reason="The registrar answers now.")
        lifecycle.perform_due()


def held():
    # why: as above
    from catalogue.ground.models import Job

    return list(Job.objects.filter(state="held"))


def take(proposal, spec: RunSpec, kind: str):
    """A Good run with its files on disk and registered."""
    # why: as above
    from catalogue.ground.actor import COMMAND
    from catalogue.ground.models import ExperimentType
    from proposals import commands
    from runs import commands as runs
    from runs import registration

    experiment = commands.add_experiment(
        proposal, name=kind, type=ExperimentType.objects.get(name=kind), by=COMMAND
    )
    run = runs.register(
        proposal, number=spec.run, begin_at=spec.began_at, first_train=spec.first_train,
        experiment=experiment, by=COMMAND,
    )  # fmt: skip
    files = RunWriter(spec).write_sequence(0)
    rows = [{"name": f.path.name, "bytes": f.bytes, "sha256": f.sha256} for f in files]
    registration.register(run, kind="RAW", files=rows, by=COMMAND)
    runs.close(run, end_at=spec.ended_at, last_train=spec.last_train, by=COMMAND)
    runs.assess(run, quality="good", by=COMMAND)
    return run


if __name__ == "__main__":
    build(Layout(Path(sys.argv[1])))
