"""Requests and receipts go through JSON unchanged, and nonsense is named."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.ports.engines import EmbeddedEngine, NullEngine, engine_for
from catalogue.ports.engines.contract import (
    CorrectionReceipt,
    CorrectionRequest,
    DarkReceipt,
    DarkRequest,
    MadeConstant,
    Message,
    ProducedFile,
    RawFile,
    UnitConstant,
    from_json,
    to_json,
)
from catalogue.ports.outcome import Permanent
from tests.catalogue.ports.engines import small

words = st.text(max_size=12)
sizes = st.integers(0, 10**15)
settings = st.dictionaries(
    words, st.one_of(st.booleans(), st.integers(), st.lists(st.floats(0, 1)))
)
raw = st.builds(RawFile, path=words, bytes=sizes, sha256=words)
produced = st.builds(ProducedFile, path=words, bytes=sizes, sha256=words)
constants = st.builds(
    UnitConstant,
    unit=words,
    physical_unit=words,
    kind=words,
    version=words,
    path=words,
    sha256=words,
)
made = st.builds(
    MadeConstant,
    unit=words, physical_unit=words, kind=words, file=produced, dataset=words,
    condition=st.dictionaries(words, st.floats(-1e6, 1e6)),
    from_trains=st.tuples(sizes, sizes), n_frames=sizes,
)  # fmt: skip
places = {"raw_folder": words, "output_folder": words, "detector": words, "label": words}
asked = {
    "files": st.lists(raw).map(tuple),
    "units": st.lists(words).map(tuple),
    "configuration": settings,
}
told = {"software": st.dictionaries(words, words), "configuration": settings, "report": produced}
messages = st.one_of(
    st.builds(DarkRequest, **places, **asked, physical_units=st.dictionaries(words, words)),
    st.builds(CorrectionRequest, **places, **asked, constants=st.lists(constants).map(tuple)),
    st.builds(DarkReceipt, constants=st.lists(made).map(tuple), **told),
    st.builds(
        CorrectionReceipt,
        files=st.lists(produced).map(tuple),
        constants_used=st.lists(constants).map(tuple),
        **told,
    ),
)


@given(messages)
def test_a_message_survives_json(message: Message) -> None:
    assert from_json(type(message), json.loads(json.dumps(to_json(message)))) == message


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"path": "a", "bytes": 1}, "RawFile lacks or does not know: sha256"),
        ({"path": "a", "bytes": 1, "sha256": "", "x": 1}, "RawFile lacks or does not know: x"),
        ({"path": "a", "bytes": "1", "sha256": ""}, "RawFile.bytes is not of type int"),
        ({"path": "a", "bytes": True, "sha256": ""}, "RawFile.bytes is not of type int"),
        ([], "RawFile is not an object"),
    ],
)
def test_what_is_no_message_is_named(data: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        from_json(RawFile, data)


def test_a_list_is_expected_where_a_list_belongs() -> None:
    data = {"raw_folder": "", "files": {}, "output_folder": "", "detector": "", "units": []}
    whole = {**data, "configuration": {}, "label": "", "physical_units": {}}
    with pytest.raises(ValueError, match=r"DarkRequest\.files is not a list"):
        from_json(DarkRequest, whole)
    with pytest.raises(ValueError, match=r"DarkRequest\.files\[0\] is not an object"):
        from_json(DarkRequest, {**whole, "files": [3]})


def test_an_engine_is_chosen_by_name() -> None:
    assert isinstance(engine_for("embedded"), EmbeddedEngine)
    assert isinstance(engine_for("null"), NullEngine)
    with pytest.raises(ValueError, match="embedded, null"):
        engine_for("elsewhere")


def test_without_an_engine_a_request_is_refused_and_not_pretended() -> None:
    engine = engine_for("null")
    dark = DarkRequest("", (), "", "", (), {}, "")
    correction = CorrectionRequest("", (), "", (), {}, "", (), "")
    with pytest.raises(Permanent, match="no calibration engine"):
        engine.characterise(dark, progress=small.silent, cancelled=small.never)
    with pytest.raises(Permanent, match="no calibration engine"):
        engine.correct(correction, progress=small.silent, cancelled=small.never)
