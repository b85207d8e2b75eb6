"""Rows and whole situations for tests, reached by the same verbs as in the product.

`Facility` builds a small facility with real folders as stores; its methods take proposals and runs
to where a test wants them through the real moves, with the jobs done in between.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import factory

from catalogue.ground import lifecycle
from catalogue.ground.actor import COMMAND, Actor
from catalogue.ground.models import (
    Appointment,
    Cycle,
    Detector,
    DetectorType,
    DetectorUnit,
    ExperimentType,
    Instrument,
    Route,
    Store,
    User,
)
from policies import commands as policies
from policies.models import Policy
from proposals import commands
from proposals.models import Experiment, Proposal
from runs import commands as runs
from runs import registration
from runs.models import Run

BEGIN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


class UserFactory(factory.django.DjangoModelFactory):
    """A person with a login, a name and an e-mail address."""

    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"person{n}")
    first_name = "Ada"
    last_name = factory.Sequence(lambda n: f"Person{n}")
    email = factory.LazyAttribute(lambda o: f"{o.username}@example.org")


class InstrumentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Instrument
        django_get_or_create = ("identifier",)

    identifier = "SPB"
    name = factory.LazyAttribute(lambda o: f"Instrument {o.identifier}")


class CycleFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Cycle
        django_get_or_create = ("identifier",)

    identifier = "202601"


class ExperimentTypeFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ExperimentType
        django_get_or_create = ("name",)

    name = "LCP SFX"
    identifier = factory.LazyAttribute(lambda o: o.name.upper().replace(" ", "_"))


# What the default policy says, in words a test can follow by hand: seven days of grace.
CLAUSES = [
    {
        "order": 1,
        "text": "Data that are not interesting need not be kept.",
        "kinds": ["RAW", "PROC"],
        "qualities": ["not_interesting"],
        "tiers": ["online", "offline", "mass_storage"],
        "keep_count": 0,
        "keep_unit": "days",
        "counted_from": "assessed",
        "minimum_replicas": 0,
        "grace_count": 7,
        "grace_unit": "days",
    },
    {
        "order": 2,
        "text": "Online storage is for data that are not yet safe elsewhere.",
        "kinds": ["RAW"],
        "qualities": ["good", "unclear"],
        "tiers": ["online"],
        "keep_count": 0,
        "keep_unit": "days",
        "counted_from": "closed",
        "minimum_replicas": 2,
        "remaining_tiers": ["offline", "mass_storage"],
        "grace_count": 7,
        "grace_unit": "days",
    },
]


@dataclass
class Facility:
    """One instrument with stores below `folder`; `staff` may do everything there is to do."""

    folder: Path
    instrument: Instrument = field(init=False)
    cycle: Cycle = field(init=False)
    staff: Actor = field(init=False)
    daq: Actor = field(init=False)
    stores: dict[str, Store] = field(init=False)
    _next: int = 900100

    def __post_init__(self) -> None:
        self.instrument = InstrumentFactory()
        self.cycle = CycleFactory()
        self.stores = {name: self._store(rank, name) for rank, name in enumerate(TIERS)}
        for kind in ("RAW", "PROC"):
            self._route("archive", kind, "offline", "mass_storage")
        self._route("migrate", "RAW", "online", "offline")
        self.staff = Actor.of(self.person("data_manager"), face="page")
        program = UserFactory(username="daq", is_service=True)
        self.daq = Actor.of(program, face="api", scopes=frozenset({"daq", "read"}))
        ExperimentTypeFactory(name="Dark", is_dark=True, calibrates_by_itself=False)
        ExperimentTypeFactory(name="Test DAQ", calibrates_by_itself=False)

    def _store(self, rank: int, name: str) -> Store:
        mount = self.folder / name
        mount.mkdir(parents=True, exist_ok=True)
        # Movers take an empty mount point for a store that is not mounted.
        (mount / ".store").write_text(f"{name}\n")
        tier = TIERS[name]
        return Store.objects.create(
            identifier=name, name=name, mount=str(mount), tier=tier, rank=rank,
            prepares_folders=name in ("online", "offline"),
        )  # fmt: skip

    def _route(self, purpose: str, kind: str, source: str, destination: str) -> None:
        Route.objects.create(
            purpose=purpose, kind=kind,
            source=self.stores[source], destination=self.stores[destination],
        )  # fmt: skip

    def person(self, role: str = "", instrument: bool = False) -> User:
        """A new person, with an office if `role` names one (at the instrument if `instrument`)."""
        user: User = UserFactory()
        if role:
            place = self.instrument if instrument else None
            Appointment.objects.create(user=user, role=role, instrument=place)
        return user

    def policy(self) -> Policy:
        """The default policy of the tests, in force."""
        return policies.adopt_policy(
            name="Standard", clauses=CLAUSES, by=COMMAND, valid_from=BEGIN - timedelta(days=1)
        )

    def detector(self, modules: int = 2) -> Detector:
        """A detector with `modules` units."""
        kind, _ = DetectorType.objects.get_or_create(name="AGIPD-Type")
        detector = Detector.objects.create(
            identifier="SPB_DET_AGIPD1M-1", name="AGIPD1M-1", karabo_name="SPB_DET_AGIPD1M-1"
        )
        detector.instruments.add(self.instrument)
        for n in range(modules):
            DetectorUnit.objects.create(
                detector=detector, physical_name=f"AGIPD_SIV1_AGIPDV11_M{n:03d}",
                aggregator=f"AGIPD{n:02d}", module_number=n, detector_type=kind,
            )  # fmt: skip
        return detector

    def proposal(
        self,
        *,
        state: str = "N",
        number: int | None = None,
        prepared: bool = False,
        **facts: object,
    ) -> Proposal:
        """A proposal with a principal investigator and a beamtime, taken to `state` (N, R, A …). It
        is told to be ready by who prepared it, which is quick, or `prepared` here: groups, folders
        and the DAQ."""
        if number is None:
            number = self._next
            self._next += 1
        proposal = commands.create(
            number=number, title=f"Study {number}", instrument=self.instrument,
            cycle=self.cycle, by=self.staff, **facts,
        )  # fmt: skip
        begin = BEGIN + timedelta(days=7 * (number - 900100))
        commands.add_beamtime(
            proposal, begin_at=begin, end_at=begin + timedelta(days=4), by=self.staff,
            despite_overlap=proposal.kind != "user",
        )  # fmt: skip
        self.leader = self.person()
        commands.add_member(proposal, user=self.leader, role="pi", data_access=2, by=self.staff)
        self.take(proposal, state, prepared=prepared)
        return proposal

    def take(self, proposal: Proposal, state: str, *, prepared: bool = True) -> None:
        """Take a new proposal along the usual way to `state`; `prepared` here, or elsewhere."""
        way = ["N", "R", "A", "F", "FR"]
        steps = {
            "R": self._prepare if prepared else self._told_ready,
            "A": lambda p: commands.activate(p, by=self.staff),
            "F": lambda p: commands.finish(p, by=self.staff),
            "FR": lambda p: commands.review(p, by=self.staff),
        }
        for step in way[1 : way.index(state) + 1]:
            steps[step](proposal)

    def _prepare(self, proposal: Proposal) -> None:
        commands.prepare(proposal, by=self.staff)
        lifecycle.perform_due()
        proposal.refresh_from_db()
        commands.confirm_daq(proposal, configuration={"writers": 1}, by=self.daq)
        commands.declare_ready(proposal, by=self.staff)

    def _told_ready(self, proposal: Proposal) -> None:
        commands.adopt(proposal, state="R", by=COMMAND, reason="Prepared elsewhere.")

    def experiment(self, proposal: Proposal, type_name: str = "LCP SFX") -> Experiment:
        """A run type of `proposal`."""
        kind = ExperimentTypeFactory(name=type_name)
        return commands.add_experiment(proposal, name=type_name, type=kind, by=self.staff)

    def run(
        self,
        proposal: Proposal,
        *,
        files: int = 3,
        closed: bool = True,
        type_name: str = "LCP SFX",
        size: int = 1000,
    ) -> Run:
        """A run with registered files in the online store, closed unless said otherwise."""
        number = runs.next_number(proposal, by=self.daq)
        run = runs.register(
            proposal, number=number, begin_at=BEGIN, by=self.daq,
            experiment=self.experiment(proposal, type_name),
        )  # fmt: skip
        if files:
            registration.register(
                run, kind="RAW", files=self.write(run, files, size), by=self.daq
            )  # fmt: skip
            run.refresh_from_db()
        if closed:
            runs.close(run, end_at=BEGIN + timedelta(minutes=5), by=self.daq)
        return run

    def write(self, run: Run, files: int = 3, size: int = 1000) -> list[dict[str, object]]:
        """Write files of `run` into the online store; as their writer would register them."""
        folder = self.raw_folder(run)
        folder.mkdir(parents=True, exist_ok=True)
        rows: list[dict[str, object]] = []
        for n in range(files):
            name = f"RAW-R{run.number:04d}-DA01-S{n:05d}.h5"
            content = hashlib.sha256(f"{run.pk}/{name}".encode()).digest() * (size // 32 + 1)
            (folder / name).write_bytes(content[:size])
            sha256 = hashlib.sha256(content[:size]).hexdigest()
            rows.append({"name": name, "bytes": size, "sha256": sha256})
        return rows

    def raw_folder(self, run: Run, store: str = "online") -> Path:
        """Where the raw files of `run` lie in a store."""
        return Path(self.stores[store].mount) / run.proposal.path / "raw" / run.folder


TIERS = {
    "online": "online",
    "offline": "offline",
    "mass_storage": "mass_storage",
    "export": "export",
    "constants": "offline",
    "artifacts": "export",
}
