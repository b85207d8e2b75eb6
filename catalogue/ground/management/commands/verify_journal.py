"""Check the journal's chain, and give it out for checking elsewhere.

    manage.py verify_journal                           check the journal of this database
    manage.py verify_journal --expect 1200:4f0c…       and that position 1200 has this hash still
    manage.py verify_journal --expect-from anchors.txt and all that stand in a file, one a line
    manage.py verify_journal --anchor                  print POSITION:HASH, to be kept elsewhere
    manage.py verify_journal --export journal.ndjson   write it out, for `catalogue.ground.chain`

Ends with 1 where the chain is broken. Somebody who may write to the database could forge all of the
chain anew; what shows it is an anchor kept where they cannot write.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalogue.ground import chain, exporting, sealing


class Command(BaseCommand):
    help = "Check the journal's chain of hashes; say where it breaks."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        kwargs["formatter_class"] = RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, epilog=__doc__, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--expect", action="append", default=[], metavar="POSITION:HASH")
        parser.add_argument("--expect-from", type=Path, metavar="FILE")
        parser.add_argument("--anchor", action="store_true", help="print it and check nothing")
        parser.add_argument("--export", type=Path, metavar="FILE", help="write it; check nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["anchor"]:
            self.stdout.write(sealing.status().anchor)
            return
        if options["export"]:
            self._export(options["export"])
            return
        found = sealing.verify(_expected(options["expect"], options["expect_from"]))
        self.stdout.write("\n".join(chain.report(found, whole=True)))
        if found.fault_count:
            sys.exit(1)

    def _export(self, path: Path) -> None:
        try:
            with path.open("xb") as file:
                for line in exporting.whole_journal():
                    file.write(line)
        except FileExistsError:
            raise CommandError(f"{path} exists; it is not written over.") from None
        self.stdout.write(f"{path}: {sealing.status().anchor}")


def _expected(given: list[str], file: Path | None) -> dict[int, str]:
    """The anchors that were named. Two hashes for one position cannot both be right."""
    lines = file.read_text(encoding="ascii").splitlines() if file is not None else []
    expected: dict[int, str] = {}
    for text in [*given, *(line for line in lines if line.strip())]:
        try:
            position, digest = chain.anchor(text)
        except ValueError as problem:
            raise CommandError(str(problem)) from None
        if expected.setdefault(position, digest) != digest:
            raise CommandError(f"Position {position} is named with two hashes.")
    return expected
