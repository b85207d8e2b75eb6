"""manage.py lifecycle: every lifecycle with its moves, as it is attached in this installation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalogue.ground.lifecycle import diagram


class Command(BaseCommand):
    help = "Print every lifecycle; with --write or --check, the diagrams in the READMEs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="renew the diagrams in READMEs")
        parser.add_argument("--check", action="store_true", help="fail where one is out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (options["write"] or options["check"]):
            for line in diagram.table():
                self.stdout.write(line)
            return
        stale = []
        for readme in readmes(Path(settings.BASE_DIR)):
            text = readme.read_text(encoding="utf-8")
            fresh = diagram.renewed(text)
            if fresh != text:
                stale.append(str(readme.relative_to(settings.BASE_DIR)))
                if options["write"]:
                    readme.write_text(fresh, encoding="utf-8")
        if stale and options["check"]:
            raise CommandError(f"Out of date, run manage.py lifecycle --write: {', '.join(stale)}")
        self.stdout.write(f"{len(stale)} READMEs {'renewed' if options['write'] else 'stale'}")


def readmes(root: Path) -> list[Path]:
    """The READMEs of the project's own packages."""
    packages = ("catalogue", "proposals", "runs", "policies")
    found = [p for name in packages for p in sorted((root / name).rglob("README.md"))]
    return [root / "README.md", *found] if (root / "README.md").exists() else found
