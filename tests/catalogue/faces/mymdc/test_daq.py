"""What a DAQ is configured with, and DOIs of others, over the legacy API."""

from __future__ import annotations

from typing import Any

import pytest

from catalogue.ground.models import Doi, Topic
from proposals.models import DataSourceGroup
from tests.factories import Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db
SOURCES = '[{"source":"TEST","monitored":1}]'


@pytest.fixture
def legacy(facility: Facility) -> Legacy:
    return Legacy(facility)


@pytest.fixture
def group(facility: Facility, legacy: Legacy) -> dict[str, Any]:
    topic = Topic.objects.create(name="SA1")
    given = {
        "name": "SPB_DAQ_DATA/DM/SPB_1_GROUP", "topic_id": topic.pk, "group_identifier": "SPB_1",
        "flg_available": "true", "user_id": facility.person().pk, "active_version_id": "",
    }  # fmt: skip
    made = legacy.post("data_source_groups/", {"data_source_group": given})
    assert made.status_code == 201, made.json()
    row: dict[str, Any] = made.json()
    return row


def version(legacy: Legacy, group: dict[str, Any], name: str, **more: Any) -> dict[str, Any]:
    given = {"name": name, "data_source_group_id": group["id"], "xml_content": SOURCES, **more}
    made = legacy.post("data_source_group_versions", {"data_source_group_version": given})
    assert made.status_code == 201, made.json()
    row: dict[str, Any] = made.json()
    return row


def test_a_version_is_deployed(legacy: Legacy, group: dict[str, Any]) -> None:
    first, second = version(legacy, group, "v0001"), version(legacy, group, "v0002")
    assert (first["flg_status"], first["last_deployed_at"]) == ("N", None)
    path = f"data_source_group_versions/{first['id']}"
    deploy = {"last_deployed_at": None, "flg_status": "D"}
    deployed = legacy.put(path, deploy).json()
    assert (deployed["flg_status"], deployed["xml_content"]) == ("D", SOURCES)
    assert deployed["last_deployed_at"]
    described = legacy.put(path, {"description": "x"}).json()
    assert described["last_deployed_at"] == deployed["last_deployed_at"]
    again = legacy.put(path, deploy).json()
    assert again["last_deployed_at"] > deployed["last_deployed_at"]
    now = legacy.get(f"data_source_groups/{group['topic_id']}/last_deployed").json()
    assert now["topic"] == group["topic_id"]
    assert now["data_source_group_version"] == again
    assert now["data_source_group"]["active_version_id"] == first["id"]
    legacy.put(f"data_source_group_versions/{second['id']}", {"flg_status": "S"})
    changed = legacy.get(f"data_source_groups/{group['topic_id']}/last_modified").json()
    assert changed["data_source_group_version"]["id"] == second["id"]
    assert legacy.delete(path).status_code == 422
    assert legacy.delete(f"data_source_groups/{group['id']}").status_code == 422
    assert legacy.delete(f"data_source_group_versions/{second['id']}").status_code == 204


def test_a_topic_without_versions(legacy: Legacy, group: dict[str, Any]) -> None:
    for which in ("last_deployed", "last_modified"):
        assert legacy.get(f"data_source_groups/{group['topic_id']}/{which}").status_code == 404
        assert legacy.get(f"data_source_groups/-77/{which}").status_code == 404


def test_what_is_wrong_with_them(legacy: Legacy, group: dict[str, Any], facility: Facility) -> None:
    missing = legacy.post("data_source_groups", {}).json()["info"]
    blank = ["can't be blank"]
    assert missing == {"topic_id": blank, "group_identifier": blank, "user_id": blank}
    other = {**group, "name": "other", "active_version_id": None}
    second = legacy.post("data_source_groups", {"data_source_group": other}).json()
    made = version(legacy, second, "v1")
    wrong = legacy.put(f"data_source_groups/{group['id']}", {"active_version_id": made["id"]})
    assert (wrong.status_code, set(wrong.json()["info"])) == (422, {"active_version"})
    status = legacy.put(f"data_source_group_versions/{made['id']}", {"flg_status": "X"}).json()
    assert status == {"info": {"flg_status": ["is not included in the list"]}}
    someone = Legacy(facility, facility.person(), scopes=["read", "write"])
    refused = someone.put(f"data_source_groups/{group['id']}", {"description": "x"})
    assert refused.status_code == 403
    daq = Legacy(facility, facility.person(), scopes=["daq"])
    assert daq.put(f"data_source_groups/{group['id']}", {"description": "x"}).status_code == 200
    assert DataSourceGroup.objects.get(pk=group["id"]).description == "x"


def test_a_doi_of_something_elsewhere(legacy: Legacy, facility: Facility) -> None:
    given = {
        "doi": "10.22003/XFEL.EU-DATA-600012-00", "context_class": "Proposal",
        "context_model": "proposals", "context_id": "-7", "flg_published": False,
    }  # fmt: skip
    path = "digital_object_identifiers"
    row = legacy.post(path, {"digital_object_identifier": given}).json()
    assert {name: row[name] for name in given} == {**given, "context_id": -7}
    taken = legacy.post(path, {**given, "doi": given["doi"].lower()}).json()
    assert taken == {"info": {"doi": ["has already been taken"]}}
    assert legacy.get(f"{path}?flg_published=false&context_id=-7").json() == [row]
    published = legacy.put(f"{path}/{row['id']}", {"flg_published": "true"})
    assert published.status_code == 422
    after = legacy.put(f"{path}/{row['id']}", {"description": "x"}).json()
    assert after == {**row, "description": "x"}
    someone = Legacy(facility, facility.person(), scopes=["read", "write"])
    assert someone.delete(f"{path}/{row['id']}").status_code == 403
    assert legacy.delete(f"{path}/{row['id']}").status_code == 204


def test_dois_of_proposals_are_the_catalogues(legacy: Legacy, facility: Facility) -> None:
    proposal = facility.proposal()
    doi = Doi.objects.create(name="10.5072/x", url="", proposal=proposal.number)
    path = f"digital_object_identifiers/{doi.pk}"
    assert legacy.put(path, {"description": "x"}).status_code == 422
    assert legacy.delete(path).status_code == 422
    stranger = Legacy(facility, facility.person(), scopes=["read"])
    assert stranger.get(path).status_code == 404
    assert stranger.get("digital_object_identifiers").content == b"[]"
