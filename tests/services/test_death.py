"""What dies in the middle, and what is found afterwards: everything done, exactly once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

import pytest
from celery import Celery

from catalogue.ground.jobs import outbox
from catalogue.ground.models import Entry, Job
from runs import commands, registration
from runs.models import Replica, Run
from tests.factories import BEGIN, Facility
from tests.services.conftest import Worker, until

pytestmark = pytest.mark.services
MEGABYTE = 1_000_000


def big_run(site: Facility, megabytes: int) -> Run:
    """A closed run of several large files, so that a copy takes long enough to be killed."""
    proposal = site.proposal(state="A", calibrates_by_itself=False)
    run = site.run(proposal, files=0, closed=False)
    folder = site.raw_folder(run)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for n in range(megabytes // 50):
        name = f"RAW-R{run.number:04d}-DA01-S{n:05d}.h5"
        content = hashlib.sha256(name.encode()).digest() * (50 * MEGABYTE // 32)
        (folder / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        rows.append({"name": name, "bytes": len(content), "sha256": digest})
    registration.register(run, kind="RAW", files=rows, by=site.daq)
    commands.close(run, end_at=BEGIN, by=site.daq)
    return run


def queue_at(broker: str) -> Celery:
    """The product's message queue, with another broker."""
    queue = Celery("elsewhere", broker=broker, set_as_current=False)
    queue.config_from_object("django.conf:settings", namespace="CELERY")
    queue.conf.broker_url = broker
    return queue


def once(run: Run, store: str) -> None:
    """The raw data of `run` are in `store`: verified once, whole, with nothing beside them."""
    replica = Replica.objects.get(data_group__run=run, store__identifier=store)
    assert replica.state == "verified"
    told = Entry.objects.filter(subject_type="runs.replica", subject_id=replica.pk, move="verify")
    assert told.count() == 1


def test_a_worker_killed_in_the_middle_of_a_copy(
    site: Facility, worker_on: Callable[[str], Worker], redis_url: str
) -> None:
    run = big_run(site, 600)
    commands.assess(run, quality="good", by=site.staff)
    target = site.raw_folder(run, "offline")
    worker = worker_on(redis_url)
    worker.start()

    def copying() -> bool:
        """the copy has begun and is not over"""
        job = Job.objects.filter(name="runs.migrate", state="claimed").first()
        return job is not None and 0.05 < job.progress < 0.9

    until(copying)
    worker.kill()
    job = Job.objects.get(name="runs.migrate")
    assert job.state == "claimed", "it was killed before it could end"
    assert not Replica.objects.filter(store__identifier="offline", state="verified").exists()
    worker.start()
    until(lambda: not Job.objects.filter(state__in=["waiting", "claimed"]).exists())
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("done", 2)
    once(run, "offline")
    once(run, "mass_storage")
    names = sorted(p.name for p in target.iterdir())
    assert names == sorted(p.name for p in site.raw_folder(run).iterdir())
    for path in target.iterdir():
        kept = run.data_groups.get().files.get(name=path.name)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == kept.sha256


def test_redis_stopped_while_transitions_are_committed(
    site: Facility,
    worker_on: Callable[[str], Worker],
    private_redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proposal = site.proposal(state="A", calibrates_by_itself=False)
    made = [site.run(proposal, size=5000) for _ in range(12)]
    monkeypatch.setattr(outbox, "current_app", queue_at(private_redis.url))
    worker = worker_on(private_redis.url)
    worker.start()
    for run in made[:4]:
        commands.assess(run, quality="good", by=site.staff)
    private_redis.stop()
    slowest = 0.0
    for run in made[4:]:
        began = time.perf_counter()
        commands.assess(run, quality="good", by=site.staff)
        slowest = max(slowest, time.perf_counter() - began)
    assert slowest < 2, "a dead broker does not make people wait"
    private_redis.start()
    until(
        lambda: (
            Replica.objects.filter(store__identifier="mass_storage", state="verified").count()
            == len(made)
        ),
        90,
    )
    until(lambda: not Job.objects.filter(state__in=["waiting", "claimed"]).exists())
    for run in made:
        once(run, "offline")
        once(run, "mass_storage")
    assert not Job.objects.exclude(state="done").exists()
