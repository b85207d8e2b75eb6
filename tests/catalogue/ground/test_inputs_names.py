"""Names, paths and checksums: what is taken, what is refused and in which words."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalogue.ground import inputs
from catalogue.ground.inputs import FileName, Invalid


def complaint(parser: Callable[..., Any], value: object, *more: object) -> str:
    with pytest.raises(Invalid) as caught:
        parser(value, *more)
    assert caught.value.value is value
    return str(caught.value)


# ---------------------------------------------------------------- names


def test_file_name() -> None:
    name = inputs.file_name("RAW-R0001-AGIPD00-S00000.h5")
    assert name == FileName(kind="RAW", run=1, aggregator="AGIPD00", sequence=0)
    assert name.data_kind == "RAW"
    assert inputs.file_name("CORR-R9999-DA01-S00012.h5").data_kind == "PROC"


@given(
    st.text(string.ascii_uppercase, min_size=2, max_size=8),
    st.integers(1, 9999),
    st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=32),
    st.integers(0, 99_999),
)
def test_file_names_read_back(kind: str, run: int, aggregator: str, sequence: int) -> None:
    name = FileName(kind, run, aggregator, sequence)
    assert inputs.file_name(str(name)) == name
    assert inputs.plain_name(str(name)) == str(name)


@pytest.mark.parametrize(
    "value",
    [
        *("RAW-R0000-DA01-S00000.h5", "RAW-R0001-DA01-S00000.h5\n", "RAW-R0001-DA01-S00000xh5"),
        *("raw-R0001-DA01-S00000.h5", "RAW-R001-DA01-S00000.h5", "RAW-R00001-DA01-S00000.h5"),
        *("RAW-R0001-DA01-S0000.h5", "RAW-R0001-DA01.h5", "RAW-R0001--S00000.h5"),
        *("x/RAW-R0001-DA01-S00000.h5", "RAW-R\u0660\u0660\u0660\u0661-DA01-S00000.h5", "", None),
        "RAW-R0001-DÄ01-S00000.h5",
    ],
)
def test_what_is_no_file_name(value: object) -> None:
    complaint(inputs.file_name, value)


@pytest.mark.parametrize(
    "name",
    [
        "overview.h5",
        "Übersicht 1.h5",
        "日本.txt",
        ".hidden",
        "...",
        "~",
        "-rf",
        "a" * 255,
        "é" * 127,
    ],
)
def test_plain_names(name: str) -> None:
    assert inputs.plain_name(name) == name


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "must be a file name"),
        (5, "must be a file name"),
        (b"a", "must be a file name"),
        (".", "must not be '.' or '..'"),
        ("..", "must not be '.' or '..'"),
        ("a/b", "must not contain"),
        ("a\\b", "must not contain"),
        ("a\x00b", "U+0000"),
        ("a\nb", "U+000A"),
        ("a\x7fb", "U+007F"),
        ("a\x85b", "U+0085"),
        ("a\u2028b", "U+2028"),
        ("a\u2029b", "U+2029"),
        ("gnp.\u202eh5", "U+202E"),
        ("a\ud800b", "U+D800"),
        ("u\u0308ber", "normal form C"),
        ("a" * 256, "255 bytes"),
        ("é" * 128, "255 bytes"),
    ],
)
def test_what_is_no_plain_name(name: object, rule: str) -> None:
    assert rule in complaint(inputs.plain_name, name)


@given(st.text(max_size=80))
@example("e\u0301")
def test_a_plain_name_is_one_component_of_a_path(value: str) -> None:
    try:
        name = inputs.plain_name(value)
    except Invalid:
        return
    assert name == value == unicodedata.normalize("NFC", value)
    assert 1 <= len(name.encode()) <= 255
    assert not {"/", "\\"} & set(name)
    assert name not in {".", ".."}
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in name)


# ---------------------------------------------------------------- paths


@pytest.mark.parametrize("path", ["a", "r0001/RAW-R0001-DA01-S00000.h5", "a/.b/..c/d..", "é/日"])
def test_relative_paths(path: str) -> None:
    assert inputs.relative_path(path) == path


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("", "must be a relative path"),
        (None, "must be a relative path"),
        ("/etc/passwd", "not begin with '/'"),
        ("//a", "not begin with '/'"),
        ("a//b", "between '/' and '/'"),
        ("a/", "after the last"),
        ("../a", "must not be '.' or '..'"),
        ("a/../b", "must not be '.' or '..'"),
        ("a/..", "must not be '.' or '..'"),
        ("./a", "must not be '.' or '..'"),
        ("a\\..\\b", "must not contain"),
        ("a/\x00", "U+0000"),
        ("a/u\u0308", "normal form C"),
        ("a/" + "b" * 256, "255 bytes"),
        ("/".join(["a" * 100] * 41), "4096 bytes"),
        ("/".join(["é" * 100] * 21), "4096 bytes"),
    ],
)
def test_what_is_no_relative_path(path: object, rule: str) -> None:
    assert rule in complaint(inputs.relative_path, path)


def test_a_path_may_be_as_long_as_the_system_allows() -> None:
    longest = "/".join(["a" * 255] * 16)[:4096]
    assert len(longest) == 4095
    assert inputs.relative_path(longest) == longest
    assert inputs.relative_path("b" + longest[1:-1] + "cc"[:1]) == "b" + longest[1:-1] + "c"


@given(st.lists(st.sampled_from(["a", "..", ".", "", "b c", "\\", "...", "ü"]), max_size=6))
def test_a_relative_path_stays_below_its_folder(parts: list[str]) -> None:
    value = "/".join(parts)
    good = bool(parts) and not {"..", ".", "", "\\"} & set(parts)
    if not good:
        complaint(inputs.relative_path, value)
        return
    assert inputs.relative_path(value) == value


# ---------------------------------------------------------------- checksums


@given(st.binary(min_size=32, max_size=32), st.booleans())
def test_sha256_is_given_back_in_lower_case(raw: bytes, upper: bool) -> None:
    text = raw.hex().upper() if upper else raw.hex()
    assert inputs.sha256(text) == raw.hex()
    assert inputs.adler32(text[:8]) == raw.hex()[:8]


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("a" * 63, "not 63 characters"),
        ("a" * 65, "not 65 characters"),
        ("", "not 0 characters"),
        ("g" * 64, "(0-9, a-f)"),
        ("a" * 62 + "  ", "(0-9, a-f)"),
        (" " * 64, "(0-9, a-f)"),
        ("a " * 32, "(0-9, a-f)"),
        ("0x" + "a" * 62, "(0-9, a-f)"),
        ("a" * 63 + "\n", "(0-9, a-f)"),
        ("\uff41" * 64, "(0-9, a-f)"),
        (b"a" * 64, "must be a text"),
        (5, "must be a text"),
        (None, "must be a text"),
    ],
)
def test_what_is_no_sha256(value: object, rule: str) -> None:
    assert rule in complaint(inputs.sha256, value)


@given(st.text("0123456789abcdefABCDEFg \n", min_size=8, max_size=8))
def test_adler32_takes_hexadecimal_digits_only(value: str) -> None:
    if set(value) <= set(string.hexdigits):
        assert inputs.adler32(value) == value.lower()
    else:
        complaint(inputs.adler32, value)
