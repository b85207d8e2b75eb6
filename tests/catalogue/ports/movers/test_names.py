"""Which paths are accepted: a property of text, tried with any text."""

from __future__ import annotations

import json
import posixpath

from hypothesis import example, given
from hypothesis import strategies as st

from catalogue.ports.movers import names
from catalogue.ports.outcome import Permanent

ANY = st.text(st.characters(), max_size=80)
PARTS = st.lists(st.sampled_from(["a", "b.h5", "..", ".", "", "ä", "x y", "\0"]), max_size=6)


@given(st.one_of(ANY, PARTS.map("/".join)))
@example("../x")
@example("a/../../x")
@example("/x")
@example("a\n")
def test_what_is_accepted_stays_below(path: str) -> None:
    try:
        parts = names.components(path)
    except Permanent as refused:
        assert names.fault(path) is not None
        str(refused).encode()
        return
    assert "/".join(parts) == path
    assert posixpath.normpath(f"/mount/{path}") == f"/mount/{path}"
    assert path.isprintable() or all(not c.isprintable() for c in path if c in "\u00a0\u00ad")
    assert all(0 < len(part.encode()) <= 255 for part in parts)


@given(st.lists(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,40}", fullmatch=True), min_size=1))
def test_ordinary_names_are_accepted(parts: list[str]) -> None:
    if len(parts) <= names.DEEPEST:
        assert names.components("/".join(parts)) == parts


@given(st.text(st.characters(), max_size=40), st.binary(max_size=40))
def test_whatever_is_shown_can_be_stored(text: str, raw: bytes) -> None:
    for each in (text, raw.decode("utf-8", "surrogateescape")):
        shown = names.shown(each)
        assert json.loads(json.dumps(shown).encode("utf-8")) == shown
        assert not any(ord(character) < 32 or ord(character) == 127 for character in shown)


@given(ANY, ANY)
def test_hidden_names_follow_from_the_name_alone(one: str, other: str) -> None:
    hidden = names.hidden(one, "part")
    assert names.fault(hidden) is not None
    assert "/" not in hidden
    assert len(hidden) < 60
    assert (hidden == names.hidden(other, "part")) == (one == other)
    assert hidden != names.hidden(one, "folder")
