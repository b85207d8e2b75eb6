"""What a lint reads, and what it says: files in, breaches out, no state."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("catalogue", "proposals", "runs", "policies")


@dataclass(frozen=True)
class Source:
    """One Python module: `path` is relative to the clone, with forward slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=self.path)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def below(self, *folders: str) -> bool:
        """Whether it is one of `folders` (modules without `.py` count) or lies in one."""
        return any(
            self.path == f"{folder}.py" or self.path.startswith(f"{folder}/") for folder in folders
        )


@dataclass(frozen=True, order=True)
class Breach:
    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def modules(root: Path = ROOT, packages: Iterable[str] = PACKAGES) -> Iterator[Source]:
    """Every module of the four packages, migrations included."""
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            yield Source(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))


def told(breaches: Iterable[Breach]) -> str:
    """Breaches as an assertion shows them, one to a line."""
    return "\n".join(str(breach) for breach in sorted(breaches))


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Local name to dotted origin, for every import anywhere in the module.

    `import os as o` gives {"o": "os"}; `from shutil import move as m` gives {"m": "shutil.move"}.
    """
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                names[bound] = alias.name if alias.asname else bound
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    """The dotted origin of `a.b.c` where `a` was imported; None for anything else."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        head = dotted(node.value, names)
        return f"{head}.{node.attr}" if head else None
    return None
