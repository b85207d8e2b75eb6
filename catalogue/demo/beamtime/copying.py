"""Migration and archiving, with one byte that is flipped to see it noticed."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from catalogue.demo.beamtime import plan, recording
from catalogue.demo.beamtime.plan import PlannedRun
from catalogue.demo.beamtime.stage import Stage, StepFailedError, Told


def refused(stage: Stage) -> Told:
    """A byte of a registered file is flipped on disk before the run is marked; so its copy is
    refused, and the job is held with the file's name and both checksums."""
    run = stage.there(plan.FLIPPED)
    file, checksum = _victim(stage, run)
    if run["quality"] is None:
        if _sum_like(checksum, file) == checksum:
            flip(file)
        recording.mark(stage, run, "good", "the best crystals so far")
    job = stage.wait(
        "the copy to be refused",
        lambda: _ended(stage, run),
        jobs=lambda: stage.copies(run),
    )
    page = f"{stage.site}/jobs/{job['id']}"
    if job["state"] == "held":
        said = {"file": file.name, "registered": checksum, "found": _sum_like(checksum, file)}
        text = f"{job['reason']} {job['evidence']}"
        missing = [what for what, value in said.items() if value not in text]
        if missing:
            raise StepFailedError(
                f"The held job does not say: {', '.join(missing)}.", **said, job=job
            )
        if _state(stage, run, "offline") == "verified":
            raise StepFailedError("A copy of a changed file counts as verified.", job=job)
    return Told(f"a byte of {file.name} is flipped: the copy is refused, the job held", page)


def retried(stage: Stage) -> Told:
    """The byte is put back, staff let the job go again, and the copy is verified."""
    run = stage.there(plan.FLIPPED)
    job = _ended(stage, run)
    if job is None or job["state"] == "held":
        file, checksum = _victim(stage, run)
        if _sum_like(checksum, file) != checksum:
            flip(file)
        if _sum_like(checksum, file) != checksum:
            raise StepFailedError("The flipped file cannot be put back.", file=str(file))
        assert job is not None
        _wait_for_another_copy(stage, run)
        reason = "The byte was put back; its checksum is as registered."
        stage.contact.post(f"jobs/{job['id']}/retry", reason=reason)
    stage.wait(
        "the copy to be verified",
        lambda: _state(stage, run, "offline") == "verified",
        jobs=lambda: stage.copies(run),
    )
    told = {(e["move"], e["after"]) for e in _journal_of_jobs(stage, run)}
    if not {("hold", "held"), ("retry", "waiting"), ("finish", "done")} <= told:
        raise StepFailedError("The journal does not tell what happened.", told=sorted(told))
    words = "put back and retried by staff: verified; the journal tells all of it"
    return Told(words, stage.page("/history"))


def _journal_of_jobs(stage: Stage, run: dict[str, Any]) -> list[dict[str, Any]]:
    known = {job["id"] for job in stage.copies(run)}
    entries = stage.manager.all(f"{stage.own}/journal")
    return [
        entry
        for entry in entries
        if entry["subject_type"] == "ground.job"
        and any(entry["subject"].startswith(f"job {known_id} ") for known_id in known)
    ]


def _victim(stage: Stage, run: dict[str, Any]) -> tuple[Path, str]:
    """A file of the run in the online store, with its registered checksum: what its writer gave, a
    sha256 or an adler32."""
    files = stage.manager.all(f"{stage.api_of(run)}/files", kind="RAW")
    chosen = next(f for f in files if "AGIPD07" in f["name"])
    return stage.folder("online", "raw", run) / chosen["name"], (
        chosen["sha256"] or chosen["adler32"]
    )


def _wait_for_another_copy(stage: Stage, run: dict[str, Any]) -> None:
    """What our worker copies it copies again itself; a program of the facility does so when it sees
    that the file is another one now."""
    if not stage.brings_by_itself:
        stage.wait(
            "the transfer service to bring it again",
            lambda: _state(stage, run, "offline") in ("copied", "verified"),
            replicas=lambda: stage.replicas(run, "RAW"),
            log=str(stage.layout.logs / "transfer.log"),
        )


def flip(path: Path) -> None:
    """Turn the bits of the file's middle byte; done again it is as before."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 0xFF]))


def _sum_like(checksum: str, path: Path) -> str:
    """The checksum of a file, of the kind that `checksum` is."""
    if len(checksum) == 8:
        return f"{zlib.adler32(path.read_bytes()):08x}"
    return sha256_of(path)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _ended(stage: Stage, run: dict[str, Any]) -> dict[str, Any] | None:
    """The copy of a run, or its reading, once it was held or done."""
    jobs = [j for j in stage.copies(run) if j["state"] in ("held", "done")]
    return jobs[0] if jobs else None


def _state(stage: Stage, run: dict[str, Any], store: str, kind: str = "RAW") -> str:
    replica = stage.replicas(run, kind).get(store)
    return str(replica["state"]) if replica else "none"


def copied(store: str, kind: str, runs: tuple[PlannedRun, ...]) -> Callable[[Stage], Told]:
    """The step that waits until runs are verified in a store, and reads the files there itself."""

    def step(stage: Stage) -> Told:
        files = size = 0
        for planned in runs:
            run = stage.there(planned)
            stage.wait(
                f"{kind} of run {run['number']:04d} to be verified in {store}",
                lambda run=run: _state(stage, run, store, kind) == "verified",  # type: ignore[misc]
                replicas=lambda run=run: stage.replicas(run, kind),
                jobs=lambda run=run: [
                    (j["name"], j["state"], j["reason"])
                    for name in (
                        "runs.migrate",
                        "runs.verify_replica",
                        "runs.archive",
                        "runs.calibrate",
                    )
                    for j in stage.jobs(name, run)
                ],
            )
            sizes = _read_again(stage, run, store, kind)
            files += len(sizes)
            size += sum(sizes)
        words = f"{kind} of {len(runs)} runs verified in {store}, hashed again here"
        return Told(f"{words}: {files} files, {size / 1e6:.1f} MB", stage.page("/runs"))

    step.__doc__ = f"{kind} is verified in the store {store}."
    return step


def _read_again(stage: Stage, run: dict[str, Any], store: str, kind: str) -> list[int]:
    """The sizes of all registered files, each hashed where it lies in the store."""
    folder = stage.folder(store, {"RAW": "raw", "PROC": "proc"}[kind], run)
    found = []
    for file in stage.manager.all(f"{stage.api_of(run)}/files", kind=kind):
        path = folder / file["name"]
        if sha256_of(path) != file["sha256"]:
            raise StepFailedError(
                "A verified copy is not what is registered.",
                file=str(path), registered=file["sha256"], found=sha256_of(path),
            )  # fmt: skip
        found.append(file["bytes"])
    return found
