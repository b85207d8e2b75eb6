"""Tools that others wrote, asked what they think of what we made."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import bagit
import bagit_profile
import html5rdf

SPECS = Path(__file__).parents[2] / "specs"
PROFILE = SPECS / "datacrate" / "profile-1.0.json"
BIN = Path(sys.executable).parent


def seeded_cache(folder: Path) -> Path:
    """A cache in which rocrate-validator finds the RO-Crate context."""
    cache = folder / "cache"
    seed = SPECS / "ro-crate" / "seed_cache.py"
    subprocess.run([sys.executable, str(seed), str(cache)], check=True)
    return cache


def issues_by_severity(crate: Path, cache: Path) -> tuple[list[str], list[str]]:
    """What rocrate-validator says breaks a requirement, and what breaks a recommendation only."""
    report = cache.with_suffix(".json")
    command = [
        *(str(BIN / "rocrate-validator"), "-y", "validate", "--offline"),
        *("--cache-path", str(cache), "--no-paging", "-p", "ro-crate-1.2", "-l", "recommended"),
        *("-f", "json", "-o", str(report), str(crate)),
    ]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode in (0, 1), finished.stdout + finished.stderr
    found: dict[str, Any] = json.loads(report.read_text())
    issues = found["issues"]
    assert found["passed"] == (finished.returncode == 0) == (not issues)
    required = [it["message"] for it in issues if it["severity"] == "REQUIRED"]
    recommended = [it["message"] for it in issues if it["severity"] == "RECOMMENDED"]
    assert len(required) + len(recommended) == len(issues)
    return required, recommended


def validate_bag(bag: Path) -> bagit.Bag:
    """The bag, after bagit has hashed every file of it."""
    opened = bagit.Bag(str(bag))
    opened.validate(processes=1)
    return opened


def issues_of_profile(bag: Path) -> list[str]:
    """What bagit_profile finds wrong with a bag that claims the DataCrate profile."""
    known = json.loads(PROFILE.read_text())
    url = known["BagIt-Profile-Info"]["BagIt-Profile-Identifier"]
    profile = bagit_profile.Profile(url, profile=known)
    assert profile.validate_serialization(str(bag))
    profile.validate(bagit.Bag(str(bag)))
    return [str(error) for error in profile.report.errors]


def check_sums(bag: Path, manifest: str) -> None:
    """`sha256sum -c`, inside the bag."""
    program = manifest.removesuffix(".txt").rpartition("-")[2] + "sum"
    subprocess.run([program, "--quiet", "--strict", "-c", manifest], cwd=bag, check=True)


def parse_html(text: str) -> Any:
    """The document, if it is HTML5 without a parse error."""
    parser = html5rdf.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(text)
