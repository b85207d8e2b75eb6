"""How a module is built: who queries, who overrides, who is too long, where imports stand."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from tests.contracts.lints.source import Breach, Source, imported_names

LONGEST = 400
MANAGERS = frozenset({"objects", "_default_manager", "_base_manager"})
NAMELESS = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "misc"})
# Enters rows from a file, as the demo's loader does; nobody looks at anything through it.
LOADER = "catalogue/faces/mymdc/suites"
SIGNALS = ("django.dispatch", "django.db.models.signals", "django_fsm.signals")


def queries_in_views(sources: Iterable[Source]) -> list[Breach]:
    """Views and API endpoints that reach for a manager: what is seen is decided in queries."""
    return [
        Breach(source.path, node.lineno, f".{node.attr} in a face; ask queries.py")
        for source in sources
        if is_face(source.path) and not source.below(LOADER)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and _is_manager(node)
    ]


def _is_manager(node: ast.Attribute) -> bool:
    """`Run.objects` and `models.Run.objects`; a method of that name is none."""
    if node.attr != "objects":
        return node.attr in MANAGERS
    owner = node.value
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return name[:1].isupper() or name in {"model", "cls"}


def is_face(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return (
        "api" in parts
        or "views" in parts
        or parts[-1] in {"views.py", "api.py"}
        or (parts[:2] == ("catalogue", "faces"))
    )


def overrides(sources: Iterable[Source]) -> list[Breach]:
    """`save` and `delete` overridden on a model, and signals of our own, sent or received."""
    return [breach for source in sources for breach in _overrides(source)]


def _overrides(source: Source) -> Iterator[Breach]:
    in_models = "models" in PurePosixPath(source.path).with_suffix("").parts
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and in_models:
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and part.name in {"save", "delete", "asave"}:
                    yield Breach(source.path, part.lineno, f"{node.name}.{part.name} overridden")
    for name, origin in imported_names(source.tree).items():
        if origin.startswith(SIGNALS):
            yield Breach(source.path, 1, f"a signal: {name} from {origin}")


def too_long(
    sources: Iterable[Source], readmes: Mapping[str, str], *, longest: int = LONGEST
) -> list[Breach]:
    """Modules over `longest` lines whose package README gives no reason.

    `readmes`: folder to text. The reason is a line that names the file and says "lines".
    """
    found = []
    for source in sources:
        path = PurePosixPath(source.path)
        if len(source.lines) > longest and "migrations" not in path.parts:
            told = any(
                path.name in line and "lines" in line
                for folder in path.parents
                for line in readmes.get(folder.as_posix(), "").splitlines()
            )
            if not told:
                what = f"{len(source.lines)} lines, and no README says why"
                found.append(Breach(source.path, len(source.lines), what))
    return found


def imports_inside(sources: Iterable[Source]) -> list[Breach]:
    """Imports inside a function without `# why:` on the line, or above the block of imports."""
    found = []
    for source in sources:
        for function in ast.walk(source.tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    is_import = isinstance(node, ast.Import | ast.ImportFrom)
                    if is_import and not _reasoned(source.lines, node):
                        what = f"import inside {function.name} without `# why:`"
                        found.append(Breach(source.path, node.lineno, what))
    return sorted(set(found))


def _reasoned(lines: list[str], node: ast.Import | ast.ImportFrom) -> bool:
    above = node.lineno - 2
    while above > 0 and lines[above].lstrip().startswith(("from ", "import ")):
        above -= 1
    comment = lines[above].lstrip()
    while comment.startswith("#") and "# why:" not in comment:
        above -= 1
        comment = lines[above].lstrip()
    own = lines[node.lineno - 1 : node.end_lineno]
    return "# why:" in comment or any("# why:" in line for line in own)


def nameless(sources: Iterable[Source]) -> list[Breach]:
    """Modules and packages with a name that says nothing."""
    return [
        Breach(source.path, 1, f"{part!r} is not a name for a thing")
        for source in sources
        for part in PurePosixPath(source.path).with_suffix("").parts
        if part in NAMELESS
    ]


def imports_of(
    sources: Iterable[Source],
    *,
    within: tuple[str, ...],
    what: str,
    except_in: tuple[str, ...] = (),
) -> list[Breach]:
    """Imports of the dotted name `what`, or below it, in modules of the folders `within`."""
    return [
        Breach(source.path, node.lineno, f"imports {origin}")
        for source in sources
        if source.below(*within) and not (except_in and source.below(*except_in))
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for origin in _origins(node)
        if origin == what or origin.startswith(f"{what}.")
    ]


def _origins(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [f"{node.module}.{alias.name}" for alias in node.names]
