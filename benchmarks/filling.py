"""A catalogue as it is after some years, filled by COPY: proposals, teams, runs, groups, replicas,
files, marks and what the journal tells of them, in the proportions of a busy facility.

    DATABASE_URL=postgres://… python -m benchmarks.filling [--size large]

fills the database named there, which must be new. Benchmarks call `fill` on one of their own; in
`Filled` they find the numbers and the people that they ask with. Two sizes: `LARGE` has 1,000,000
files of 20,000 runs in 200 proposals, `SMALL` 1/100 of that; beside these there is one proposal
with many replicas and one with many runs (1,000 and 5,000 in `LARGE`), whose runs have few files.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from django.db.models import Model


@dataclass(frozen=True)
class Size:
    """How much there is: ordinary proposals of 100 runs of 50 files, and the two big ones."""

    proposals: int
    many_replicas: int
    many_runs: int
    runs: int = 100
    people: int = 500


LARGE = Size(proposals=200, many_replicas=1000, many_runs=5000)
SMALL = Size(proposals=2, many_replicas=10, many_runs=50)

FIRST = 700_001
MANY_REPLICAS = 790_001
MANY_RUNS = 790_002
RAW, PROC = 34, 16
"""Files of an ordinary run: as its DAQ writes them, and as they are corrected."""
TEAM = 8
COPIES = (("RAW", ("online", "offline", "mass_storage")), ("PROC", ("offline", "mass_storage")))
REPLICAS_OF_A_RUN = sum(len(stores) for _, stores in COPIES)
TOLD = ("register", "register files", "close", "assess", "verify")
MEMBER, NEWCOMER = "member", "newcomer"
"""Logins of people without an office: who is in the teams of all that is asked for, and who is in
that of the proposal with many replicas only, and sees no others."""


@dataclass(frozen=True)
class Filled:
    """What benchmarks ask with: numbers of ordinary proposals and ids of their runs."""

    proposals: tuple[int, ...]
    runs: tuple[int, ...]
    staff: str
    member: str
    newcomer: str


class Rows:
    """Rows of one table, as COPY takes them: what is not `named` has the model's default."""

    def __init__(self, model: type[Model], *named: str) -> None:
        from django.db import connection  # why: Django is set up by now, not before

        fields = [f for f in model._meta.concrete_fields if not f.generated]
        known = {field.attname: field.column for field in fields}
        fixed = [f for f in fields if f.attname not in named and not f.primary_key]
        self._columns = [known[name] for name in named]
        self._columns += [field.column for field in fixed]
        self._fixed = tuple(f.get_db_prep_save(f.get_default(), connection) for f in fixed)
        self.model = model

    def copy(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Write `rows`, each with the values of what is named, in that order."""
        from django.db import connection  # why: as above

        columns = ", ".join(f'"{name}"' for name in self._columns)
        with connection.cursor() as cursor:
            raw: Any = cursor
            statement = f'COPY "{self.model._meta.db_table}" ({columns}) FROM STDIN'
            with raw.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row + self._fixed)


@dataclass
class Planned:
    """A run to be written: its id, its proposal (id, number, id of a run type and of a sample)."""

    pk: int
    number: int
    proposal: tuple[int, int, int, int]
    begin: datetime
    files: tuple[int, int]

    @property
    def quality(self) -> str:
        marks = ("good", "good", "good", "unclear", "good", "not_interesting", "good", "")
        return marks[self.number % len(marks)]

    @property
    def end(self) -> datetime:
        return self.begin + timedelta(minutes=5)


class Filler:
    """Fills the database that the settings name. It holds no proposals yet."""

    def __init__(self, size: Size, folder: Path) -> None:
        from tests.factories import BEGIN, Facility  # why: Django is set up by now

        self.size = size
        self.facility = Facility(folder)
        self.facility.policy()
        self.begin = BEGIN - timedelta(days=1000)

    def fill(self) -> None:
        """Write everything, and tell PostgreSQL how much there is."""
        from django.db import connection, transaction  # why: as above

        with transaction.atomic():
            self._people()
            self._techniques()
            runs = list(self._runs(self._proposals()))
            self._write_runs(runs)
            self._write_data(runs)
            self._write_work(runs)
            self._write_journal(runs)
            self._set_sequences()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")

    # ------------------------------------------------------------ who and for what

    def _people(self) -> None:
        from catalogue.ground.models import User  # why: as above

        names = [*(f"user{n:04d}" for n in range(self.size.people)), MEMBER, NEWCOMER]
        people = [
            User(username=n, first_name="Ada", last_name=n.title(), email=f"{n}@example.org")
            for n in names
        ]
        User.objects.bulk_create(people, batch_size=500)
        rows = User.objects.filter(username__in=names).order_by("username")
        by_name = dict(rows.values_list("username", "pk"))
        self.member, self.newcomer = by_name.pop(MEMBER), by_name.pop(NEWCOMER)
        self.people = list(by_name.values())

    def _techniques(self) -> None:
        from catalogue.ground.models import SampleType, Technique  # why: as above

        self.techniques = [
            Technique.objects.create(identifier=f"BENCH{n:05d}", name=f"technique {n}").pk
            for n in range(6)
        ]
        self.sample_type = SampleType.objects.create(name="Powder", identifier="POWDER").pk

    def _proposals(self) -> list[tuple[tuple[int, int, int, int], int, tuple[int, int]]]:
        """Proposals with their teams; each with the runs and the files of a run it is to have."""
        from catalogue.ground.models import ExperimentType  # why: as above
        from proposals.models import Beamtime, Experiment, Membership, Proposal, Sample

        size = self.size
        wanted = [(FIRST + n, size.runs, (RAW, PROC)) for n in range(size.proposals)]
        wanted.append((MANY_REPLICAS, size.many_replicas // REPLICAS_OF_A_RUN, (2, 1)))
        wanted.append((MANY_RUNS, size.many_runs, (2, 1)))
        kind = ExperimentType.objects.get(name="Test DAQ")
        made = Proposal.objects.bulk_create(
            Proposal(
                number=number, title=f"Study {number}", instrument=self.facility.instrument,
                cycle=self.facility.cycle, state="F", state_since=self.begin,
                created_at=self.begin, last_run_number=runs,
            )
            for number, runs, _ in wanted
        )  # fmt: skip
        types = Experiment.objects.bulk_create(
            Experiment(proposal=p, name=f"type {n}", type=kind, number=n)
            for p in made
            for n in (1, 2, 3)
        )
        samples = Sample.objects.bulk_create(
            Sample(proposal=p, name=f"sample {n}", type_id=self.sample_type)
            for p in made
            for n in range(3)
        )
        Beamtime.objects.bulk_create(
            Beamtime(proposal=p, begin_at=begin, end_at=begin + timedelta(days=4))
            for n, p in enumerate(made)
            for begin in (self.begin + timedelta(days=4 * n),)
        )
        Membership.objects.bulk_create(
            Membership(
                proposal=p, user_id=user, role="pi" if place == 0 else "member", data_access=2,
                added_at=self.begin,
            )
            for n, p in enumerate(made)
            for place, user in enumerate(self._team(n, p.number))
        )  # fmt: skip
        through = Proposal.techniques.through
        through.objects.bulk_create(
            through(proposal_id=p.pk, technique_id=technique)
            for p in made
            for technique in self.techniques[:2]
        )
        return [
            ((p.pk, p.number, types[3 * n].pk, samples[3 * n].pk), runs, files)
            for n, (p, (_, runs, files)) in enumerate(zip(made, wanted, strict=True))
        ]

    def _team(self, place: int, number: int) -> list[int]:
        """The ids of the team of a proposal; the plain member is in those that are asked for."""
        count = len(self.people)
        team = [self.people[(place * TEAM + n) % count] for n in range(TEAM)]
        if place < ASKED or number >= MANY_REPLICAS:
            team.append(self.member)
        return [*team, self.newcomer] if number == MANY_REPLICAS else team

    # ------------------------------------------------------------ runs and their data

    def _runs(
        self, proposals: list[tuple[tuple[int, int, int, int], int, tuple[int, int]]]
    ) -> Iterator[Planned]:
        ids = itertools.count(1)
        for place, (proposal, runs, files) in enumerate(proposals):
            begin = self.begin + timedelta(days=4 * place)
            for n in range(runs):
                yield Planned(next(ids), n + 1, proposal, begin + timedelta(minutes=6 * n), files)

    def _write_runs(self, runs: list[Planned]) -> None:
        from runs.models import Assessment, Run  # why: as above

        named = Rows(
            Run, "id", "proposal_id", "number", "experiment_id", "sample_id", "status", "quality",
            "assessed_at", "assessed_by", "first_train", "last_train", "begin_at", "end_at",
            "file_count", "bytes", "created_at",
        )  # fmt: skip
        named.copy(
            (
                r.pk, r.proposal[0], r.number, r.proposal[2], r.proposal[3], "closed", r.quality,
                r.end if r.quality else None, "Ada Person" if r.quality else "",
                10_000 * r.pk, 10_000 * r.pk + 3000, r.begin, r.end,
                sum(r.files), sum(r.files) * BYTES, r.begin,
            )
            for r in runs
        )  # fmt: skip
        Rows(Run.techniques.through, "run_id", "technique_id").copy(
            (r.pk, self.techniques[n]) for r in runs for n in (r.number % 3, 3 + r.number % 3)
        )
        marks = Rows(Assessment, "run_id", "quality", "previous", "by_name", "at")
        marks.copy(
            (r.pk, mark, before, "Ada Person", r.end)
            for r in runs
            if r.quality
            for before, mark in [("", "unclear"), ("unclear", r.quality)][r.quality == "unclear" :]
        )

    def _write_data(self, runs: list[Planned]) -> None:
        from runs.models import DataGroup, File, Replica  # why: as above

        groups = [
            (pk, run, kind, stores, count)
            for pk, (run, (kind, stores, count)) in enumerate(
                (
                    (run, (kind, stores, count))
                    for run in runs
                    for (kind, stores), count in zip(COPIES, run.files, strict=True)
                ),
                start=1,
            )
        ]
        Rows(
            DataGroup, "id", "run_id", "experiment_id", "kind", "file_count", "bytes", "created_at",
            "name", "prefix_path",
        ).copy(
            (
                pk, r.pk, r.proposal[2], kind, count, count * BYTES, r.begin,
                f"{kind.lower()}_e0001_n{r.number:04d}", f"{kind.lower()}/r{r.number:04d}",
            )
            for pk, r, kind, _, count in groups
        )  # fmt: skip
        stores = {name: store.pk for name, store in self.facility.stores.items()}
        Rows(
            Replica, "data_group_id", "store_id", "state", "file_count", "bytes", "verified_at",
            "first_verified_at", "checksum", "created_at",
        ).copy(
            (pk, stores[name], "verified", count, count * BYTES, r.end, r.end, "a" * 64, r.end)
            for pk, r, _, names, count in groups
            for name in names
        )  # fmt: skip
        Rows(
            File, "data_group_id", "name", "bytes", "adler32", "registered_at", "format", "year",
            "written_at",
        ).copy(
            (pk, f"{stem}{n:05d}.h5", BYTES, f"{pk * 97 + n:08x}", r.end, "hdf5", 2026, r.end)
            for pk, r, kind, _, count in groups
            for stem in (f"{'RAW' if kind == 'RAW' else 'CORR'}-R{r.number:04d}-AGIPD00-S",)
            for n in range(count)
        )  # fmt: skip

    def _write_work(self, runs: list[Planned]) -> None:
        """Our copies of all runs; corrections of the good ones, each with its report."""
        from catalogue.ground.models import Job  # why: as above
        from runs.models import Calibration, Report

        good = [run for run in runs if run.quality == "good"]
        detector = self.facility.detector().pk
        Rows(
            Job, "name", "state", "lane", "subject_type", "subject_id", "subject_label", "proposal",
            "after", "asked_by", "created_at", "started_at", "finished_at",
        ).copy(
            (
                "runs.migrate", "done", "copy", "runs.run", r.pk, f"run {r.number:04d}",
                r.proposal[1], r.end, "Ada Person", r.end, r.end, r.end,
            )
            for r in runs
        )  # fmt: skip
        Rows(
            Calibration, "run_id", "state", "detector_id", "asked_by", "created_at", "finished_at"
        ).copy((r.pk, "available", detector, "Ada Person", r.end, r.end) for r in good)
        Rows(Report, "run_id", "name", "path", "made_at").copy(
            (r.pk, f"r{r.number:04d}.pdf", "/reports", r.end) for r in good
        )

    def _write_journal(self, runs: list[Planned]) -> None:
        from catalogue.ground.models import Entry, JournalHead  # why: as above

        position = Entry.objects.count()
        told = ((r, move) for r in runs for move in TOLD)
        Rows(
            Entry, "at", "actor_name", "face", "subject_type", "subject_id", "subject_label",
            "proposal", "run", "move", "position",
        ).copy(
            (
                r.end, "daq", "api", "runs.run", r.pk, f"run {r.number:04d}", r.proposal[1],
                r.number, move, place,
            )
            for place, (r, move) in enumerate(told, start=position + 1)
        )  # fmt: skip
        for place, entry in enumerate(Entry.objects.filter(position=None).order_by("pk"), start=1):
            Entry.objects.filter(pk=entry.pk).update(position=place)
        JournalHead.objects.update_or_create(
            pk=1, defaults={"position": position + len(runs) * len(TOLD)}
        )

    def _set_sequences(self) -> None:
        from django.core.management.color import no_style  # why: as above
        from django.db import connection

        from runs.models import DataGroup, Run

        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), [Run, DataGroup]):
                cursor.execute(statement)


BYTES = 4_000_000_000
ASKED = 20
"""Of so many ordinary proposals the plain member is in the team."""


def fill(size: Size) -> Filled:
    """Make the tables in the database that the settings name, and fill them, unless they are."""
    from django.core.management import call_command  # why: Django is set up by now

    from catalogue.ground.models import User
    from proposals.models import Proposal
    from runs.models import Run

    call_command("migrate", verbosity=0)
    if not Proposal.objects.filter(number=FIRST).exists():
        Filler(size, Path(tempfile.mkdtemp(prefix="lightkeeper-bench-"))).fill()
    ordinary = range(FIRST, FIRST + size.proposals)
    runs = Run.objects.filter(proposal__number__in=ordinary).order_by("pk")
    return Filled(
        proposals=tuple(ordinary),
        runs=tuple(runs.values_list("pk", flat=True)),
        staff=User.objects.get(appointments__role="data_manager").email,
        member=User.objects.get(username=MEMBER).email,
        newcomer=User.objects.get(username=NEWCOMER).email,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--size", choices=["small", "large"], default="small")
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "catalogue.settings")
    import django  # why: reads the settings

    django.setup()
    print(fill(LARGE if arguments.size == "large" else SMALL).staff)


if __name__ == "__main__":
    main()
