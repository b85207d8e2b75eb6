"""The command line of the demo."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from catalogue.demo import facility, serving
from catalogue.demo.layout import Layout


def main(arguments: Sequence[str]) -> int:
    """One command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m catalogue.demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in (
        ("run", "start the site with its demo facility, play a beamtime, stay up until Ctrl-C"),
        ("demo", "play the beamtime once, check everything from outside, and stop"),
        ("verify", "repeat the checks from outside on what DATA holds; nothing of the site runs"),
        ("load", "enter the demo facility into the catalogue in DATA"),
        ("beamtime", "play the beamtime on a site that runs"),
    ):
        command = commands.add_parser(name, help=words, description=words)
        command.add_argument("--data", type=Path, default=Path("var"), help="default: ./var")
        if name == "beamtime":
            command.add_argument("--registrar", required=True, help="address of the registrar")
            command.add_argument(
                "--look-again", action="store_true", help="also where it was played to its end"
            )
        if name in ("run", "demo"):
            command.add_argument(
                "--daq",
                choices=facility.WAYS,
                help="which programs record and copy; said once, when the facility is made",
            )
        if name != "verify":
            command.add_argument("--port", type=int, default=8765, help="default: 8765")
    chosen = parser.parse_args(arguments)
    layout = Layout(chosen.data.resolve())
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    if chosen.command == "run":
        return serving.run(layout, chosen.port, chosen.daq)
    if chosen.command == "demo":
        return serving.demo(layout, chosen.port, chosen.daq)
    if chosen.command == "load":
        return _load(layout, chosen.port)
    if chosen.command == "beamtime":
        # why: each command needs libraries of its own; none waits for those of the others
        from catalogue.demo.beamtime.play import play

        return play(layout, chosen.port, chosen.registrar, look_again=chosen.look_again)
    # why: as above
    from catalogue.demo.verification.verify import verify

    return verify(layout)


def _load(layout: Layout, port: int) -> int:
    # why: Django reads its settings from the environment when it is first imported
    from catalogue.demo.entering import enter

    enter(layout, port)
    return 0
