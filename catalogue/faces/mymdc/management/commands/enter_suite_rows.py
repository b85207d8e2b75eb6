"""Enter the rows that the published clients' test suites presuppose."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalogue.faces.mymdc.suites import entering


class Command(BaseCommand):
    help = (
        "Enter the rows and the program (with a secret that everybody knows) that the test suites "
        "of metadata_client and calibration_client presuppose; into an empty catalogue, for tests."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            entered = entering.enter()
        except entering.Conflicts as conflicts:
            raise CommandError(
                "Nothing was entered; other rows are in the way:\n  " + "\n  ".join(conflicts.what)
            ) from conflicts
        self.stdout.write(f"Entered {entered} rows of the client suites.")
