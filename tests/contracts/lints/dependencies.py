"""Declared dependencies against what the code names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from tests.contracts.lints.source import Source

# Distribution to what one writes in code, where the two differ.
IMPORTED_AS = {
    "bagit-profile": "bagit_profile",
    "celery": "celery",
    "django": "django",
    "django-axes": "axes",
    "django-csp": "csp",
    "django-environ": "environ",
    "django-filter": "django_filters",
    "django-fsm-2": "django_fsm",
    "django-oauth-toolkit": "oauth2_provider",
    "django-rest-knox": "knox",
    "django-simple-history": "simple_history",
    "django-template-partials": "template_partials",
    "djangorestframework": "rest_framework",
    "pillow": "PIL",
    "pyjwt": "jwt",
    "python-ldap": "ldap",
    "roc-validator": "rocrate_validator",
}
# Reached through a URL (postgres://, redis://), so that no line of ours names them.
BY_URL = frozenset({"psycopg", "redis"})
DOTTED = re.compile(r"[A-Za-z_][\w.-]*")


def distribution(requirement: str) -> str:
    """The name in a requirement line, normalised: `Django>=5.2,<5.3` gives `django`."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", name.group()).lower() if name else ""


def import_name(requirement: str) -> str:
    name = distribution(requirement)
    return IMPORTED_AS.get(name, name.replace("-", "_"))


def named(sources: Iterable[Source]) -> set[str]:
    """Top-level names that the code imports, or names in a string (settings, command lines)."""
    found: set[str] = set()
    for source in sources:
        for node in ast.walk(source.tree):
            found.update(_tops(node))
    return found


def _tops(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name.partition(".")[0]
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module.partition(".")[0]
    elif isinstance(node, ast.Constant) and DOTTED.fullmatch(str(node.value)):
        yield str(node.value).partition(".")[0].replace("-", "_")


def unused(requirements: Iterable[str], sources: Iterable[Source]) -> list[str]:
    """Requirements that nothing names."""
    names = named(sources)
    return [
        requirement
        for requirement in requirements
        if distribution(requirement) not in BY_URL and import_name(requirement) not in names
    ]


def unpinned(requirements: Iterable[str], constraints: str) -> list[str]:
    """Requirements without an exact version in the constraints."""
    pinned = {distribution(line) for line in constraints.splitlines() if "==" in line}
    return [each for each in requirements if distribution(each) not in pinned]
