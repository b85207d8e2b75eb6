"""Techniques, repositories, instruments and cycles over the legacy API."""

from __future__ import annotations

from typing import Any

import pytest

from catalogue.ground.models import Appointment, Cycle, DataKind, Entry, Instrument, Store
from tests.factories import Facility, InstrumentFactory
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db
TAKEN = ["has already been taken"]
REPOSITORY = {
    "name": "Tests",
    "identifier": "TESTS",
    "img_url": "https://example.org/i.png",
    "mount_point": "/webstorage",
    "transfer_agent_identifier": "tests",
    "transfer_agent_server_url": "tcp://example.org:5557",
    "flg_context": "Local",
    "flg_available": "true",
    "description": "",
}


@pytest.fixture
def legacy(facility: Facility) -> Legacy:
    return Legacy(facility)


def test_a_technique_and_where_it_is_possible(legacy: Legacy, facility: Facility) -> None:
    other = InstrumentFactory(identifier="FXE")
    given = {"identifier": "T1", "name": "Tomography", "url": "", "flg_xfel_available": "1"}
    body = {"technique": {**given, "instrument_ids": [facility.instrument.pk]}}
    row = legacy.post("techniques/", body).json()
    assert (row["flg_available"], row["flg_xfel_available"]) == (True, True)
    assert row["instrument_ids"] == [facility.instrument.pk]
    path = f"techniques/{row['id']}"
    more = legacy.post(f"{path}/add_instruments", {"technique": {"instrument_ids": [other.pk]}})
    assert more.status_code == 201
    assert {i["identifier"] for i in more.json()["instruments"]} == {"SPB", "FXE"}
    wrong = legacy.post(f"{path}/add_instruments", {"technique": {"instrument_ids": [-5]}})
    assert wrong.json() == {"info": {"instrument_ids": ["must exist"]}}
    assert legacy.put(path, {"name": "CT"}).json()["instrument_ids"] == [
        facility.instrument.pk, other.pk,
    ]  # fmt: skip
    again = legacy.post("techniques", {**given, "name": "CT"})
    assert again.json() == {"info": {"identifier": TAKEN, "name": TAKEN}}
    long = legacy.post("techniques", {**given, "identifier": "T2", "name": "n" * 81}).json()
    assert long == {"info": {"name": ["is too long (maximum is 80 characters)"]}}
    embedded = legacy.get(f"instruments/{other.pk}").json()["techniques"]
    assert [t["name"] for t in embedded] == ["CT"]
    assert set(embedded[0]) == {
        "id", "identifier", "name", "url", "flg_available", "description",
    }  # fmt: skip
    assert legacy.delete(path).status_code == 204


def test_a_repository_is_an_external_store(legacy: Legacy) -> None:
    raw = DataKind.objects.get(identifier="RAW")
    body = {**REPOSITORY, "rank": "-1", "data_group_type_id": str(raw.pk)}
    row = legacy.post("repositories/", {"repository": body}).json()
    expected = {**body, "flg_available": True, "rank": -1, "data_group_type_id": raw.pk}
    assert row == {"id": row["id"], **expected}
    store = Store.objects.get(pk=row["id"])
    assert (store.tier, store.agent, store.kind) == ("elsewhere", "external", "RAW")
    assert legacy.get("repositories/?identifier=TESTS").json() == [row]
    assert legacy.get(f"repositories?data_group_type_id={raw.pk}").json() == [row]
    taken = legacy.post("repositories", REPOSITORY).json()["info"]
    assert taken == {
        "identifier": TAKEN, "name": TAKEN,
        "transfer_agent_identifier": TAKEN, "transfer_agent_server_url": TAKEN,
    }  # fmt: skip
    after = legacy.put(f"repositories/{row['id']}", {"mount_point": "/other", "rank": None})
    assert (after.json()["mount_point"], after.json()["rank"]) == ("/other", 0)
    high = legacy.put(f"repositories/{row['id']}", {"rank": 2**20}).json()
    assert high == {"info": {"rank": ["must be less than or equal to 32767"]}}
    assert legacy.delete(f"repositories/{row['id']}").status_code == 204


def test_where_our_own_movers_work_stands_fast(legacy: Legacy, facility: Facility) -> None:
    store = facility.stores["online"]
    row = legacy.get("repositories?identifier=online").json()[0]
    same = legacy.put(f"repositories/{store.pk}", {"mount_point": row["mount_point"]})
    assert same.status_code == 200
    refused = legacy.put(f"repositories/{store.pk}", {"mount_point": "/elsewhere"})
    assert refused.status_code == 422
    store.refresh_from_db()
    assert store.mount == row["mount_point"]
    in_use = legacy.delete(f"repositories/{store.pk}")
    assert in_use.status_code == 422


def test_an_instrument_and_who_leads_it(legacy: Legacy, facility: Facility) -> None:
    leader, heir = facility.person(), facility.person()
    given: dict[str, Any] = {
        "name": "Test", "identifier": "TST", "url": "https://example.org/",
        "instrument_leader_id": leader.pk, "repository_id": facility.stores["online"].pk,
        "dsg_host": "host", "system_user": "user", "flg_online_resource": "true",
        "online_script": "make_online", "doi": "",
    }  # fmt: skip
    row = legacy.post("instruments", {"instrument": given}).json()
    assert {name: row[name] for name in given} == {**given, "flg_online_resource": True}
    assert row["deputy_instrument_leader_id"] is None
    held = Appointment.objects.get(user=leader)
    assert (held.role, held.instrument_id) == ("instrument_leader", row["id"])
    path = f"instruments/{row['id']}"
    body = {"instrument_leader_id": heir.pk, "deputy_instrument_leader_id": leader.pk}
    after = legacy.put(path, body).json()
    assert (after["instrument_leader_id"], after["deputy_instrument_leader_id"]) == (
        heir.pk, leader.pk,
    )  # fmt: skip
    assert legacy.get(f"instruments?instrument_leader_id={heir.pk}").json()
    told = Entry.objects.filter(move="appoint").count()
    assert legacy.put(path, body).json() == after
    assert Entry.objects.filter(move="appoint").count() == told == 3
    vacant = legacy.put(path, {"deputy_instrument_leader_id": ""}).json()
    assert vacant["deputy_instrument_leader_id"] is None
    assert not Appointment.objects.filter(user=leader).exists()


def test_an_instrument_follows_its_cycle(legacy: Legacy, facility: Facility) -> None:
    other = InstrumentFactory(identifier="FXE")
    given = {
        "identifier": 202401, "url": "https://example.org/c", "begin_at": "2024-01-01T00:00:00Z",
        "instrument_id": str(facility.instrument.pk), "end_at": "2024-06-30T00:00:00Z",
        "start_call_at": "2023-06-01T00:00:00+02:00", "close_call_at": "",
        "flg_proposal_system": "upex",
    }  # fmt: skip
    row = legacy.post("instrument_cycles/", {"instrument_cycle": given}).json()
    assert (row["identifier"], row["instrument_identifier"]) == ("202401", "SPB")
    assert (row["begin_at"], row["close_call_at"]) == ("2024-01-01T01:00:00.000+01:00", None)
    taken = legacy.post("instrument_cycles", given).json()["info"]
    assert taken == {"identifier": TAKEN, "instrument_id": TAKEN, "url": TAKEN}
    path = f"instrument_cycles/{row['id']}"
    after = legacy.put(path, {"instrument_id": other.pk}).json()
    assert after["instrument_identifier"] == "FXE"
    backwards = legacy.put(path, {"end_at": "2023-01-01T00:00:00Z"})
    assert backwards.json() == {"info": {"end_at": ["must not be before begin_at"]}}
    missing = legacy.post("instrument_cycles", {}).json()["info"]
    assert set(missing) == {"identifier", "instrument_id", "begin_at", "end_at"}
    assert legacy.delete(path).status_code == 204
    assert legacy.delete(f"instrument_cycles/{facility.cycle.pk}").status_code == 204


def test_a_cycle_with_proposals_stays(legacy: Legacy, facility: Facility) -> None:
    facility.proposal()
    refused = legacy.delete(f"instrument_cycles/{facility.cycle.pk}")
    assert refused.status_code == 422
    assert Cycle.objects.filter(pk=facility.cycle.pk).exists()


def test_who_does_not_administer_changes_none_of_it(facility: Facility) -> None:
    scientist = facility.person("instrument_scientist", instrument=True)
    theirs = Legacy(facility, scientist)
    assert theirs.post("repositories", REPOSITORY).status_code == 403
    assert theirs.post("techniques", {"identifier": "x", "name": "x"}).status_code == 403
    own = f"instruments/{facility.instrument.pk}"
    body = {"instrument_leader_id": scientist.pk}
    assert theirs.put(own, body).status_code == 403
    assert theirs.delete(own).status_code == 403
    assert not Appointment.objects.filter(role="instrument_leader").exists()
    assert Instrument.objects.filter(pk=facility.instrument.pk).exists()
    assert theirs.get(own).status_code == 200
