"""The transfer service as a program that uses `metadata_client`: it brings the raw data that people
want to keep from the online to the offline store, and reports what it brought.

It follows the catalogue's events to learn of which run something is new, looks at the run through
the legacy API, copies with plain Python, and calls `register_run_replica`. Whether a copy is good
is not for it to say: the catalogue reads it back. Where that finds a copy corrupt, it copies again
once the file at its source is another one.

It keeps no notes. Started again it follows the events from the first one on; what lies there with
the size and the time of its source is not copied twice.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import requests

from catalogue.demo import facility
from catalogue.demo.programs.connecting import (
    FailedError,
    answered,
    arguments,
    client_for,
    raw_folder,
    runs_of,
    told,
)

log = logging.getLogger("transfer")

SOURCE, DESTINATION = "online", facility.BROUGHT_BY_TRANSFER
CLOSED, GOOD, UNCLEAR = 2, 1, 2  # as the legacy API numbers them
LOOK_EVERY = 0.5  # seconds
_FOLLOWED = ("run", "replica")


class Transfer:
    """Brings data from one folder of stores to another, and reports."""

    def __init__(self, client: Any, site: str, stores: Path) -> None:
        self._client = client
        self._site = site
        self._stores = stores
        self._after = ""
        self._open: set[tuple[int, int]] = set()

    def look(self) -> None:
        """Hear what is new, and bring what is wanted; what fails is tried again the next time."""
        self._listen()
        for proposal, run in sorted(self._open):
            try:
                if self._is_settled(proposal, run):
                    self._open.discard((proposal, run))
            # The client answers what is not JSON with ValueError.
            except (FailedError, OSError, ValueError) as failure:
                log.warning("p%06d r%04d: %s: %s", proposal, run, type(failure).__name__, failure)

    def _listen(self) -> None:
        """Note each run of which something happened since the last time."""
        more = True
        while more:
            query = {"kind": _FOLLOWED, "limit": 1000}
            answer = self._client.oauth_client.session.get(
                f"{self._site}/api/v1/events",
                params=query | ({"after": self._after} if self._after else {}),
                timeout=30,
            )
            answer.raise_for_status()
            page = answer.json()
            for event in page["events"]:
                about = event["subject"]
                if about["run"] is not None:
                    self._open.add((about["proposal"], about["run"]))
            self._after, more = page["next"], page["more"]

    def _is_settled(self, proposal: int, number: int) -> bool:
        """Whether nothing is left to do for a run; does what there is."""
        found = runs_of(self._client, proposal, number)
        if not found or not _is_wanted(found[0]):
            return True
        places = found[0]["repositories"]
        if SOURCE not in places or DESTINATION in places:
            return True
        folder = raw_folder(self._client, proposal) / found[0]["run_folder"]
        copied = bring(self._stores / SOURCE / folder, self._stores / DESTINATION / folder)
        if not copied and self._was_reported(proposal, number):
            return False  # what was found corrupt is as its source still is
        told(self._client.register_run_replica(proposal, number, DESTINATION))
        log.info("p%06d r%04d: %d files brought, and reported", proposal, number, copied)
        return True

    def _was_reported(self, proposal: int, number: int) -> bool:
        """Whether a copy was reported before that is not, or not any more, one that counts."""
        (there,) = answered(self._client.get_all_repositories_by_identifier_api(DESTINATION))
        groups = answered(self._client.get_run_all_raw_data_groups_ids_api(number, proposal))
        find = self._client.get_all_by_data_group_id_and_repository_id_api
        return any(answered(find(group, there["id"])) for group in groups)


def _is_wanted(run: dict[str, Any]) -> bool:
    """Whether a run is over, its files are known, and somebody wants to keep them."""
    over = run["flg_status"] == CLOSED and run["num_files"] > 0
    return bool(over and run["flg_run_quality"] in (GOOD, UNCLEAR))


def bring(source: Path, destination: Path) -> int:
    """Copy the files of a folder that are not in the other with the same size and time; how many
    were copied."""
    destination.mkdir(parents=True, exist_ok=True)
    copied = 0
    for file in sorted(path for path in source.iterdir() if path.is_file()):
        there = destination / file.name
        if not _is_as(there, file):
            shutil.copyfile(file, there)
            _sync(there)
            shutil.copystat(file, there)  # the time last: a copy that was cut off has another
            copied += 1
    return copied


def _is_as(there: Path, source: Path) -> bool:
    if not there.exists():
        return False
    copy, original = there.stat(), source.stat()
    return (copy.st_size, copy.st_mtime_ns) == (original.st_size, original.st_mtime_ns)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def main() -> int:
    """Look again and again, until somebody ends the program."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    log.setLevel(logging.INFO)
    given = arguments(__doc__)
    client = client_for(facility.TRANSFER.login, given.site, given.secrets)
    transfer = Transfer(client, given.site, given.stores)
    while True:
        try:
            transfer.look()
        except requests.RequestException as trouble:
            log.warning("%s: %s", type(trouble).__name__, trouble)
        time.sleep(LOOK_EVERY)


if __name__ == "__main__":
    sys.exit(main())
