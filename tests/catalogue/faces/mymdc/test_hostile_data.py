"""What a program may say of data, at the worst moment or in the worst order, harms none of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from catalogue.ground.models import Store
from proposals.commands import release_those_due
from proposals.models import Proposal
from runs import filing, grouping
from runs.models import DataGroup, Replica
from tests.catalogue.faces.mymdc.facts import file_of, group_of, made, register
from tests.catalogue.faces.mymdc.test_dataset_files import counts_are_right
from tests.factories import Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db
MORE = {"name": "b.h5", "bytes": 7, "adler32": "0a1b2c3d"}


@pytest.fixture
def legacy(facility: Facility) -> Legacy:
    return Legacy(facility)


@pytest.fixture
def proposal(facility: Facility) -> Proposal:
    return facility.proposal(state="A")


def test_a_change_of_a_group_leaves_the_files_counted_that_come_meanwhile(
    legacy: Legacy, facility: Facility, proposal: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, group = register(legacy, facility, proposal)
    made(legacy.post("dataset_files", file_of(group, "a.h5")))
    require = grouping.require_any

    def meanwhile(*given: Any) -> None:
        monkeypatch.undo()
        row = DataGroup.objects.get(pk=group["id"])
        filing.enter([{"data_group": row, **MORE}], by=facility.daq)
        require(*given)

    monkeypatch.setattr(grouping, "require_any", meanwhile)
    assert legacy.put(f"data_groups/{group['id']}", {"description": "x"}).status_code == 200
    counts_are_right()
    assert DataGroup.objects.get().file_count == 2


def test_no_two_groups_of_a_run_lie_in_one_folder(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    """Else what is removed of one takes the other's files along."""
    run, _ = register(legacy, facility, proposal)
    made(legacy.post("data_group_types", {"name": "odd", "identifier": "A/../../RAW"}))
    for kind in legacy.get("data_group_types").json():
        for _ in range(2):
            sent = group_of(legacy, run, data_group_type_id=kind["id"])
            made(legacy.post("data_groups", {"data_group": sent}))
    folders = [group.folder for group in DataGroup.objects.all()]
    assert len(set(folders)) == len(folders) > 10
    assert not [folder for folder in folders if ".." in folder.split("/")]


def test_a_repository_stays_where_it_is_while_data_lie_there(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    """What was read back was read there, and nowhere else."""
    _, group = register(legacy, facility, proposal)
    made(legacy.post("dataset_files", file_of(group, "a.h5")))
    there = facility.stores["export"]
    Store.objects.filter(pk=there.pk).update(agent=Store.EXTERNAL)
    replica = {"data_group_id": group["id"], "repository_id": there.pk, "flg_available": True}
    link = made(legacy.post("data_groups_repositories", {"data_group_repository": replica}))
    path = f"repositories/{there.pk}"
    moved = {"repository": {"mount_point": "/elsewhere"}}
    assert legacy.put(path, moved).status_code == 422
    assert legacy.put(path, {"repository": {"description": "same place"}}).status_code == 200
    link["flg_available"] = False
    assert legacy.put(f"data_groups_repositories/{link['id']}", link).status_code == 200
    assert legacy.put(path, moved).status_code == 200


@pytest.mark.parametrize("what", ["instruments", "instrument_cycles"])
def test_what_paths_are_made_of_stays_while_proposals_have_folders(
    legacy: Legacy, facility: Facility, proposal: Proposal, what: str
) -> None:
    row = facility.instrument if what == "instruments" else facility.cycle
    wrapper = what.removesuffix("s")
    path = f"{what}/{row.pk}"
    assert legacy.put(path, {wrapper: {"identifier": "999999"}}).status_code == 422
    assert legacy.put(path, {wrapper: {"description": "the same"}}).status_code == 200


def test_a_copy_that_was_read_back_and_lost_is_not_forgotten(
    legacy: Legacy, facility: Facility, proposal: Proposal
) -> None:
    """Its loss is an alarm; and what it was compared with stands."""
    run = facility.run(proposal)
    replica = Replica.objects.get(data_group__run=run)
    Replica.objects.filter(pk=replica.pk).update(
        state="verified", verified_at=timezone.now(), first_verified_at=timezone.now(),
        checksum="a" * 64,
    )  # fmt: skip
    gone = {"data_group_repository": {"flg_available": False}}
    assert legacy.put(f"data_groups_repositories/{replica.pk}", gone).status_code == 200
    group = replica.data_group_id
    assert legacy.delete(f"data_groups_repositories/{replica.pk}").status_code == 422
    assert legacy.delete(f"data_groups/{group}").status_code == 422
    assert legacy.delete(f"runs/{run.pk}").status_code == 422
    file = legacy.get(f"dataset_files?data_group_id={group}").json()[0]
    for change in ({"byte_size": 5}, {"checksum": "00000000"}, {"filename": "x.h5"}):
        answer = legacy.put(f"dataset_files/{file['id']}", {"dataset_file": change})
        assert answer.status_code == 422
    assert legacy.delete(f"dataset_files/{file['id']}").status_code == 422
    counts_are_right()


@pytest.mark.parametrize("told", ["at first", "afterwards"])
def test_no_program_opens_data_by_what_it_says_of_dates_and_states(
    legacy: Legacy, facility: Facility, proposal: Proposal, told: str
) -> None:
    """Early release takes two people."""
    cycle, person = facility.cycle.pk, facility.person().pk
    sent = {
        "number": 2500, "title": "Old", "instrument_id": facility.instrument.pk,
        "instrument_cycle_id": cycle, "principal_investigator_id": person,
        "main_proposer_id": person, "end_at": "1990-01-01" if told == "at first" else None,
    }  # fmt: skip
    row = made(legacy.post("proposals", {"proposal": sent}))
    if told == "at first":
        block = {"begin_at": "2026-11-01", "end_at": "2026-11-02", "proposal_id": row["id"]}
        made(legacy.post("beamtimes", {"beamtime": block}))
    path = f"proposals/{row['id']}"
    assert legacy.put(path, {"proposal": {"flg_beamtime_status": "FR"}}).status_code == 200
    if told == "afterwards":
        assert legacy.put(path, {"proposal": {"end_at": "1990-01-01"}}).status_code == 200
    release_those_due(timezone.now())
    found = Proposal.objects.get(pk=row["id"])
    assert (found.state, found.access) == ("FR", "embargoed")
