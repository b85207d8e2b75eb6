"""Enters the suites' rows: all of them, or none and the list of what stands in the way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Field, Model

from catalogue.ground import access, clock, journal
from catalogue.ground.actor import Actor
from catalogue.ground.lifecycle import advance
from catalogue.ground.models import Program, Recorded, User
from proposals import commands as proposal_commands
from proposals.models import Proposal
from runs import commands as run_commands
from runs.models import Replica, Run

ROWS: Final = Path(__file__).with_name("rows.json")
LOADER: Final = Actor(user=None, name="Loader of the client suites", face="command", system=True)
REASON: Final = "As the published client suites presuppose it."
# What the catalogue says by itself once the rows are there.
COUNTED: Final = {
    ("proposals.proposal", "last_run_number"),
    ("proposals.proposal", "state_since"),
}


class Conflicts(Exception):
    """Rows are in the way; `what` says which, a line each. Nothing was written."""

    def __init__(self, what: list[str]) -> None:
        super().__init__("\n".join(what))
        self.what = what


@dataclass(frozen=True)
class Row:
    """One row of the file, with the values its table's columns hold."""

    model: type[Model]
    pk: int
    values: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.model._meta.label_lower

    def __str__(self) -> str:
        return f"{self.name} {self.pk}"


@transaction.atomic
def enter() -> int:
    """Enter what is not there yet; how many rows that were. Raises `Conflicts`."""
    told = json.loads(ROWS.read_text(encoding="utf-8"))
    rows = [_row(one) for one in told["rows"]]
    missing = [row for row in rows if not row.model._base_manager.filter(pk=row.pk).exists()]
    program = Program.objects.filter(client_id=told["program"]["client_id"]).first()
    what = [*_conflicts(rows, missing), *_conflicts_of_program(told["program"], program)]
    if what:
        raise Conflicts(what)
    for row in missing:
        _enter(row)
    _set_sequences(missing)
    new = {(row.name, row.pk) for row in missing}
    for report in told["reported"]:
        if (report["model"], report["pk"]) in new:
            _report(report)
    if program is None:
        _enter_program(told["program"])
    return len(missing)


def _row(one: Mapping[str, Any]) -> Row:
    model = apps.get_model(one["model"])
    columns = {field.attname: field for field in model._meta.concrete_fields}
    values = {name: _value(columns[name], value) for name, value in one["fields"].items()}
    return Row(model, one["pk"], values)


def _value(column: Field[Any, Any], value: Any) -> Any:
    return getattr(column, "target_field", column).to_python(value)


# ---------------------------------------------------------------- what stands in the way


def _conflicts(rows: list[Row], missing: list[Row]) -> Iterator[str]:
    """A row that is there with other values, and one that another row leaves no place for."""
    for row in rows:
        if row in missing:
            try:
                new = row.model(pk=row.pk, **row.values)
                new.validate_unique()
                new.validate_constraints()
            except ValidationError as error:
                yield f"{row}: {' '.join(error.messages)}"
            continue
        there = row.model._base_manager.get(pk=row.pk)
        for name, value in row.values.items():
            found = getattr(there, name)
            if found != value and (row.name, name) not in COUNTED:
                yield f"{row}: {name} is {found!r}, not {value!r}"


def _conflicts_of_program(told: Mapping[str, Any], there: Program | None) -> Iterator[str]:
    if there is not None and (there.name != told["name"] or there.revoked_at is not None):
        yield f"program {there.name!r}: has the client id {told['client_id']!r}, or was revoked"
    if there is None and Program.objects.filter(name__iexact=told["name"]).exists():
        yield f"program {told['name']!r}: is there with another client id"


# ---------------------------------------------------------------- writing


def _enter(row: Row) -> None:
    made = row.model(pk=row.pk, **row.values)
    if isinstance(made, User):
        made.set_unusable_password()
    made.save(force_insert=True)
    if isinstance(made, Recorded):
        journal.write(made, "enter", by=LOADER, reason=REASON)


def _report(told: Mapping[str, Any]) -> None:
    """Take over one state, by the move that is there for what others report."""
    row = apps.get_model(told["model"])._base_manager.get(pk=told["pk"])
    match row:
        case Proposal():
            proposal_commands.adopt(row, state=told["to"], by=LOADER, reason=REASON)
        case Run() if told["move"] == "assess":
            run_commands.assess(row, quality=told["to"], by=LOADER, comment=REASON)
        case Run():
            advance(row.adopt_status, by=LOADER, reason=REASON, to=told["to"], end_at=row.end_at)
        case Replica():
            advance(row.report_copied, by=LOADER, reason=REASON)
        case _:
            raise ValueError(f"nobody reports on {row!r}")


def _enter_program(told: Mapping[str, Any]) -> None:
    """The suites' program, with a secret that everybody knows: not for a catalogue in use."""
    made = Program(
        name=told["name"],
        client_id=told["client_id"],
        client_secret=told["client_secret"],
        client_type=Program.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Program.GRANT_CLIENT_CREDENTIALS,
        scopes=sorted(access.SCOPES),
        created=clock.now(),
    )
    made.save()
    made.acts_for.set(User.objects.filter(pk__in=told["acts_for"]))
    journal.write(made, "create", by=LOADER, reason=REASON, facts={"scopes": made.scopes})


def _set_sequences(entered: list[Row]) -> None:
    """Ids that were given by us are unknown to PostgreSQL's sequences, and negative ones are
    outside them; new rows get ids above all that are there."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for model in {row.model for row in entered}:
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence(%s, 'id'),"  # noqa: S608 - our own table
                f" GREATEST((SELECT MAX(id) FROM {table}), 1))",
                [table],
            )
