"""What a DAQ is configured with: groups of data sources and their versions."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import URLPattern

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.call import Answer, Call
from catalogue.faces.mymdc.columns import moment, refers, shown, text
from catalogue.faces.mymdc.errors import Missing
from catalogue.faces.mymdc.metadata import facility, rules
from catalogue.faces.mymdc.resource import Resource, at
from catalogue.ground.actor import Actor
from catalogue.ground.models import Topic
from proposals import declared, listings
from proposals.models import DataSourceGroupVersion

TOPIC = r"(?P<topic>-?[0-9]{1,18})"


class Groups(Resource):
    path, wrapper = "data_source_groups", "data_source_group"
    columns = (
        text("name", 255, lookup="name"),
        refers("topic_id", facility.any_of(Topic),
               write="topic", lookup="topic", required=True),
        refers("active_version_id", listings.source_versions,
               write="active_version", lookup="active_version"),
        text("group_identifier", 120, required=True, lookup="group_identifier"),
        rules.available(),
        rules.description(),
        refers("user_id", listings.nameable, write="user", lookup="user", required=True),
        *rules.dated(),
    )  # fmt: skip

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return listings.source_groups(actor)

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        topic, user = values.pop("topic"), values.pop("user")
        values.pop("active_version")  # a new group has no versions yet
        return declared.add_source_group(topic, user=user, facts=values, by=call.actor)

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        declared.change(row, to=values, by=call.actor)

    def remove(self, call: Call, row: Any) -> None:
        declared.remove(row, by=call.actor)

    def more(self) -> list[URLPattern]:
        return [
            at(f"{self.path}/{TOPIC}/last_deployed", get=self.last_deployed),
            at(f"{self.path}/{TOPIC}/last_modified", get=self.last_modified),
        ]

    def last_deployed(self, call: Call, topic: str) -> Answer:
        """What the DAQ of a topic was last configured with."""
        return self._newest(call, topic, listings.deployed(call.actor))

    def last_modified(self, call: Call, topic: str) -> Answer:
        """The version of a topic that was changed last."""
        return self._newest(call, topic, listings.modified(call.actor))

    def _newest(self, call: Call, topic: str, versions: QuerySet[DataSourceGroupVersion]) -> Answer:
        found = versions.filter(group__topic=int(topic)).first()
        if found is None:
            raise Missing
        shown_group = {**self.one(call, found.group_id), "contact_people_snapshot": []}
        version = Versions().one(call, found.pk)
        return Answer(
            {
                "topic": int(topic),
                "data_source_group": shown_group,
                "data_source_group_version": version,
            }
        )


class Versions(Resource):
    path, wrapper = "data_source_group_versions", "data_source_group_version"
    columns = (
        text("name", 255, required=True, lookup="name"),
        refers("data_source_group_id", listings.source_groups,
               read="group_id", write="group", lookup="group", required=True, fixed=True),
        text("flg_status", read="status", write="status", lookup="status",
             default="N", empty="N", rules=(rules.one_of(DataSourceGroupVersion.Status.values),)),
        text("xml_content", read="sources", write="sources", required=True),
        rules.description(),
        moment("last_deployed_at", lookup="last_deployed_at"),
        moment("last_tested_at", lookup="last_tested_at"),
        shown("created_at", "created_at"),
        shown("updated_at", "updated_at", parse=wire.moment, lookup="updated_at"),
    )  # fmt: skip

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return listings.source_versions(actor)

    def make(self, call: Call, values: dict[str, Any]) -> Any:
        return declared.add_source_version(values.pop("group"), facts=values, by=call.actor)

    def change(self, call: Call, row: Any, values: dict[str, Any]) -> None:
        declared.change(row, to=values, by=call.actor)

    def remove(self, call: Call, row: Any) -> None:
        declared.remove(row, by=call.actor)


RESOURCES: tuple[type[Resource], ...] = (Groups, Versions)
