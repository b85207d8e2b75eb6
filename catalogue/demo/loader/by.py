"""Who enters the demo facility; the journal shows this name."""

from __future__ import annotations

from catalogue.ground.actor import Actor

LOADER = Actor(user=None, name="Demo loader", face="command", system=True)
