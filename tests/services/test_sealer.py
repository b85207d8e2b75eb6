"""The sealer under fire, on PostgreSQL with processes and connections of their own: killed at any
moment, and several at once, it leaves one chain without a gap."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
from django.db import transaction

from catalogue.ground import journal, sealing
from catalogue.ground.models import Entry, JournalSeal
from proposals.models import Proposal
from tests.catalogue.ground.journaled import AT, entries
from tests.factories import Facility
from tests.services.conftest import environment_of_another
from tests.services.test_event_feed import Crowd

pytestmark = pytest.mark.services

SEALER = """
import django
django.setup()
from catalogue.ground import sealing
print("sealing", flush=True)
while sealing.seal_some(most=7):
    pass
"""


def sound(count: int) -> None:
    """One chain over so many entries, with every position once."""
    found = sealing.verify()
    assert found.faults == []
    assert (found.entries, found.sealed, found.unsealed) == (count, count, 0)


def test_killed_anywhere_it_goes_on_without_a_gap(site: Facility) -> None:
    """SIGKILL again and again, in the middle of its transactions; each time another one goes on."""
    before = Entry.objects.count()
    entries(3000)
    journal.number_all(AT)
    chance, kills, places = random.Random(5), 0, set()
    while kills < 6:
        sealer = subprocess.Popen(
            [sys.executable, "-c", SEALER], env=environment_of_another(), stdout=subprocess.PIPE
        )
        assert sealer.stdout is not None
        assert sealer.stdout.readline() == b"sealing\n"
        time.sleep(chance.random() * 0.06)
        os.kill(sealer.pid, signal.SIGKILL)
        sealer.wait()
        sealer.stdout.close()
        kills += 1
        head = JournalSeal.objects.filter(pk=1).first()
        places.add(head.position if head else 0)
        found = sealing.verify()
        assert found.faults == []
        assert found.sealed == (head.position if head else 0)
    assert len(places) > 2, "it was killed while it was at work"
    while sealing.seal_all(AT):
        pass
    sound(before + 3000)


def test_two_sealers_do_not_fork_the_chain(site: Facility) -> None:
    """Writers, numbering and three sealers at full speed."""
    proposal: Proposal = site.proposal()

    def write(chance: random.Random) -> None:
        with transaction.atomic():
            for _ in range(chance.randint(1, 4)):
                journal.write(proposal, "tested", by=site.staff)
            transaction.set_rollback(chance.random() < 0.2)

    crowd = Crowd()
    for seed in range(3):
        crowd.add(partial(write, random.Random(seed)))
    crowd.add(lambda: journal.number_committed(most=9))
    for _ in range(3):
        crowd.add(lambda: sealing.seal_some(most=5))
    crowd.add(_is_sound_meanwhile)
    crowd.go(seconds=2.5)
    journal.number_all(AT)
    while sealing.seal_all(AT):
        pass
    count = Entry.objects.count()
    assert count > 50
    sound(count)


def _is_sound_meanwhile() -> None:
    """The check finds no fault in a chain that is being written, numbered and sealed."""
    assert sealing.verify().faults == []
