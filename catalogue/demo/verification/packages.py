"""Packages, judged by tools that others wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import bagit
import bagit_profile

from catalogue.demo.verification import kept
from catalogue.demo.verification.checking import Found

SPECS = Path(__file__).resolve().parents[3] / "tests" / "specs"
PROFILE = SPECS / "datacrate" / "profile-1.0.json"
SEED = SPECS / "ro-crate" / "seed_cache.py"


def is_a_bag(folder: Path) -> Found:
    """`bagit` reads every file of the bag and compares it with the manifests."""
    try:
        bag = bagit.Bag(str(folder))
        bag.validate(processes=1)
    except bagit.BagValidationError as error:
        details = [str(detail) for detail in error.details] or [str(error)]
        return Found(tuple(f"{folder}: {detail}" for detail in details[: kept.SHOWN]))
    except bagit.BagError as error:
        return Found((f"{folder}: {error}",))
    return Found(counts={"bags": 1, "files": len(bag.entries)})


def sums_agree(folder: Path, manifest: str) -> Found:
    """`sha256sum -c` inside the bag."""
    command = ["sha256sum", "--quiet", "--strict", "-c", manifest]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return Found(counts={"manifests": 1})
    said = (done.stdout + done.stderr).splitlines()
    return Found(tuple(f"{folder}/{line}" for line in said[: kept.SHOWN]))


def manifest_is_the_catalogues(folder: Path, sha256: str) -> Found:
    """The manifest is the one that the catalogue recorded when the package was made."""
    manifest = folder / "manifest-sha256.txt"
    if kept.sha256_of(manifest) != sha256:
        return Found((f"{manifest}: not the manifest that the catalogue recorded",))
    return Found(counts={"manifests": 1})


def holds_the_open_part(folder: Path, expected: Mapping[str, str]) -> Found:
    """Exactly the open files, by their registered checksums, and the crate's two descriptions."""
    told = {}
    for line in (folder / "manifest-sha256.txt").read_text().splitlines():
        digest, _, path = line.partition("  ")
        told[path] = digest
    faults = [f"{folder}/{path}: not in the package" for path in expected if path not in told]
    faults += [
        f"{folder}/{path}: not the registered file"
        for path, digest in expected.items()
        if told.get(path, digest) != digest
    ]
    described = {"data/ro-crate-metadata.json", "data/ro-crate-preview.html"}
    surplus = told.keys() - expected.keys() - described
    faults += [f"{folder}/{path}: not part of what is open" for path in sorted(surplus)]
    return Found(tuple(faults[: kept.SHOWN]), {"files": len(expected)})


def keeps_the_profile(folder: Path) -> Found:
    """`bagit_profile` holds the bag against the DataCrate 1.0 profile that it claims."""
    known = json.loads(PROFILE.read_text())
    url = known["BagIt-Profile-Info"]["BagIt-Profile-Identifier"]
    profile = bagit_profile.Profile(url, profile=known)
    if not profile.validate_serialization(str(folder)):
        return Found((f"{folder}: not serialised as the profile asks",))
    profile.validate(bagit.Bag(str(folder)))
    faults = tuple(f"{folder}: {error}" for error in profile.report.errors)
    catalog = json.loads((folder / "CATALOG.json").read_text())
    if "@graph" not in catalog or not (folder / "CATALOG.html").is_file():
        faults += (f"{folder}: CATALOG.json and CATALOG.html do not make a DataCrate",)
    return Found(faults, {"bags": 1})


def is_a_crate(folder: Path, scratch: Path) -> Found:
    """`rocrate-validator`, offline, requirements and recommendations of RO-Crate 1.2."""
    cache = scratch / f"{folder.name}-context"
    subprocess.run([sys.executable, str(SEED), str(cache)], check=True, capture_output=True)
    report = scratch / f"{folder.name}-report.json"
    command = [
        *(str(Path(sys.executable).parent / "rocrate-validator"), "-y", "validate", "--offline"),
        *("--cache-path", str(cache), "--no-paging", "-p", "ro-crate-1.2", "-l", "recommended"),
        *("-f", "json", "-o", str(report), str(folder / "data")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or not report.is_file():
        return Found((f"{folder}: rocrate-validator ended with {done.returncode}: {done.stderr}",))
    told = json.loads(report.read_text())
    faults = [f"{folder}: {issue['severity']}: {issue['message']}" for issue in told["issues"]]
    if not told["passed"] and not faults:
        faults.append(f"{folder}: rocrate-validator does not pass it")
    return Found(tuple(faults[: kept.SHOWN]), {"crates": 1})
