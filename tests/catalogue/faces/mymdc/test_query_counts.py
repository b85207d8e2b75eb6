"""What programs read most asks the database as often for many rows as for few, for staff and for a
member of the team. The numbers are frozen: one that grows is looked at, not raised."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalogue.ground import clock, lifecycle
from catalogue.ground.models import Detector
from proposals.models import Proposal
from runs import calibrating, commands
from runs.models import Report, Run
from tests.factories import Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db

# path (n: the number of the proposal, r: the id of its first run) -> queries, with the token
FROZEN = {
    "runs/{r}": 9,
    "runs?page_size=100": 10,
    "proposals/by_number/{n}/runs?page_size=100": 10,
    "data_groups?page_size=100": 5,
    "data_groups_repositories?page_size=500": 5,
    "dataset_files?page_size=500": 5,
}


def _grow(facility: Facility, proposal: Proposal, times: int) -> None:
    """More of everything that is told: runs with marks, files, copies, corrections, reports."""
    detector = Detector.objects.first() or facility.detector()
    for _ in range(times):
        run = facility.run(proposal, files=3)
        commands.assess(run, quality="good", by=facility.staff)
        calibrating.request_calibration(run, by=facility.staff, detector=detector)
        Report.objects.create(run=run, name="a.pdf", path="/reports", made_at=clock.now())
    lifecycle.perform_due()


def _asked(legacy: Legacy, path: str) -> int:
    legacy.get(path)  # notes when its program last came
    with CaptureQueriesContext(connection) as queries:
        assert legacy.get(path).status_code == 200
    return len(queries)


@pytest.mark.parametrize("who", ["staff", "member"])
def test_many_rows_take_as_many_queries_as_few(facility: Facility, who: str) -> None:
    facility.policy()
    proposal = facility.proposal(state="A", calibrates_by_itself=False)
    _grow(facility, proposal, 1)
    run = Run.objects.get(proposal=proposal)
    if who == "staff":
        legacy = Legacy(facility)
    else:
        member = proposal.memberships.get(role="pi").user
        legacy = Legacy(facility, member, scopes=["read"])
    paths = {path: path.format(n=proposal.number, r=run.pk) for path in FROZEN}
    few = {path: _asked(legacy, real) for path, real in paths.items()}
    _grow(facility, proposal, 3)
    many = {path: _asked(legacy, real) for path, real in paths.items()}
    assert many == few
    assert few == FROZEN
