"""Give a new installation its first policy."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from catalogue.ground import clock
from catalogue.ground.actor import COMMAND
from policies import commands, queries, standard


class Command(BaseCommand):
    help = "Adopt the default policy, unless a policy is in force already."

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        there = queries.in_force(now)
        if there is not None:
            self.stdout.write(f"In force: policy {there.name!r}, version {there.version}.")
            return
        made = commands.adopt_policy(
            name=standard.NAME,
            clauses=standard.clauses(standard.FACILITY),
            by=COMMAND,
            valid_from=now,
            description="The default policy of a new installation.",
        )
        self.stdout.write(f"Adopted: policy {made.name!r}, version {made.version}.")
