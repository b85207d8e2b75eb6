"""Data management plans and groups of data sources, which the client's own suite does not write."""

import json

import pytest
from metadata_client.modules import DataManagementPlan

SECTIONS = {
    "detector_details": "AGIPD1M, 10 Hz",
    "planned_technique_description": "Serial crystallography",
    "data_reduction_technique": "Hit finding",
    "estimated_raw_data_size": "1,5 PB",
    "estimated_proc_data_size": "2.5",
    "estimated_user_nodes_cpu": "12",
    "estimated_user_nodes_gpu": "1",
    "estimated_damnit_nodes_cpu": "2",
    "estimated_damnit_nodes_gpu": "0",
    "estimated_data_collection_hours": "60",
    "data_support_scope": "On shift",
}


def done(response):
    """The data of a call that has to succeed."""
    assert response["success"], (response["info"], response["app_info"])
    return response["data"]


class TestPlans:
    @pytest.fixture
    def plan(self, metadata, unlike):
        """A new plan of proposal 900966; it is gone afterwards."""
        plan = DataManagementPlan(
            metadata, name=unlike.name("plan"), identifier=unlike.name("DMP"), proposal_id="-3",
            flg_available="true", description="As planned", **SECTIONS,
        )  # fmt: skip
        done(plan.create())
        yield plan
        DataManagementPlan.delete_by_id(metadata, plan.id)

    def test_it_is_read_back_as_it_was_written(self, metadata, plan):
        found = done(DataManagementPlan.get_by_id(metadata, plan.id))
        assert (found["name"], found["proposal_id"]) == (plan.name, -3)
        assert found["flg_available"] is True
        assert {name: str(found[name]) for name in SECTIONS} == SECTIONS

    def test_it_is_found_by_its_proposal(self, metadata, plan):
        found = done(DataManagementPlan.get_all_by_proposal_id(metadata, -3))
        assert plan.id in [one["id"] for one in found]
        assert {one["proposal_id"] for one in found} == {-3}

    def test_what_is_not_said_in_an_update_stays(self, metadata, plan):
        changed = DataManagementPlan(
            metadata, name=plan.name, identifier=plan.identifier, proposal_id="-3",
            flg_available="false", description="", estimated_raw_data_size="3 PB",
        )  # fmt: skip
        changed.id = plan.id
        told = done(changed.update())
        assert (told["flg_available"], told["estimated_raw_data_size"]) == (False, "3 PB")
        assert told["detector_details"] == SECTIONS["detector_details"]

    def test_it_is_deleted(self, metadata, plan):
        assert plan.delete()["success"]
        gone = DataManagementPlan.get_by_id(metadata, plan.id)
        assert (gone["success"], gone["app_info"]) == (False, "Resource not found!")

    def test_of_a_proposal_that_is_not_there_none_is_made(self, metadata, unlike):
        plan = DataManagementPlan(
            metadata, name=unlike.name("plan"), identifier=unlike.name("DMP"), proposal_id="-666",
            flg_available="true",
        )  # fmt: skip
        assert plan.create()["app_info"] == {"proposal": ["must exist"]}


class TestSourceGroups:
    @pytest.fixture
    def group(self, metadata, unlike):
        """The name of a group of the test topic, with two versions v0001 and v0002."""
        name = unlike.name("DAQ_DATA/DM/GROUP")
        told = {"name": name, "topic_id": -1, "group_identifier": unlike.name("G"),
                "flg_available": "true", "description": "", "user_id": -1}  # fmt: skip
        made = self.post(metadata, "data_source_groups", {"data_source_group": told})
        for version in ("v0001", "v0002"):
            told = {"name": version, "data_source_group_id": made["id"], "flg_status": "N",
                    "xml_content": '[{"source":"TEST","monitored":1}]'}  # fmt: skip
            self.post(metadata, "data_source_group_versions", {"data_source_group_version": told})
        return name

    def post(self, metadata, path, body):
        """The client has no method that makes them; the DAQ's own tools do."""
        answer = metadata.api_post(metadata.get_api_url(f"{path}/"), data=json.dumps(body))
        assert answer.status_code == 201, answer.content
        return json.loads(answer.content)

    def test_a_version_is_found_by_names(self, metadata, group):
        [found] = done(metadata.get_data_source_group(group))
        assert (found["name"], found["topic_id"]) == (group, -1)
        version = metadata.get_data_source_group_version_by_name(group, "v0002")
        assert (version["name"], version["flg_status"]) == ("v0002", "N")
        assert version["data_source_group_id"] == found["id"]
        [same] = done(metadata.get_data_source_group_version(found["id"], "v0002"))
        assert same["id"] == version["id"]
        assert metadata.get_data_source_group_version_by_name(group, "v0003") is None

    def test_deploying_stamps_the_time(self, metadata, group):
        told = metadata.deploy_data_source_group_version(group, "v0001")
        assert (told["success"], told["info"]) == (True, "DSG version deployed successfully")
        version = metadata.get_data_source_group_version_by_name(group, "v0001")
        assert version["flg_status"] == "D"
        assert version["last_deployed_at"] is not None

    def test_deploying_again_does_nothing(self, metadata, group):
        metadata.deploy_data_source_group_version(group, "v0001")
        again = metadata.deploy_data_source_group_version(group, "v0001")
        assert again["info"] == "DSG version already marked as deployed. Nothing to do."

    def test_what_is_not_there_is_not_deployed(self, metadata, group):
        told = metadata.deploy_data_source_group_version(group, "v0009")
        assert (told["success"], told["info"]) == (False, "DSG version not found")
