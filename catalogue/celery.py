"""The workers' entry: two tasks, one that does a job and one that sweeps."""

from __future__ import annotations

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "catalogue.settings")

TRANSPORT_ALIASES["folder"] = "catalogue.ground.jobs.folder_broker:Transport"

app = Celery("lightkeeper")
app.config_from_object("django.conf:settings", namespace="CELERY")


# `catalogue.ground.jobs.outbox.PERFORM`, which cannot be imported before the apps are loaded.
@app.task(name="catalogue.perform")
def perform(job_id: int) -> None:
    """Do one job, if it is due and nobody else has it."""
    # why: Django's apps are loaded by the worker before its first task, not before this module
    from catalogue.ground import lifecycle

    lifecycle.perform(job_id)


@app.task(name="catalogue.sweep")
def sweep() -> None:
    """One round of the schedule."""
    # why: as above
    from catalogue.ground import lifecycle

    lifecycle.sweep()
