"""What every step of the beamtime has at hand: the site, who calls it, the stores as folders."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

from catalogue.demo import facility
from catalogue.demo.beamtime.plan import PlannedRun
from catalogue.demo.client import Caller
from catalogue.demo.layout import Layout

T = TypeVar("T")

PATIENCE = 60.0  # seconds that a step waits for the site before it fails
_LOOK_EVERY = 0.15


class StepFailedError(Exception):
    """A step did not come to its end: why, and what was seen."""

    def __init__(self, reason: str, **evidence: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.evidence = evidence


@dataclass(frozen=True, slots=True)
class Told:
    """What a step says when it is done, and the page on which it can be seen."""

    words: str
    page: str


class DaqProgram(Protocol):
    """A DAQ that is told what to do with a run: begin, write, close."""

    def do(self, what: str, planned: PlannedRun) -> None: ...


@dataclass
class Stage:
    """`site` and `registrar` are addresses, `own` is the path of the proposal in the API, `written`
    are the sequences that this process has written and registered, as (run, sequence), and
    `daq_program` is the DAQ where that is a program of its own."""

    layout: Layout
    site: str
    registrar: str
    number: int = facility.PLAYED
    own: str = field(init=False)
    written: set[tuple[int, int]] = field(default_factory=set)
    daq_program: DaqProgram | None = None
    _opened: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.own = f"proposals/{self.number}"
        self.person = cache(self._sign_in)
        self.visitor = Caller(self.site)
        tokens = json.loads(self.layout.tokens.read_text())
        self.daq = Caller(self.site, name="DAQ", token=tokens[facility.DAQ.login])

    def _sign_in(self, login: str) -> Caller:
        return Caller.signed_in(self.site, login, facility.PASSWORD)

    # ------------------------------------------------------------ who does what

    @property
    def manager(self) -> Caller:
        """A data manager, who sees everything."""
        return self.person("manager")

    @property
    def contact(self) -> Caller:
        """The local contact of the beamtime."""
        return self.person("contact")

    @property
    def scientist(self) -> Caller:
        """The scientist on shift."""
        return self.person("okafor")

    # ------------------------------------------------------------ what is there

    def proposal(self) -> dict[str, Any]:
        found: dict[str, Any] = self.manager.get(self.own)
        return found

    def run(self, planned: PlannedRun) -> dict[str, Any] | None:
        """The run as the site has it, or None before it is registered."""
        for run in self.manager.all(f"{self.own}/runs"):
            if run["alias"] == planned.alias:
                return dict(run)
        return None

    def there(self, planned: PlannedRun) -> dict[str, Any]:
        """The run, which has to be there."""
        run = self.run(planned)
        if run is None:
            raise StepFailedError(f"The run “{planned.alias}” is not registered.")
        return run

    @property
    def brings_by_itself(self) -> bool:
        """Whether our worker copies to the offline store, and no program of the facility."""
        return self.layout.way == facility.NATIVE

    def copies(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        """The jobs that bring the raw data of a run to the offline store, or read back what a
        program of the facility brought there; newest first."""
        if self.brings_by_itself:
            return self.jobs("runs.migrate", run)
        found = self.jobs("runs.verify_replica", run)
        return [job for job in found if job["subject"].endswith(" in offline")]

    def api_of(self, run: dict[str, Any]) -> str:
        return f"{self.own}/runs/{run['number']}"

    def jobs(self, name: str, run: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """The jobs of that name in this proposal, of one run if it is given, newest first."""
        found = self.manager.all("jobs", proposal=self.number, name=name)
        label = f"run {run['number']:04d} of" if run else ""
        return [job for job in found if label in job["subject"]]

    def folder(self, store: str, kind: str, run: dict[str, Any]) -> Path:
        """Where the files of a run lie in a store, by the facility's rule."""
        inside = self.proposal_folder(store)
        return inside / kind / f"r{run['number']:04d}"

    def proposal_folder(self, store: str) -> Path:
        found = self.proposal()
        inside = f"{found['instrument']}/{found['cycle']}/p{self.number:06d}"
        return self.layout.stores / store / inside

    def replicas(self, run: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
        """Store to the replica there; of several, the one that is not gone."""
        found: dict[str, dict[str, Any]] = {}
        for group in self.manager.get(f"{self.api_of(run)}/data-groups"):
            if group["kind"] == kind:
                gone = {"removed", "lost"}
                for replica in sorted(group["replicas"], key=lambda r: r["state"] not in gone):
                    found[replica["store"]] = replica
        return found

    # ------------------------------------------------------------ where it is seen

    def page(self, path: str = "") -> str:
        return f"{self.site}/proposals/{self.number:06d}{path}"

    def page_of(self, run: dict[str, Any]) -> str:
        return self.page(f"/runs/{run['number']:04d}")

    def must_open(self, page: str) -> None:
        """Open a page that is going to be named, once; it has to be there."""
        if page in self._opened:
            return
        if page.startswith(self.site):
            status = self.manager.page(page.removeprefix(self.site)).status_code
        else:
            status = self.visitor.elsewhere(page).status_code
        if status != 200:
            raise StepFailedError(f"The page {page} does not open.", status=status)
        self._opened.add(page)

    # ------------------------------------------------------------ waiting

    def seconds_until(self, moment: str) -> float:
        """From now to a moment that the API told; negative when it has passed."""
        return (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()

    def wait(
        self, what: str, look: Callable[[], T | None], *, seconds: float = PATIENCE, **seen: object
    ) -> T:
        """`look()` until it gives something; a step that waits too long fails and says for what."""
        until = time.monotonic() + seconds
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > until:
                told = {k: v() if callable(v) else v for k, v in seen.items()}
                raise StepFailedError(f"Waited {seconds:g} s in vain for {what}.", **told)
            time.sleep(_LOOK_EVERY)
