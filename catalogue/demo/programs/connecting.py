"""How a program gets its client, and what it makes of the client's answers."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import requests

PATIENCE = 60.0  # seconds within which the site has to answer
_LONGEST_PAGE = 500


class FailedError(Exception):
    """The site did not do what was asked; the message has its words."""


def arguments(description: str | None) -> argparse.Namespace:
    """What each of these programs is told when it is started."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--site", required=True, help="address of the catalogue")
    parser.add_argument("--stores", type=Path, required=True, help="where the stores are mounted")
    parser.add_argument("--secrets", type=Path, required=True, help="file of ids and secrets")
    return parser.parse_args()


def client_for(login: str, site: str, secrets: Path) -> Any:
    """The client of the program that acts for the account `login`; waits until the site answers."""
    # why: it is there in a facility whose programs use it
    from metadata_client import MetadataClient

    kept = json.loads(secrets.read_text(encoding="utf-8"))[login]
    address = f"{site}/metadata"
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return MetadataClient(
                client_id=kept["id"],
                client_secret=kept["secret"],
                token_url=f"{address}/oauth/token",
                refresh_url=f"{address}/oauth/token",
                auth_url=f"{address}/oauth/authorize",
                scope="",
                user_email=kept["email"],
                base_api_url=f"{address}/api/",
            )
        except requests.ConnectionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.3)


def told(answer: dict[str, Any]) -> Any:
    """What an answer of the client holds. Raises `FailedError`."""
    if not answer["success"]:
        raise FailedError(f"{answer['info']}: {answer['app_info']}")
    return answer["data"]


def listed(answer: dict[str, Any]) -> list[Any]:
    """A list that may be empty, which the client takes for a failure without a word of the site."""
    if not answer["success"] and not answer["app_info"]:
        return []
    return list(told(answer))


def answered(answer: requests.Response) -> Any:
    """What the site answered where the client gives its answer as it came. Raises `FailedError`."""
    if not answer.ok:
        raise FailedError(f"{answer.status_code}: {answer.text[:500]}")
    return answer.json()


def runs_of(client: Any, proposal: int, run: int | None = None) -> list[dict[str, Any]]:
    """The runs of a proposal, or the one of that number."""
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        runs = told(client.get_proposal_runs(proposal, run, page, _LONGEST_PAGE))["runs"]
        found += runs
        if len(runs) < _LONGEST_PAGE:
            return found
        page += 1


def raw_folder(client: Any, proposal: int) -> Path:
    """Where the raw data of a proposal lie inside a store, e.g. "SPB/202601/p900060/raw"; the
    catalogue tells the path below a root that is another one on each machine."""
    path = Path(told(client.get_proposal_info(proposal, None))["def_proposal_path"])
    return Path(*path.parts[-4:])
