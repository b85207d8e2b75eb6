"""Registering 1,000 files in one call of the legacy API, beside a bare `executemany` of the rows.

    DATABASE_URL=postgres://… python benchmarks/legacy_bulk.py

Limit: at least 1/8 of the rate of psycopg's `executemany` of the same rows into the same table, in
one transaction each, in a catalogue of 1,000,000 files of 20,000 runs (`filling.py`). The call is
made in this process through all the middleware, with an OAuth2 token; it checks every record, asks
whether the names are taken, counts, writes the journal and answers with all the rows. Its database
is made for it and dropped afterwards.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import asking, filling  # noqa: E402 - as a script, not as a module
from benchmarks.place import database, machine  # noqa: E402

if TYPE_CHECKING:
    from runs.models import DataGroup

RECORDS = 1_000
SHARE = 1 / 8
PATH = "/metadata/api/dataset_files/bulk_create"


class Groups:
    """New data groups of new open runs, for what a DAQ registers."""

    def __init__(self, proposal: int) -> None:
        from catalogue.ground.models import DataKind  # why: after setup
        from proposals.models import Proposal

        self._proposal = Proposal.objects.get(number=proposal)
        self._experiment = self._proposal.experiments.order_by("pk")[:1].get()
        self._number = 5000
        self.kind = DataKind.objects.get(identifier="RAW").pk

    def new(self) -> DataGroup:
        from catalogue.ground import clock  # why: after setup
        from runs.models import DataGroup, Run

        self._number += 1
        now = clock.now()
        run = Run.objects.create(
            proposal=self._proposal, number=self._number, begin_at=now, created_at=now,
            experiment=self._experiment,
        )  # fmt: skip
        return DataGroup.objects.create(
            run=run, kind="RAW", experiment=self._experiment, created_at=now
        )


def records(group: DataGroup, kind: int) -> list[dict[str, Any]]:
    """As a DAQ sends them."""
    return [
        {
            "filename": f"RAW-R{group.run.number:04d}-AGIPD{n % 16:02d}-S{n // 16:05d}.h5",
            "flg_available": "true",
            "flg_immutable": "true",
            "file_creation_at": "2026-11-20T09:00:00.000+01:00",
            "data_group_id": group.pk,
            "data_group_type_id": kind,
            "byte_size": 1_000_000 + n,
            "checksum": f"{group.pk * 997 + n:08x}",
            "format": "hdf5",
            "year": 2026,
        }
        for n in range(RECORDS)
    ]


def by_executemany(group: DataGroup, kind: int) -> float:
    """Insert the rows; the milliseconds it took."""
    from django.db import connection, transaction  # why: after setup

    from catalogue.ground import clock

    written = datetime.fromisoformat("2026-11-20T09:00:00.000+01:00")
    now = clock.now()
    rows = [
        (
            group.pk, r["filename"], r["byte_size"], "", r["checksum"], now, "", r["format"],
            r["year"], written, True, True,
        )
        for r in records(group, kind)
    ]  # fmt: skip

    def insert() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            raw: Any = cursor.cursor  # psycopg's own
            raw.executemany(INSERT, rows)

    return asking.timed(insert)


INSERT = (
    "INSERT INTO runs_file (data_group_id, name, bytes, sha256, adler32, registered_at, kind,"
    " format, year, written_at, available, immutable)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


def measure(rounds: int) -> bool:
    """Both by turns; whether the limits are kept."""
    filled = filling.fill(filling.LARGE)
    daq = asking.Caller(asking.Site(), filled.staff, ("read", "daq"))
    groups = Groups(filled.proposals[0])

    def call() -> float:
        body = json.dumps({"dataset_files": records(groups.new(), groups.kind)}).encode()
        return asking.timed(lambda: daq.send("POST", PATH, body, 201))

    call()  # connects, compiles
    by_executemany(groups.new(), groups.kind)
    with asking.counted() as asked:
        call()
    calls, bare = [], []
    for _ in range(rounds):
        calls.append(call())
        bare.append(by_executemany(groups.new(), groups.kind))
    took, peer = asking.median(calls), asking.median(bare)
    share = peer / took
    kept = share >= SHARE
    print(
        f"bulk_create of {RECORDS} records: {took:.0f} ms, {RECORDS / took * 1e3:,.0f} a second, "
        f"{len(asked) - 2} queries; executemany {peer:.0f} ms, {RECORDS / peer * 1e3:,.0f} a "
        f"second; share of its rate {share:.2f}, limit {SHARE:g}: {'kept' if kept else 'MISSED'}"
    )
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(machine())
    with database("lightkeeper_bench_bulk") as url:
        asking.set_up(url)
        try:
            return 0 if measure(rounds) else 1
        finally:
            from django.db import connections  # why: after setup

            connections.close_all()


if __name__ == "__main__":
    raise SystemExit(main())
