"""The OpenAPI 3.0 document of each legacy tree.

A resource is described by its attributes, each with the kind of value it holds; what is sent and
what comes back have them in common. An operation is one of the five on a resource, or an action.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.http import HttpRequest, JsonResponse

TABLES: Final = Path(__file__).with_name("tables.json")
_KINDS: Final[dict[str, dict[str, Any]]] = {
    "integer": {"type": "integer", "format": "int64"},
    "number": {"type": "number", "format": "double"},
    "flag": {"type": "boolean"},
    "text": {"type": "string"},
    "moment": {"type": "string", "format": "date-time"},
    "list": {"type": "array", "items": {}},
    "object": {"type": "object"},
    "json": {},
}
_LINKS: Final = {"type": "array", "items": {"type": "object"}}
_IDS: Final = {"type": "array", "items": _KINDS["integer"]}
_ERROR: Final = {
    "type": "object",
    "required": ["info"],
    "properties": {
        "info": {
            "oneOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                },
            ]
        }
    },
}
_REFUSALS: Final = {
    400: "It cannot be read",
    401: "No token, or nobody to act for",
    403: "Not allowed",
    404: "There is none",
    405: "Not by this method",
    413: "Too long",
    422: "Not as it must be",
}


@dataclass(frozen=True)
class Operation:
    """One operation of a tree. `statuses` are those of answers and refusals that are told of it."""

    tree: str
    method: str
    path: str
    query: tuple[str, ...]
    needed: frozenset[str]
    statuses: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def key(self) -> str:
        """What it is called among the operations of both trees."""
        return f"{self.tree} {self.name}"

    @property
    def resource(self) -> str:
        """The first part of its path, in the plural."""
        return self.path.split("/")[1]

    @property
    def wrapper(self) -> str:
        """What one of the resource is called."""
        return "_".join(_one(word) for word in self.resource.split("_"))

    @property
    def verb(self) -> str:
        """One of the five on a resource, or "" for an action."""
        verbs = {
            ("GET", ""): "index",
            ("POST", ""): "create",
            ("GET", "/{id}"): "show",
            ("PUT", "/{id}"): "update",
            ("DELETE", "/{id}"): "destroy",
        }
        rest = self.path.removeprefix(f"/{self.resource}")
        return verbs.get((self.method, rest), "") if self.kinds else ""

    @property
    def kinds(self) -> Mapping[str, str]:
        """The attributes of the resource, each with its kind; required ones end in "!"."""
        told = _tables()["attributes"]
        own: Mapping[str, str] = told.get(f"calcat {self.wrapper}", {})
        common: Mapping[str, str] = told.get(self.wrapper, {})
        return (own or common) if self.tree == "calibration" else common


def operations(tree: str) -> Iterator[Operation]:
    """Every operation of a tree, in the order of the table."""
    for method, path, query, needed, statuses in _tables()["operations"][tree]:
        yield Operation(tree, method, path, tuple(query), frozenset(needed), tuple(statuses))


@cache
def _tables() -> Any:
    return json.loads(TABLES.read_text(encoding="utf-8"))


def _one(word: str) -> str:
    return f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s")


# ---------------------------------------------------------------- the document


@cache
def document(tree: str) -> dict[str, Any]:
    """The OpenAPI document of one tree."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations(tree):
        described = paths.setdefault(f"/{tree}/api{operation.path}", {})
        described[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.0.3",
        "info": {
            "title": f"Lightkeeper, the {tree} API of the facility's programs",
            "version": "1",
            "description": "Bodies may be wrapped in the name of the resource or bare, texts may "
            "stand for numbers and flags, and an empty text for null.",
        },
        "paths": paths,
        "security": [{"token": []}],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": _ERROR},
        },
    }


def view(request: HttpRequest, tree: str) -> JsonResponse:
    """The document, for everybody."""
    return JsonResponse(document(tree))


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": f"{operation.method} {operation.path}".replace("/", " "),
        "summary": operation.name,
        "parameters": [*_parameters(operation)],
        "responses": _responses(operation),
    }
    body = _body(operation)
    if body is not None:
        described["requestBody"] = {"content": {"application/json": {"schema": body}}}
    return described


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for part in operation.path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}")
            schema = _KINDS["text" if name == "uid" else "integer"]
            yield {"name": name, "in": "path", "required": True, "schema": schema}
    for name in operation.query:
        needed = name in operation.needed
        kind = _kind_asked(operation, name)
        yield {"name": name, "in": "query", "required": needed, "schema": _KINDS[kind]}
    yield {
        "name": "X-User-Email",
        "in": "header",
        "required": True,
        "schema": {"type": "string", "format": "email"},
    }


def _kind_asked(operation: Operation, name: str) -> str:
    kind = operation.kinds.get(name, "").rstrip("!")
    if kind in ("integer", "number", "flag", "moment", "text"):
        return kind
    return "integer" if name in ("page", "page_size", "id") or name.endswith("_id") else "text"


def _responses(operation: Operation) -> dict[str, Any]:
    good = [status for status in operation.statuses if status < 300]
    if operation.verb == "create":
        good = sorted({*good, 201})
    responses: dict[str, Any] = {}
    for status in good:
        responses[str(status)] = {"description": "Done"}
        if status != 204:
            schema = _answered(operation)
            responses[str(status)]["content"] = {"application/json": {"schema": schema}}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for status, words in _REFUSALS.items():
        responses[str(status)] = {"description": words, "content": error}
    return responses


def _answered(operation: Operation) -> dict[str, Any]:
    """What comes back: a row, rows, or of an action anything."""
    if operation.verb not in ("index", "show", "create", "update"):
        return {}
    row = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": _KINDS["integer"]}
        | {name: _null(_KINDS[kind.rstrip("!")]) for name, kind in operation.kinds.items()},
    }
    return {"type": "array", "items": row} if operation.verb == "index" else row


def _body(operation: Operation) -> dict[str, Any] | None:
    special = _special(operation)
    if special is not None:
        return special
    if operation.verb not in ("create", "update"):
        return None
    required = operation.verb == "create"
    return _enveloped(operation.wrapper, _attributes(operation.kinds, required=required))


def _enveloped(wrapper: str, attributes: dict[str, Any]) -> dict[str, Any]:
    wrapped = {"type": "object", "required": [wrapper], "properties": {wrapper: attributes}}
    return {"anyOf": [wrapped, attributes]}


def _attributes(kinds: Mapping[str, str], *, required: bool) -> dict[str, Any]:
    needed = [name for name, kind in kinds.items() if kind.endswith("!")]
    made: dict[str, Any] = {
        "type": "object",
        "properties": {name: _written(name, kind.rstrip("!")) for name, kind in kinds.items()},
    }
    return made | ({"required": needed} if required and needed else {})


def _written(name: str, kind: str) -> dict[str, Any]:
    if kind == "list":
        return _null(_IDS if name.endswith("_ids") else _LINKS)
    return _null(_KINDS[kind])


def _null(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {**schema, "nullable": True} if "type" in schema else dict(schema)


# ---------------------------------------------------------------- bodies of actions


def _special(operation: Operation) -> dict[str, Any] | None:
    """The body of an action, None where it has none or is none."""
    path = operation.path
    if "/bulk_" in path:
        return _bulk(operation)
    if path.endswith("/add_instruments"):
        return _enveloped("technique", _object({"instrument_ids": _IDS}))
    if path.endswith("/update_special"):
        names = ("flg_preferred_data_output", "flg_auto_run_quality", "flg_cloneable_status")
        kinds = {name: operation.kinds[name] for name in names}
        return _enveloped("proposal", _attributes(kinds, required=False))
    if path == "/ldap_import":
        return _texts("email", "uid")
    if path == "/sessions":
        return _object({"user": _texts("email", "password", "provider")})
    if path == "/reports/set":
        return _enveloped("report", _attributes(operation.kinds, required=True))
    return _conditions(operation)


def _bulk(operation: Operation) -> dict[str, Any]:
    if operation.path == "/parameters/bulk_delete":
        return _object({"parameter": _object({"ids": _IDS, "data_group_id": _KINDS["integer"]})})
    kinds = {**operation.kinds, "id": "integer"}
    one = _attributes(kinds, required=operation.path == "/parameters/bulk_create")
    return _object({operation.resource: {"type": "array", "items": one}})


def _conditions(operation: Operation) -> dict[str, Any] | None:
    """Conditions are asked for with a body, also by GET."""
    one = _object(
        {
            "parameter_id": _KINDS["integer"],
            "parameter_name": _KINDS["text"],
            "value": {"anyOf": [_KINDS["number"], _KINDS["text"]]},
            "lower_deviation_value": _KINDS["number"],
            "upper_deviation_value": _KINDS["number"],
            "flg_available": _KINDS["flag"],
            "description": _null(_KINDS["text"]),
        }
    )
    values = {"parameters_conditions_attributes": {"type": "array", "items": one}}
    if operation.path.endswith("get_by_detector_conditions"):
        return _object(values)
    if operation.resource == "conditions" and operation.path.endswith("condition"):
        told = {name: _KINDS[kind] for name, kind in operation.kinds.items() if kind != "list!"}
        return _object({"condition": _object(told | values)})
    if operation.path.endswith("get_possible_conditions"):
        return _object({"condition": _object({"event_at": _KINDS["moment"]} | values)})
    return None


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": [*properties]}


def _texts(*names: str) -> dict[str, Any]:
    return _object(dict.fromkeys(names, _KINDS["text"]))
