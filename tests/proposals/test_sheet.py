"""Sheets of proposals, read whatever program wrote them; and what their cells mean."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.ground.inputs import Invalid
from proposals.entering import sheet
from proposals.entering.wish import Problem, Wish, wish

BERLIN = ZoneInfo("Europe/Berlin")
HEAD = "number,title,instrument,cycle"
GOOD = {"number": "900300", "title": "A study", "instrument": "SPB", "cycle": "202601"}


def cells(content: bytes) -> list[dict[str, str]]:
    return [dict(line.cells) for line in sheet.read(content).lines]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("encoding", "called"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("cp1252", "Windows-1252")],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_spreadsheets_write_is_read(
    delimiter: str, encoding: str, called: str, end: str
) -> None:
    head = HEAD.replace(",", delimiter)
    row = delimiter.join(["900300", f'"Grün{delimiter} and ""so"""', "SPB", "202601"])
    found = sheet.read(f"{head}{end}{row}{end}".encode(encoding))
    assert (found.encoding, found.delimiter) == (called, delimiter)
    assert found.guessed is (called == "Windows-1252")
    assert found.lines[0].cells["title"] == f'Grün{delimiter} and "so"'


PLAIN = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)


@given(
    rows=st.lists(st.tuples(PLAIN, PLAIN, PLAIN), min_size=1, max_size=5),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_whatever_a_program_quotes_comes_back(
    rows: list[tuple[str, str, str]], delimiter: str, encoding: str
) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["number", "title", "instrument", "cycle"])
    for title, instrument, cycle in rows:
        writer.writerow(["900300", title, instrument, cycle])
    found = sheet.read(out.getvalue().encode(encoding))
    told = [(c["title"], c["instrument"], c["cycle"]) for c in (line.cells for line in found.lines)]
    assert told == [tuple(cell.strip() for cell in row) for row in rows]
    again = sheet.read(found.text.encode())
    assert [line.cells for line in again.lines] == [line.cells for line in found.lines]


@given(
    content=st.binary(max_size=300)
    | st.text(max_size=200).map(lambda t: t.encode("utf-8", "ignore"))
)
def test_anything_else_is_refused_with_a_rule(content: bytes) -> None:
    try:
        found: sheet.Sheet | Invalid = sheet.read(content)
    except Invalid as invalid:
        found = invalid
    if isinstance(found, Invalid):
        assert (found.field, bool(found.rule)) == ("file", True)
    else:
        assert found.lines


@given(
    st.dictionaries(
        st.sampled_from(list(sheet.COLUMNS)),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
        | st.sampled_from(["yes", "user", "2026-12-03 08:00", "900300", "p000001", "\x00"]),
    )
)
def test_any_cells_are_a_wish_or_problems_of_known_columns(texts: dict[str, str]) -> None:
    found = wish(texts, BERLIN)
    if isinstance(found, Wish):
        assert 0 <= found.number <= 999_999
        assert found.title
        assert (found.begin_at is None) is (found.end_at is None)
    else:
        assert found
        assert all(p.column in sheet.COLUMNS and p.rule for p in found)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("", "a line of column names"),
        (",,,\n;;\n", "a line of column names"),
        (HEAD, "no line below"),
        (f"{HEAD}\n\n,,,\n", "no line below"),
        ("number,title,cycle\n1,x,y", "must have the columns"),
        (f"{HEAD},colour\n1,x,SPB,y,red", "the columns are"),
        (f"{HEAD},title\n1,x,SPB,y,z", "each column once"),
        (f"{HEAD}\n1,a, b,SPB,202601", "more cells than"),
        (f'{HEAD}\n1,"a,SPB,202601', "cannot be read from line 2"),
        (f"{HEAD}\n1,a\x00,SPB,202601", "holds a NUL"),
        (HEAD + "\n1,a,SPB,202601" * 201, "at most 200 rows"),
        (HEAD + "\n" + "x" * 1_000_001, "at most 1 MB"),
        (f"{HEAD}\n1,{'x' * 200_000},SPB,c", "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(content: str, rule: str) -> None:
    with pytest.raises(Invalid, match=rule):
        sheet.read(content.encode())


def test_columns_have_the_names_that_people_use() -> None:
    found = cells(b"Proposal number;Title;Instrument;Cycle;PI;Begin\n900300;A;SPB;202601;ada;\n")
    assert found[0] == {
        "number": "900300", "title": "A", "instrument": "SPB", "cycle": "202601",
        "leader": "ada", "beamtime_begin": "",
    }  # fmt: skip


def test_lines_are_counted_as_an_editor_does() -> None:
    text = f'{HEAD}\n1,"two\nlines",SPB,c\n\n2,x,SPB,c\n'
    assert [line.number for line in sheet.read(text.encode()).lines] == [2, 5]


def test_the_template_is_a_sheet() -> None:
    (line,) = sheet.read(sheet.template().encode("utf-8-sig")).lines
    assert list(line.cells) == list(sheet.COLUMNS)


def problems(**cells: str) -> list[Problem]:
    found = wish({**GOOD, **cells}, BERLIN)
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("column", "text", "rule"),
    [
        ("number", "", "is needed"),
        ("number", "1000000", "from 0 to 999999"),
        ("number", "٣", "from 0 to 999999"),
        ("number", "-1", "from 0 to 999999"),
        ("number", "1e3", "from 0 to 999999"),
        ("title", " ", "is needed"),
        ("title", "x" * 501, "at most 500"),
        ("title", "a\nb", "one line"),
        ("title", "a\x07b", "control character"),
        ("kind", "guest", "one of user, commissioning, test"),
        ("metadata_public", "perhaps", "yes or no"),
        ("beamtime_begin", "tomorrow", "a time like"),
        ("derived_from", "p", "from 0 to 999999"),
    ],
)
def test_what_is_wrong_with_a_cell_is_said(column: str, text: str, rule: str) -> None:
    found = problems(
        **{column: text, **({"beamtime_end": "2026-12-04"} if "begin" in column else {})}
    )
    assert any(p.column == column and rule in p.rule for p in found), found


def test_a_beamtime_has_both_ends() -> None:
    assert [p.column for p in problems(beamtime_begin="2026-12-03 08:00")] == ["beamtime_end"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-03 08:00", datetime(2026, 12, 3, 7, tzinfo=UTC)),
        ("2026-07-03T08:00", datetime(2026, 7, 3, 6, tzinfo=UTC)),
        ("03.12.2026 08:00", datetime(2026, 12, 3, 7, tzinfo=UTC)),
        ("2026-12-03T08:00:00Z", datetime(2026, 12, 3, 8, tzinfo=UTC)),
        ("2026-10-25T02:30+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_times_are_on_the_facilitys_clock_unless_they_name_a_zone(
    text: str, moment: datetime
) -> None:
    found = wish({**GOOD, "beamtime_begin": text, "beamtime_end": "2027-01-01 00:00"}, BERLIN)
    assert isinstance(found, Wish)
    assert found.begin_at == moment


@pytest.mark.parametrize("text", ["2026-10-25 02:30", "2026-03-29 02:30", "2026-02-30 08:00"])
def test_a_time_that_the_clock_shows_twice_or_never_is_asked_about(text: str) -> None:
    found = problems(beamtime_begin=text, beamtime_end="2027-01-01 00:00")
    assert [p.column for p in found] == ["beamtime_begin"]
