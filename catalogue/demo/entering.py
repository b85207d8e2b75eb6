"""Brings the database up to date and has the demo facility entered."""

from __future__ import annotations

import os

import django
from django.core.management import call_command

from catalogue.demo.layout import Layout


def enter(layout: Layout, port: int) -> None:
    """Migrate, then load; both may be repeated. The settings are the demo's own."""
    layout.make()
    os.environ.update(layout.environment(port=port, registrar_url=""))
    django.setup()
    print("migrating the database")
    call_command("migrate", interactive=False, verbosity=0)
    # why: models can be imported only after django.setup()
    from catalogue.demo.loader import load

    print("entering the demo facility")
    load(layout.stores, layout.tokens, way=layout.way, secrets=layout.programs)
