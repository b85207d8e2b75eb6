"""What the OpenAPI document says of every endpoint without being told each time."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any

from django_filters import MultipleChoiceFilter
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from catalogue.ground.endpoints.etags import compares, is_tagged
from catalogue.ground.endpoints.idempotency import HEADER, is_once
from catalogue.ground.endpoints.pages import Order


@cache
def page_answer(row: type[serializers.Serializer[Any]]) -> Any:
    """The shape of one page of a list."""
    return inline_serializer(
        name=row.__name__.removesuffix("Answer") + "Page",
        fields={"results": row(many=True), "next": serializers.URLField(allow_null=True)},
    )


def pages_by(
    filter_set: Any = None, order: Order | None = None, **words: str
) -> list[OpenApiParameter]:
    """The query parameters of a list: its filters, its orders and its pages."""
    found = [
        OpenApiParameter(
            "page_size", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
        ),
        OpenApiParameter("cursor", str, description="From `next` of the page before."),
    ]
    shape: dict[str, Any]
    if order is not None:
        shape = {"type": "string", "enum": order.names}
        found.append(OpenApiParameter("order", shape, description="With - from the end."))
    for name, one in getattr(filter_set, "base_filters", {}).items():
        choices = one.extra.get("choices")
        shape = {"type": "string"}
        if choices:
            shape["enum"] = [c[0] for c in choices]
        if isinstance(one, MultipleChoiceFilter):
            shape = {"type": "array", "items": shape}
        said = words.get(name, str(one.extra.get("label") or one.label or ""))
        found.append(OpenApiParameter(name, shape, explode=True, description=said))
    return found


class Fault(serializers.Serializer[Any]):
    """One value that breaks a rule; `row` counts from 0 in a bulk call."""

    field = serializers.CharField()
    rule = serializers.CharField()
    value = serializers.JSONField(required=False)
    row = serializers.IntegerField(required=False)


class Problem(serializers.Serializer[Any]):
    """A problem document (RFC 9457)."""

    type = serializers.CharField(help_text="Path of a page that explains this kind of problem.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField(help_text="Path of the call.")
    who = serializers.CharField(required=False, help_text="Who can change it.")
    details = serializers.DictField(required=False)
    errors = Fault(many=True, required=False)  # type: ignore[assignment]


_KEY = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description="A name of your own for this call (at most 200 characters). The same call sent "
    "again with it gets the same answer and has its effect once.",
)
_IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="A tag (ETag) that you have: 304 without a body where nothing has changed.",
)
_IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The tag (ETag) of the thing as you saw it: 412 where it was changed since. "
    "Without it the last writer wins.",
)
_OUR_PROBLEMS = {
    "400": "Not JSON, or a key twice in one object.",
    "401": "No token, or one that is not valid.",
    "403": "Known to you, but not yours to do.",
    "404": "There is none, or none that you may know of.",
    "409": "Refused by a rule or a state, or in conflict with what is registered.",
    "413": "The body is too large.",
    "415": "Another content type is wanted.",
    "422": "Values that break a rule; each is named.",
}
_WITH_BODY = {"400", "409", "413", "415"}


class _InputInSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Tells that a body has no other fields."""

    target_class = "catalogue.ground.endpoints.input.Input"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        shape: dict[str, Any] = auto_schema._map_serializer(
            self.target, direction, bypass_extensions=True
        )
        if "__doc__" not in vars(type(self.target)) or not type(self.target).__doc__:
            shape.pop("description", None)  # it is the base class's, and says nothing to readers
        return {**shape, "type": "object", "additionalProperties": False}


class Description(AutoSchema):
    """The app's name as tag, the summary from the docstring, the problems from here."""

    def get_operation_id(self) -> str:
        """After the endpoint's class, which is named for what it is: `post_next_number`."""
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self.view).__name__).lower()
        return f"{self.method.lower()}_{name}"

    def get_tags(self) -> list[str]:
        module = type(self.view).__module__
        return [module.split(".")[0] if "api_root" not in module else "catalogue"]

    def get_override_parameters(self) -> list[Any]:
        handler = getattr(self.view, self.method.lower(), None)
        found = [_KEY] if is_once(handler) else []
        found += [_IF_NONE_MATCH] if is_tagged(handler) else []
        return found + ([_IF_MATCH] if compares(handler) else [])

    def get_summary(self) -> str | None:
        handler = getattr(self.view, self.method.lower(), None)
        said = inspect.cleandoc(getattr(handler, "__doc__", "") or "")
        paragraph = " ".join(said.partition("\n\n")[0].split())
        return paragraph.partition(". ")[0].rstrip(".") or None

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        shape = self.resolve_serializer(Problem, "response").ref
        for status, said in _OUR_PROBLEMS.items():
            needless = {"400", "413", "415"} if self.method == "DELETE" else _WITH_BODY
            if status in needless and self.method in ("GET", "DELETE"):
                continue
            if status not in bodies:
                content = {"application/problem+json": {"schema": shape}}
                bodies[status] = {"description": said, "content": content}
        handler = getattr(self.view, self.method.lower(), None)
        if is_tagged(handler):
            bodies["304"] = {"description": "As you know it."}
        if compares(handler):
            content = {"application/problem+json": {"schema": shape}}
            bodies["412"] = {"description": "Changed since you read it.", "content": content}
        return bodies
