"""Journal entries and jobs as people read them.

The names of moves and jobs are words for programs (`runs.migrate`); here are the ones for people,
the same on every page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.apps import apps

from catalogue.ground import calendar, clock
from catalogue.ground.lifecycle.moves import Move, all_moves
from catalogue.ground.models import Entry, Job, Thing
from catalogue.ground.words import bytes_text, number_text

JOBS = {
    "proposals.configure_directory": "Set up groups and accounts",
    "proposals.make_folders": "Make folders",
    "proposals.renew_access": "Bring groups in step with the team",
    "proposals.look_at_preparation": "Look at groups and folders",
    "proposals.apply_preparation": "Put groups and folders right",
    "proposals.remove_folders": "Remove the online folders",
    "proposals.register_doi": "Register the DOI",
    "proposals.tell_held": "Tell those who must act",
    "proposals.tell_findable": "Tell the team of its DOI",
    "proposals.tell_release": "Tell the team of the release",
    "proposals.send_notice": "Send a notice",
    "runs.tell_removal": "Tell the team of announced removals",
    "runs.tell_failure": "Tell the team of failed calibrations",
    "runs.scan": "Scan the run's folder",
    "runs.migrate": "Copy to offline storage",
    "runs.archive": "Copy to the archive",
    "runs.verify_replica": "Read a copy back",
    "runs.last_copy": "Find a copy of data that were lost",
    "runs.remove_replica": "Remove a copy",
    "runs.purge_replica": "Empty the trash",
    "runs.restore_replica": "Bring back from the trash",
    "runs.take_back_copy": "Take back a copy",
    "runs.calibrate": "Calibrate",
    "runs.characterise": "Make constants from a dark run",
    "runs.package": "Make a package",
    "runs.clear_package": "Clear away a package that failed",
    "runs.look": "Look into the files",
    "policies.judge_run": "Judge by the policy",
}
ACTS = {
    "create": "created",
    "import": "imported",
    "add member": "added to the team",
    "change member": "changed in the team",
    "remove member": "removed from the team",
    "lead": "named who leads the team",
    "name deputy": "named a deputy",
    "end deputy": "ended a deputy's office",
    "prolong access": "prolonged the team's access",
    "add beamtime": "added a beamtime",
    "change beamtime": "moved a beamtime",
    "remove beamtime": "gave a beamtime back",
    "add experiment": "added a run type",
    "change experiment": "changed a run type",
    "remove experiment": "removed a run type",
    "add sample": "added a sample",
    "change sample": "changed a sample",
    "remove sample": "removed a sample",
    "amend": "amended",
    "write group": "wrote a group",
    "apply preparation": "asked for groups and folders to be put right",
    "switch": "switched automatic steps",
    "register": "registered",
    "register files": "registered files",
    "correct": "corrected",
    "change files": "changed files",
    "delete files": "deleted files",
    "add checksums": "added checksums of ours",
    "register data": "registered data",
    "change data": "changed data",
    "delete": "deleted",
    "list files": "listed files",
    "register parameters": "registered parameters",
    "change parameters": "changed parameters",
    "delete parameters": "deleted parameters",
    "report processing": "reported how far the processing is",
    "report kind": "reported which kind it is",
    "relate": "related",
    "request": "asked for",
    "edit": "edited",
    "set causes": "said what caused it",
    "remove": "removed",
    "withdraw": "withdrew",
    "hold": "placed a hold",
    "enter": "entered",
    "change": "changed",
    "ask": "asked for what takes two",
    "draft": "drafted",
    "ask to stop": "asked to stop",
    "rotate secret": "made a new secret",
    "revoke": "revoked",
    "look again": "asked to look into the files again",
    "set scopes": "set the scopes",
    "set whom it acts for": "set whom it acts for",
    "open account": "opened the account",
    "close account": "closed the account",
    "reopen account": "opened the account again",
    "end sessions": "ended all sessions",
    "set offices": "changed the offices",
    "appoint": "named who leads the instrument",
    "take over from LDAP": "took over what LDAP says",
    "take over from the provider": "took over what the provider says",
    "import from LDAP": "took the person over from LDAP",
    "link identity": "linked an identity",
    "unlink identity": "unlinked an identity",
    "make token": "made a token",
    "revoke token": "revoked a token",
}
# Facts that a sentence says already, or that only programs can use.
_UNSAID = frozenset(
    {"at", "name", "mark", "claim", "metadata", "configuration", "software", "evidence", "result",
     "reason", "person"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """One entry: what was done, from which state to which, and the facts worth a line."""

    entry: Entry
    act: str
    before: str
    after: str
    facts: tuple[tuple[str, str], ...]


def told(entry: Entry) -> Told:
    """An entry of the journal in words."""
    move = _move(entry.subject_type, entry.move)
    before, after = (_state(entry.subject_type, move, s) for s in (entry.before, entry.after))
    act = move.spec.label if move else _capital(ACTS.get(entry.move, entry.move))
    return Told(
        entry=entry,
        act=act,
        before="" if before == after else before,
        after="" if after == act and not entry.before else after,
        facts=tuple(_facts(entry.facts)),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def job_words(job: Job | str) -> str:
    """What a job does, in words: "Copy to offline storage"."""
    name = job if isinstance(job, str) else job.name
    return JOBS.get(name, name)


@cache
def _move(model: str, name: str) -> Move | None:
    try:
        found = apps.get_model(model)
    except LookupError:
        return None  # told of a table that this version no longer has
    if not issubclass(found, Thing):
        return None
    return next((m for m in all_moves(found) if m.name == name), None)


def _state(model: str, move: Move | None, value: str) -> str:
    """The word for a state: of the field that the move changes, else of any that knows it."""
    if not value:
        return ""
    fields = [move.field] if move else ["state", "status"]
    try:
        meta = apps.get_model(model)._meta
    except LookupError:
        return value
    for field in meta.concrete_fields:
        if field.name in fields:
            words = dict(getattr(field, "flatchoices", ()))
            return str(words.get(value, value))
    return value


def _facts(facts: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (name.replace("_", " "), plain_fact(name, value))
        for name, value in facts.items()
        if name not in _UNSAID and value not in (None, "", [], {}, False)
    ]


def plain_fact(name: str, value: object) -> str:
    """A fact of a journal entry or of a job's evidence, for people: sizes with units, times in the
    facility's zone, yes and no, lists with commas; anything nested as it is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and "train" in name:
        return str(value)  # an identifier, not an amount
    if isinstance(value, int):
        size = name in ("bytes", "size") or name.endswith("_bytes")
        return bytes_text(value) if size and value >= 0 else number_text(value)
    if isinstance(value, list) and all(isinstance(v, str | int) for v in value):
        return ", ".join(str(v) for v in value)
    return _moment(value) or str(value)


def _moment(value: object) -> str:
    """A time as the journal keeps it (ISO 8601 with its zone), for people; else nothing."""
    if not isinstance(value, str) or value[10:11] != "T":
        return ""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return ""
    if moment.utcoffset() is None:
        return ""
    return calendar.say_when(moment, clock.facility_zone())
