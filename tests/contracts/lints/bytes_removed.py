"""Bytes are removed in `catalogue/ports/movers` and nowhere else.

Read by reference, not by call: `map(Path.unlink, …)` and `drop = os.remove` are breaches too.
A folder that removes itself (`TemporaryDirectory`) is one: what lay in it went unasked.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from tests.contracts.lints.source import Breach, Source, dotted, imported_names

MOVERS = "catalogue/ports/movers"

_OS = ("remove", "unlink", "rmdir", "removedirs", "rename", "renames", "replace", "truncate")
FUNCTIONS = frozenset(
    [
        *(f"{module}.{name}" for module in ("os", "posix") for name in (*_OS, "ftruncate")),
        *("shutil.rmtree", "shutil.move", "shutil.rmtree.impl"),
        *("tempfile.TemporaryDirectory", "django.core.files.storage.default_storage"),
        *("django.core.files.move.file_move_safe",),
    ]
)
MODULES = frozenset({"os", "posix", "shutil", "pathlib", "pathlib.Path"})
METHODS = frozenset({"unlink", "rmdir", "rmtree", "truncate"})
PROGRAMS = frozenset({"rm", "mv", "rmdir", "unlink", "shred", "truncate", "rsync", "find"})
# Files that are rewritten whole, aside and then renamed; none of them is data of a proposal.
NOT_DATA = {
    # a message of the embedded broker, under a name of its own
    ("catalogue/ground/jobs/folder_broker.py", "rename"),
    # the DOIs of the demo's stand-in for a registrar
    ("catalogue/demo/datacite_records.py", "replace"),
}
RUNNERS = frozenset(
    {"run", "Popen", "call", "check_call", "check_output", "system", "popen", "execvp", "execv"}
)


def breaches(sources: Iterable[Source]) -> list[Breach]:
    """Every reference outside the movers to something that removes or replaces a file."""
    found: list[Breach] = []
    for source in sources:
        if not source.below(MOVERS):
            names = imported_names(source.tree)
            for node in ast.walk(source.tree):
                if (source.path, getattr(getattr(node, "func", None), "attr", "")) in NOT_DATA:
                    continue
                found.extend(
                    Breach(source.path, getattr(node, "lineno", 0), what)
                    for what in _said(node, names)
                )
    return found


def _said(node: ast.AST, names: dict[str, str]) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            if f"{node.module}.{alias.name}" in FUNCTIONS:
                yield f"imports {node.module}.{alias.name}"
            elif alias.name == "*" and node.module in MODULES:
                yield f"imports everything from {node.module}"
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        origin = dotted(node, names)
        if origin in FUNCTIONS or node.attr in METHODS:
            yield f"refers to {origin or '.' + node.attr}"
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        if names.get(node.id) in FUNCTIONS:
            yield f"refers to {names[node.id]}"
    elif isinstance(node, ast.Call):
        yield from _called(node, names)


def _called(node: ast.Call, names: dict[str, str]) -> Iterator[str]:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name == "getattr" and node.args and dotted(node.args[0], names) in MODULES:
        yield f"takes a name out of {dotted(node.args[0], names)} by getattr"
    elif name in {"replace", "rename"} and isinstance(function, ast.Attribute):
        # str.replace takes two arguments and datetime.replace keywords; Path's takes one.
        if len(node.args) == 1 and not node.keywords:
            yield f"calls .{name}(target), which replaces a file"
    elif name in RUNNERS and node.args:
        program = _program(node.args[0])
        if program in PROGRAMS:
            yield f"runs {program}"


def _program(command: ast.expr) -> str:
    if isinstance(command, ast.List | ast.Tuple) and command.elts:
        command = command.elts[0]
    if isinstance(command, ast.Constant) and isinstance(command.value, str):
        words = command.value.split()
        return words[0].rpartition("/")[2] if words else ""
    return ""
