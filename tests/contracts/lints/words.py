"""Words that belong to one machine and not to the project: its folders, its package index."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tests.contracts.lints.source import Breach

# Written apart, so that this file does not hold what it looks for.
_FOLDERS = "|".join(
    [
        "/" + "work/(?:main|shared|[.]library)",
        "/" + "tmp/bash_jobs",
        "/" + "root/",
        "/" + "home/[a-z]",
    ]
)
_INDEX = "|".join(
    [
        "--(?:extra-)?index-" + "url",
        "--find-" + "links",
        "--trusted-" + "host",
        r"https?://[^\s\"']+/" + r"simple\b",
        r"\bpypi[.]",
    ]
)
REFUSED = (
    (re.compile(rf"(?<![\w.])(?:{_FOLDERS})"), "a folder of one machine"),
    (re.compile(_INDEX), "a package index"),
)


def breaches(texts: Iterable[tuple[str, str]]) -> list[Breach]:
    """`texts` are (path, content) of everything that is kept in the repository."""
    return [
        Breach(path, number, f"{why}: {match.group()!r}")
        for path, text in texts
        for number, line in enumerate(text.splitlines(), start=1)
        for pattern, why in REFUSED
        for match in [pattern.search(line)]
        if match
    ]


def texts(root: Path, paths: Iterable[str]) -> Iterable[tuple[str, str]]:
    """The text files among `paths`; what is not UTF-8 is left out."""
    for path in paths:
        try:
            yield path, (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
