"""Opens the account of one person whom LDAP has: `manage.py ldap_import <login or address>`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalogue.ground.actor import COMMAND
from catalogue.ground.identity import directory
from catalogue.ground.inputs import Invalid
from catalogue.ground.refusal import Refused


class Command(BaseCommand):
    help = "Open the account of one person whom LDAP has."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("who", help="a login, or an e-mail address")

    def handle(self, *args: Any, **options: Any) -> None:
        who = str(options["who"])
        named = {"email": who} if "@" in who else {"login": who}
        try:
            user = directory.import_person(by=COMMAND, **named)
        except (Refused, Invalid) as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{user.username}: {user.full_name}")
