"""Every dependency is used, pinned, and has its line of reason."""

from __future__ import annotations

import re
import tomllib

from tests.contracts.lints import dependencies
from tests.contracts.lints.source import ROOT, Source, modules

TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(TEXT)["project"]
EXTRAS = PROJECT["optional-dependencies"]


def test_an_unused_dependency_is_seen() -> None:
    source = Source("a.py", "import orjson\nAPPS = ['csp', 'django_htmx.apps']\n")
    wanted = ["orjson>=3", "django-csp", "django-htmx", "numpy>=2"]
    assert dependencies.unused(wanted, [source]) == ["numpy>=2"]


def test_every_dependency_is_used() -> None:
    declared = [*PROJECT["dependencies"], *EXTRAS["demo"], *EXTRAS["production"]]
    declared += [*EXTRAS["mymdc"], *EXTRAS["ldap"]]
    assert dependencies.unused(declared, list(modules())) == []


def test_an_unpinned_dependency_is_seen() -> None:
    assert dependencies.unpinned(["Django>=5", "a_b"], "Django==5.2.1\nA.b==1\n") == []
    assert dependencies.unpinned(["celery[redis]>=5"], "Django==5.2.1\n") == ["celery[redis]>=5"]


def test_every_dependency_is_pinned() -> None:
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    everything = [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]
    assert dependencies.unpinned(everything, constraints) == []
    loose = [line for line in constraints.splitlines() if not re.fullmatch(r"[\w.-]+==\S+", line)]
    assert loose == []


def test_every_dependency_says_why() -> None:
    lines = TEXT.splitlines()
    for extra in (PROJECT["dependencies"], *(EXTRAS[name] for name in EXTRAS if name != "lint")):
        for requirement in extra:
            (at,) = [n for n, line in enumerate(lines) if line.strip() == f'"{requirement}",']
            assert lines[at - 1].lstrip().startswith("#"), requirement
