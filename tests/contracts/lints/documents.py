"""What the documents promise, compared with what is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from tests.contracts.lints.source import Breach, Source, dotted, imported_names

TARGET = re.compile(r"^([a-z][a-z0-9-]*):(?!=| export)", re.MULTILINE)
DEFAULT_GOAL = re.compile(r"^\.DEFAULT_GOAL\s*:=\s*(\S+)", re.MULTILINE)
TABLE_ROW = re.compile(r"^\|\s*`([A-Z][A-Z0-9_]+)`\s*\|", re.MULTILINE)
FENCE = re.compile(r"^```sh[ \t]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def make_targets(makefile: str) -> set[str]:
    return set(TARGET.findall(makefile))


def undocumented_targets(makefile: str, documents: Iterable[str]) -> set[str]:
    """Make targets of which no document speaks as `make <target>`; the default goal needs none."""
    text = "\n".join(documents)
    default = set(DEFAULT_GOAL.findall(makefile))
    return {
        target
        for target in make_targets(makefile) - default
        if not re.search(rf"\bmake {re.escape(target)}(?![\w-])", text)
    }


def environment_variables(sources: Iterable[Source]) -> dict[str, str]:
    """Every environment variable that is read, with where.

    Understood are `env("X")` and `env.bool("X")` of django-environ, its scheme `Env(X=bool)`, and
    `os.environ` read by item, `get`, `pop`, `setdefault` or `os.getenv`.
    """
    found: dict[str, str] = {}
    for source in sources:
        names = imported_names(source.tree)
        readers = _environ_objects(source.tree, names)
        for node in ast.walk(source.tree):
            for variable in _variables(node, names, readers):
                found.setdefault(variable, f"{source.path}:{getattr(node, 'lineno', 0)}")
    return found


def _environ_objects(tree: ast.Module, names: dict[str, str]) -> set[str]:
    """Names bound to `environ.Env(...)` (or FileAwareEnv) in this module."""
    return {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if (dotted(node.value.func, names) or "").startswith("environ.")
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _variables(node: ast.AST, names: dict[str, str], readers: set[str]) -> Iterable[str]:
    if isinstance(node, ast.Subscript) and dotted(node.value, names) == "os.environ":
        if isinstance(node.ctx, ast.Load):
            yield from _strings([node.slice])
    elif isinstance(node, ast.Call):
        function = node.func
        base = function.value if isinstance(function, ast.Attribute) else function
        origin = dotted(function, names) or ""
        if isinstance(base, ast.Name) and base.id in readers:
            yield from _strings(node.args[:1] + [k.value for k in node.keywords if k.arg == "var"])
        elif origin in {"os.getenv", "os.environ.get", "os.environ.pop", "os.environ.setdefault"}:
            yield from _strings(node.args[:1])
        elif origin in {"environ.Env", "environ.FileAwareEnv"}:
            yield from (k.arg for k in node.keywords if k.arg and k.arg.isupper())


def _strings(nodes: Iterable[ast.expr]) -> Iterable[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def undocumented_variables(sources: Iterable[Source], documents: Iterable[str]) -> list[Breach]:
    """Variables that are read but have no row in a table of the documents."""
    known = {name for text in documents for name in TABLE_ROW.findall(text)}
    return [
        Breach(where.rpartition(":")[0], int(where.rpartition(":")[2]), f"{name} is not documented")
        for name, where in environment_variables(sources).items()
        if name not in known
    ]


def unread_variables(sources: Iterable[Source], documents: Iterable[str]) -> set[str]:
    """Variables with a row in a table that nothing reads."""
    read = environment_variables(sources)
    return {name for text in documents for name in TABLE_ROW.findall(text)} - set(read)


def commands(document: str) -> list[str]:
    """The commands a document shows: lines of its ```sh fences, without prompts and comments."""
    return [
        line.removeprefix("$ ").strip()
        for block in FENCE.findall(document)
        for line in block.splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
