"""Whatever the code tells the journal, an auditor can ask for: by what was done, and through which
face."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from catalogue.ground.journal_filters import FACES, acts
from tests.contracts.lints.source import Source, modules


def _calls(source: Source) -> Iterator[ast.Call]:
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))


def moves(source: Source) -> Iterator[str]:
    """What it tells by a word of its own."""
    for call in _calls(source):
        if ast.unparse(call.func) == "journal.write":
            yield from (str(a.value) for a in call.args[1:2] if isinstance(a, ast.Constant))


def faces(source: Source) -> Iterator[str]:
    """The faces of the actors that it makes."""
    for call in _calls(source):
        if ast.unparse(call.func) in ("Actor", "Actor.of"):
            named = (k.value for k in call.keywords if k.arg == "face")
            yield from (str(v.value) for v in named if isinstance(v, ast.Constant))


def test_what_is_told_is_seen() -> None:
    told = Source("x.py", "journal.write(row, 'vanish', by=Actor.of(user, face='window'))")
    assert (list(moves(told)), list(faces(told))) == (["vanish"], ["window"])


def test_every_act_and_every_face_can_be_asked_for() -> None:
    ours = list(modules())
    told = {move for source in ours for move in moves(source)}
    assert len(told) > 40
    assert told <= dict(acts()).keys()
    assert {face for source in ours for face in faces(source)} <= dict(FACES).keys()
