"""Compares all LDAP accounts with LDAP now: `manage.py sync_directory [--despite-many]`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalogue.ground import clock
from catalogue.ground.identity import directory, sync


class Command(BaseCommand):
    help = "Take over what LDAP says of its people, and close the accounts it no longer has."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--despite-many",
            action="store_true",
            help="close also where LDAP misses so many that it looks like a fault",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        report = sync.recorded(clock.now(), despite_many=options["despite_many"])
        row = directory.last_sync()
        if row is not None and row.problem:
            raise CommandError(row.problem)
        self.stdout.write(f"{report.found} found, {len(report.closed)} closed")
        for word, names in (("closed", report.closed), ("reopened", report.reopened)):
            for name in names:
                self.stdout.write(f"  {word}: {name}")
