"""What is said of files while a copy of them is read."""

from __future__ import annotations

from typing import Any

import pytest

from catalogue.ground import lifecycle
from catalogue.ground.actor import WORKER
from catalogue.ground.jobs import Wanted, enqueue
from runs.models import File, Replica
from runs.workers import places
from tests.factories import Facility

pytestmark = pytest.mark.django_db


def test_a_copy_counts_only_by_the_checksums_that_the_catalogue_knows_by_then(
    facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checksum that was corrected after the worker had looked was compared with nothing."""
    run = facility.run(facility.proposal(state="A"))
    replica = Replica.objects.get(data_group__run=run)
    reader = places.reader

    class Slow:
        def __init__(self, store: Any) -> None:
            self._reader = reader(store)

        def verify(self, *given: Any, **more: Any) -> Any:
            receipt = self._reader.verify(*given, **more)
            first = File.objects.order_by("pk").first()
            File.objects.filter(pk=first.pk).update(sha256="", adler32="00000001")
            return receipt

    monkeypatch.setattr(places, "reader", Slow)
    enqueue([Wanted("runs.verify_replica", replica)], by=WORKER)
    lifecycle.perform_due()
    assert Replica.objects.get().state == "copied"
    monkeypatch.undo()
