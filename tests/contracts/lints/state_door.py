"""State changes only through the door.

django-fsm refuses an assignment to a protected field when it happens; `.update()`, the constructor,
`bulk_update`, `__dict__`, raw SQL and a move called directly all pass it by. This lint reads for
all of them before anything happens. It goes by names, so it is strict: a field of ours that carries
a state keeps its name for itself in every module that can see a table. (`setattr` with a computed
name is left to the protection of the fields; a test sees to it that every state field has it.)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from tests.contracts.lints.source import Breach, Source

DOORS = ("catalogue/ground/lifecycle", "catalogue/ground/jobs")
# These may not import a table (import-linter), so a `state` of theirs is something else.
BLIND = (
    "catalogue/ports",
    "catalogue/publication",
    "catalogue/constants",
    "catalogue/demo",
)
SEES_ALL_THE_SAME = ("catalogue/demo/loader",)

WRITES_BY_KEYWORD = {
    "update",
    "create",
    "acreate",
    "aupdate",
    "get_or_create",
    "aget_or_create",
    "update_or_create",
    "aupdate_or_create",
}
WRITES_BY_LIST = {"bulk_update", "abulk_update", "bulk_create", "abulk_create", "save", "asave"}
# Fields that share a state's name and are none.
NOT_A_STATE = {
    # the HTTP status of an answer that is kept
    ("catalogue/ground/endpoints/idempotency.py", "status"),
    # the HTTP status of a refusal
    ("catalogue/faces/mymdc/errors.py", "status"),
}
MANAGERS = {"objects", "_base_manager", "_default_manager"}
SQL = re.compile(r"\b(update|insert\s+into)\b.+\b(set|values|select)\b", re.IGNORECASE | re.DOTALL)


def breaches(
    sources: Iterable[Source],
    *,
    fields: Mapping[str, Collection[str]],
    moves: Mapping[str, Collection[str]],
) -> list[Breach]:
    """Every place outside the doors that writes a state.

    `fields`: class name of a model to the names of its state fields; `moves`: class name to the
    names of its moves. Where the model is written out (`Run.objects.create(…)`) its own fields
    count, else all of them. Migrations are left out: they create columns, and data migrations of
    states are judged by their reviewer.
    """
    found: list[Breach] = []
    for source in sources:
        if exempt(source):
            continue
        reader = _Reader(source, fields, moves)
        reader.visit(source.tree)
        found.extend(reader.found)
    return found


def exempt(source: Source) -> bool:
    if source.below(*SEES_ALL_THE_SAME):
        return False
    return source.below(*DOORS, *BLIND) or "/migrations/" in source.path


class _Reader(ast.NodeVisitor):
    def __init__(
        self,
        source: Source,
        fields: Mapping[str, Collection[str]],
        moves: Mapping[str, Collection[str]],
    ) -> None:
        self.path = source.path
        self.by_model = {model: frozenset(names) for model, names in fields.items()}
        self.fields = frozenset[str]().union(*self.by_model.values())
        self.moves = {model.lower(): frozenset(names) for model, names in moves.items()}
        self.found: list[Breach] = []

    def breach(self, node: ast.AST, what: str) -> None:
        self.found.append(Breach(self.path, getattr(node, "lineno", 0), what))

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._target(target)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._target(node.target)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._target(node.target)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self._target(node.target)
        self.generic_visit(node)

    def visit_withitem(self, node: ast.withitem) -> None:
        if node.optional_vars is not None:
            self._target(node.optional_vars)
        self.generic_visit(node)

    def _target(self, target: ast.expr) -> None:
        for node in _flat(target):
            if isinstance(node, ast.Attribute) and node.attr in self.fields:
                if (self.path, node.attr) not in NOT_A_STATE:
                    self.breach(node, f"assigns the state field {node.attr!r}")
            elif isinstance(node, ast.Subscript) and _is_instance_dict(node.value):
                self.breach(node, "writes into __dict__, past every guard")

    def visit_Call(self, node: ast.Call) -> None:
        name = _called(node)
        if name in {"setattr", "__setattr__"}:
            self._setattr(node)
        elif name in WRITES_BY_KEYWORD or name in self.by_model:
            self._keywords(node, name, self._fields_of(node))
        elif name in WRITES_BY_LIST:
            self._lists(node, name)
        elif name in {"execute", "executemany", "raw", "RunSQL"}:
            self._sql(node)
        self._move(node)
        self.generic_visit(node)

    def _setattr(self, node: ast.Call) -> None:
        for name in node.args[-2:-1]:
            if isinstance(name, ast.Constant) and name.value in self.fields:
                self.breach(node, f"sets the state field {name.value!r} by setattr")

    def _fields_of(self, node: ast.Call) -> frozenset[str]:
        """The state fields that `Model(…)` or `Model.objects.….create(…)` could write."""
        at: ast.expr = node.func
        while isinstance(at, ast.Attribute | ast.Call):
            if isinstance(at, ast.Attribute) and at.attr in MANAGERS:
                break
            at = at.value if isinstance(at, ast.Attribute) else at.func
        model = at.value if isinstance(at, ast.Attribute) else at
        name = model.attr if isinstance(model, ast.Attribute) else getattr(model, "id", "")
        return self.by_model.get(name, frozenset()) if name[:1].isupper() else self.fields

    def _keywords(self, node: ast.Call, name: str, fields: frozenset[str]) -> None:
        for key, value in _pairs(node):
            if key in fields:
                self.breach(value, f"{name}({key}=…) writes a state")
            elif key in {"defaults", "create_defaults"}:
                for inner, _ in _dict_pairs(value):
                    if inner in fields:
                        self.breach(value, f"{name}({key}={{{inner!r}: …}}) writes a state")

    def _lists(self, node: ast.Call, name: str) -> None:
        values = [*node.args[1:], *(keyword.value for keyword in node.keywords)]
        for value in values:
            for part in ast.walk(value):
                if isinstance(part, ast.Constant) and part.value in self.fields:
                    self.breach(part, f"{name}(…, {part.value!r}) writes a state")

    def _sql(self, node: ast.Call) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                words = set(re.findall(r"\w+", part.value))
                if SQL.search(part.value) and words & self.fields:
                    self.breach(part, "writes a state by SQL")

    def _move(self, node: ast.Call) -> None:
        """`run.close()`: the receiver's name, or its last part, is the model's."""
        function = node.func
        if not isinstance(function, ast.Attribute):
            return
        receiver = function.value
        last = receiver.attr if isinstance(receiver, ast.Attribute) else None
        name = receiver.id if isinstance(receiver, ast.Name) else last
        plain = (name or "").lower().replace("_", "")
        if function.attr in self.moves.get(plain, ()):
            self.breach(node, f"calls the move {plain}.{function.attr} itself; advance() does that")


def _flat(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from _flat(element)
    elif isinstance(target, ast.Starred):
        yield from _flat(target.value)
    else:
        yield target


def _is_instance_dict(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "__dict__"
    return isinstance(node, ast.Call) and _called(node) == "vars"


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _pairs(node: ast.Call) -> Iterator[tuple[str | None, ast.expr]]:
    for keyword in node.keywords:
        if keyword.arg is None:
            yield from _dict_pairs(keyword.value)
        else:
            yield keyword.arg, keyword.value


def _dict_pairs(node: ast.expr) -> Iterator[tuple[str | None, ast.expr]]:
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value
    elif isinstance(node, ast.Call) and _called(node) == "dict":
        yield from _pairs(node)
