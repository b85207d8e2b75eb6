"""What belongs to a proposal: experiments, samples, plans, techniques, remote devices."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from catalogue.faces.mymdc.call import Call
from catalogue.faces.mymdc.columns import Column, integer, refers, shown, text
from catalogue.faces.mymdc.metadata import facility, rules
from catalogue.faces.mymdc.metadata.team import proposal_id
from catalogue.faces.mymdc.resource import Resource, Unique
from catalogue.ground.actor import Actor
from catalogue.ground.models import ExperimentType, SampleType, Technique
from proposals import commands, content, declared, listings, queries, registering
from proposals.models import DataManagementPlan, Experiment, RemoteDevice, Sample

DOI = "xfel.mdc.exp."


def _doi_id(doi: Any) -> int | None:
    """The id of the experiment that has this name, for the filter."""
    return rules.number_after(DOI, doi)


def _prefix_path(row: Experiment) -> str:
    path = registering.path_told(row.proposal).removesuffix("raw")
    return f"{path.rstrip('/')}/{row.folder}/"


class Experiments(Resource):
    """Run types of proposals."""

    path, wrapper = "experiments", "experiment"
    columns = (
        integer("experiment_number", read="number", write=None, lookup="number"),
        text("name", 60, required=True, lookup="name"),
        shown("doi", lambda row: f"{DOI}{row.pk}", parse=_doi_id, lookup="pk"),
        text("abstract"),
        refers("experiment_type_id", facility.any_of(ExperimentType),
               read="type_id", write="type", lookup="type", required=True),
        shown("experiment_folder", "folder"),
        proposal_id(),
        shown("proposal_last_run", "proposal.last_run_number"),
        shown("experiment_last_run", lambda row: row.last_run or 0),
        shown("first_prefix_path", _prefix_path),
        shown("begin_at", "begin_at"),
        rules.available(),
        text("publisher", 120),
        text("contributor", 120),
        rules.description(),
    )  # fmt: skip
    unique = (Unique(("name", "proposal_id"), told=("name",)),)

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return listings.experiments(actor)

    def everywhere(self) -> QuerySet[Any]:
        return listings.everything(Experiment)

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        queries.lock(values["proposal"])
        self.refuse_taken(values, None)  # the verb would take the one that is there
        proposal = values.pop("proposal")
        named = {"name": values.pop("name"), "type": values.pop("type")}
        row = commands.add_experiment(proposal, **named, by=call.actor)
        return content.change_experiment(row, to=values, by=call.actor)

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        content.change_experiment(row, to=values, by=call.actor)

    def remove(self, call: Call, row: Any) -> None:
        content.remove_experiment(row, by=call.actor)


class Samples(Resource):
    path, wrapper = "samples", "sample"
    columns = (
        text("name", 127, required=True, lookup="name"),
        rules.url(),
        refers("sample_type_id", facility.any_of(SampleType),
               read="type_id", write="type", lookup="type", required=True),
        proposal_id(),
        text("flg_proposal_system", 32,
             read="proposal_system", write="proposal_system", lookup="proposal_system"),
        text("proposal_system_id", 64, lookup="proposal_system_id"),
        rules.available(),
        rules.description(),
    )  # fmt: skip
    unique = (
        Unique(("name", "proposal_id")),
        Unique(("flg_proposal_system", "proposal_system_id")),
    )

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return listings.samples(actor)

    def everywhere(self) -> QuerySet[Any]:
        return listings.everything(Sample)

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        queries.lock(values["proposal"])
        self.refuse_taken(values, None)  # the verb would take the one that is there
        proposal, name = values.pop("proposal"), values.pop("name")
        row = commands.add_sample(proposal, name=name, by=call.actor)
        return content.change_sample(row, to=values, by=call.actor)

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        content.change_sample(row, to=values, by=call.actor)

    def remove(self, call: Call, row: Any) -> None:
        content.remove_sample(row, by=call.actor)


def _estimate(name: str, attribute: str) -> Column:
    return text(name, 60, read=attribute, write=attribute)


class Plans(Resource):
    path, wrapper = "data_management_plans", "data_management_plan"
    columns = (
        text("name", 255, required=True, lookup="name"),
        text("identifier", 120, required=True, lookup="identifier"),
        proposal_id(),
        rules.available(),
        rules.description(),
        text("detector_details"),
        text("planned_technique_description",
             read="technique_description", write="technique_description"),
        text("data_reduction_technique", read="reduction_technique", write="reduction_technique"),
        _estimate("estimated_raw_data_size", "raw_size"),
        _estimate("estimated_proc_data_size", "proc_size"),
        _estimate("estimated_user_nodes_cpu", "user_nodes_cpu"),
        _estimate("estimated_user_nodes_gpu", "user_nodes_gpu"),
        _estimate("estimated_damnit_nodes_cpu", "damnit_nodes_cpu"),
        _estimate("estimated_damnit_nodes_gpu", "damnit_nodes_gpu"),
        _estimate("estimated_data_collection_hours", "collection_hours"),
        text("data_support_scope", read="support_scope", write="support_scope"),
        *rules.dated(changed=False),
    )  # fmt: skip

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return listings.plans(actor)

    def everywhere(self) -> QuerySet[Any]:
        return listings.everything(DataManagementPlan)

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        return declared.add_plan(values.pop("proposal"), facts=values, by=call.actor)

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        declared.change(row, to=values, by=call.actor)

    def remove(self, call: Call, row: Any) -> None:
        declared.remove(row, by=call.actor)


class ProposalsTechniques(Resource):
    """Which techniques are used in a proposal."""

    path, wrapper = "proposals_techniques", "proposal_technique"
    columns = (
        proposal_id(),
        refers("technique_id", facility.any_of(Technique), write="technique", lookup="technique",
               required=True),
    )  # fmt: skip
    unique = (Unique(("proposal_id", "technique_id")),)

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return listings.techniques(actor)

    def everywhere(self) -> QuerySet[Any]:
        return listings.all_techniques()

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        return declared.use_technique(values["proposal"], values["technique"], by=call.actor)

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        if "technique" in values:
            declared.swap_technique(row, values["technique"], by=call.actor)

    def remove(self, call: Call, row: Any) -> None:
        declared.drop_technique(row.proposal, row.technique, by=call.actor)


class RemoteDevices(Resource):
    path, wrapper = "remote_devices", "remote_device"
    columns = (
        text("name", 255, required=True, lookup="name"),
        text("identifier", 120, lookup="identifier"),
        proposal_id(required=False, fixed=False),
        text("flg_status", 16, read="status", write="status", lookup="status",
             default="R", empty="R"),
        rules.available(),
        *rules.dated(),
    )  # fmt: skip

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return listings.devices(actor)

    def everywhere(self) -> QuerySet[Any]:
        return listings.everything(RemoteDevice)

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        return declared.add_device(values.pop("proposal"), facts=values, by=call.actor)

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        declared.change(row, to=values, by=call.actor)

    def remove(self, call: Call, row: Any) -> None:
        declared.remove(row, by=call.actor)


RESOURCES: tuple[type[Resource], ...] = (
    Experiments,
    Samples,
    Plans,
    ProposalsTechniques,
    RemoteDevices,
)
