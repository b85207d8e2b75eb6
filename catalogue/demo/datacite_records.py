"""The DOIs of the stand-in for DataCite: their states, their rules, and the file they live in.

The rules are DataCite's: a draft is not validated, a registered or findable DOI always is; findable
goes to registered by `hide`; nothing goes back to draft; an event that does not apply is passed
over.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from datacite import schema45

Record = dict[str, Any]

# event -> state to which it leads from each state in which it applies
_EVENTS: Mapping[str, Mapping[str, str]] = {
    "register": {"draft": "registered"},
    "publish": {"draft": "findable", "registered": "findable"},
    "hide": {"findable": "registered"},
}
# What a client may say of a DOI; anything else is not heard, as at DataCite.
_HEARD = set(schema45.validator.schema["properties"]) - {"doi", "event", "prefix", "suffix"}


class RefusedError(Exception):
    """The request cannot be done: `status` and JSON:API `errors` for the answer."""

    def __init__(self, status: int, *errors: Mapping[str, str]) -> None:
        super().__init__(f"{status}: {errors}")
        self.status = status
        self.errors = errors


class Records:
    """All DOIs, in memory and in a JSON file that is replaced as a whole at each change."""

    def __init__(self, file: Path, prefixes: tuple[str, ...]) -> None:
        self._file = file
        self._prefixes = prefixes
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}
        if file.exists():
            self._records = json.loads(file.read_text(encoding="utf-8"))["dois"]

    def all(self) -> list[Record]:
        """Every DOI in the order of their names."""
        with self._lock:
            return [self._records[name] for name in sorted(self._records)]

    def get(self, doi: str) -> Record | None:
        with self._lock:
            return self._records.get(doi.lower())

    def create(self, attributes: Mapping[str, Any]) -> Record:
        """POST: a new DOI, named by the client or (with `prefix` alone) by the server."""
        with self._lock:
            doi = str(attributes.get("doi") or self._invented(str(attributes.get("prefix") or "")))
            if doi.lower() in self._records:
                raise RefusedError(
                    422, {"source": "doi", "title": "This DOI has already been taken", "uid": doi}
                )
            return self._store(doi, attributes, None)

    def put(self, doi: str, attributes: Mapping[str, Any]) -> tuple[Record, bool]:
        """PUT: change the DOI, or make it; answers whether it was made."""
        with self._lock:
            known = self._records.get(doi.lower())
            return self._store(doi, attributes, known), known is None

    def delete(self, doi: str) -> None:
        """DELETE: drafts only."""
        with self._lock:
            known = self._records.get(doi.lower())
            if known is None:
                raise not_found()
            if known["state"] != "draft":
                raise RefusedError(405, {"status": "405", "title": "Method not allowed"})
            self._save({name: it for name, it in self._records.items() if it is not known})

    def _invented(self, prefix: str) -> str:
        if not prefix:
            raise RefusedError(422, {"source": "doi", "title": "can't be blank"})
        return f"{prefix}/{secrets.token_hex(2)}-{secrets.token_hex(2)}"

    def _store(self, doi: str, attributes: Mapping[str, Any], known: Record | None) -> Record:
        prefix, _, suffix = doi.lower().partition("/")
        if prefix not in self._prefixes:
            raise RefusedError(
                403,
                {"status": "403", "title": "You are not authorized to access this resource."},
            )
        if not suffix or any(character.isspace() for character in suffix):
            raise RefusedError(422, {"source": "doi", "title": "is invalid"})
        event = attributes.get("event")
        if event is not None and event not in _EVENTS:
            raise RefusedError(422, {"source": "event", "title": f"{event!r} is not an event"})
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        before: Record = known or {"state": "draft", "created": now, "metadataVersion": -1}
        state = _EVENTS.get(event or "", {}).get(before["state"], before["state"])
        heard = {key: value for key, value in attributes.items() if key in _HEARD}
        record = before | heard
        record.update(doi=doi.lower(), prefix=prefix, suffix=suffix, state=state, updated=now)
        record.update(isActive=state == "findable", metadataVersion=before["metadataVersion"] + 1)
        if state != "draft":
            record.setdefault("registered", now)
            _validate(record)
        self._save({**self._records, doi.lower(): record})
        return record

    def _save(self, records: dict[str, Record]) -> None:
        """The file first, then the memory: what was answered is on disk."""
        draft = self._file.with_name(self._file.name + ".new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump({"dois": records}, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._file)
        self._records = records


def not_found() -> RefusedError:
    return RefusedError(
        404, {"status": "404", "title": "The resource you are looking for doesn't exist."}
    )


def metadata(record: Record) -> dict[str, Any]:
    """The DataCite JSON within a record."""
    return {
        key: value
        for key, value in record.items()
        if key in _HEARD | {"doi"} and value not in (None, "", [], {})
    }


def _validate(record: Record) -> None:
    """What DataCite asks of a DOI that is no draft: an address, metadata that keep the schema."""
    errors = []
    if not str(record.get("url") or "").startswith(("http://", "https://")):
        errors.append({"source": "url", "title": "Can't be blank"})
    for error in schema45.validator.iter_errors(metadata(record)):
        if error.absolute_path:
            errors.append({"source": str(error.absolute_path[0]), "title": error.message})
        else:  # at the top, only a required property can be wrong: the rest is not heard
            errors.append({"source": error.message.split("'")[1], "title": "can't be blank"})
    if errors:
        raise RefusedError(422, *({**error, "uid": record["doi"]} for error in errors))
