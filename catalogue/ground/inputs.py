"""Parsers of what comes from outside: each gives the one clean form, or `Invalid`.

Every parser takes the value as it came (from JSON, a form, a URL or a file's name) and the field's
name for the message. None guesses: blanks are not stripped, a number is not taken from a float,
True is not 1, and digits are 0 to 9 only. `sha256`, `adler32`, `file_name` and `byte_size` are
called for every row of a bulk registration and so look for the good case first.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import NamedTuple

BIGGEST = 2**63 - 1
"""The largest number a BIGINT column holds; sizes and train ids end there."""

LARGEST_PAGE = 1000
LONGEST_NAME = 255
"""Bytes of one file name on the file systems in use (NAME_MAX)."""

LONGEST_PATH = 4096
"""Bytes of a path (PATH_MAX)."""

EARLIEST_YEAR, LATEST_YEAR = 1970, 2199


class Invalid(ValueError):
    """A value breaks a rule: `field` names where it stood, `rule` is what it has to be."""

    def __init__(self, field: str, rule: str, value: object) -> None:
        super().__init__(field, rule, value)
        self.field = field
        self.rule = rule
        self.value = value

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}; got {_shown(self.value)}"

    def within(self, place: str) -> Invalid:
        """The same complaint with its place named: `within("files[17]")`."""
        return Invalid(f"{place}.{self.field}", self.rule, self.value)


class FileName(NamedTuple):
    """The parts of `RAW-R0001-AGIPD00-S00000.h5`; `kind` as written, so CORR for corrected data."""

    kind: str
    run: int
    aggregator: str
    sequence: int

    @property
    def data_kind(self) -> str:
        """The kind of data group such files belong to: the files of PROC are named CORR."""
        return "PROC" if self.kind == "CORR" else self.kind

    def __str__(self) -> str:
        return f"{self.kind}-R{self.run:04d}-{self.aggregator}-S{self.sequence:05d}.h5"


def _shown(value: object) -> str:
    """A value for a message: short, escaped (no control character reaches a log), never a tree."""
    if isinstance(value, str):
        return repr(value) if len(value) <= 60 else f"{value[:60]!r}… ({len(value)} characters)"
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length()} bits"
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    return f"a value of type {type(value).__name__}"


# ---------------------------------------------------------------- numbers


def _whole(value: object, field: str, low: int, high: int, *, text: bool) -> int:
    """An int (not bool) from `low` to `high`; with `text`, also its ASCII digits, zeros in front
    allowed up to the length of `high`."""
    rule = f"must be a whole number from {low} to {high}"
    if type(value) is int:
        number = value
    elif (
        text
        and isinstance(value, str)
        and value.isascii()
        and value.isdigit()
        and len(value) <= len(str(high))
    ):
        number = int(value)
    else:
        raise Invalid(field, rule, value)
    if not low <= number <= high:
        raise Invalid(field, rule, value)
    return number


def proposal_number(value: object, field: str = "proposal") -> int:
    """0 to 999999, as a number or in up to six digits ("002012"): folders are `p%06d`."""
    return _whole(value, field, 0, 999_999, text=True)


def run_number(value: object, field: str = "run") -> int:
    """1 to 9999, as a number or in up to four digits ("0082").

    The facility's folders and files carry four digits (`r%04d`, `R0082`) and its readers look for
    exactly four; the catalogue hands numbers out from 1.
    """
    return _whole(value, field, 1, 9_999, text=True)


def byte_size(value: object, field: str = "bytes") -> int:
    """0 to 2⁶³-1; a JSON number without a point, nothing else."""
    if type(value) is int and 0 <= value <= BIGGEST:
        return value
    raise Invalid(field, f"must be a whole number of bytes from 0 to {BIGGEST}", value)


def train_id(value: object, field: str = "train") -> int:
    """0 to 2⁶³-1; a JSON number without a point, nothing else."""
    return _whole(value, field, 0, BIGGEST, text=False)


def page_size(value: object, field: str = "page_size") -> int:
    """1 to 1000, as a number or as the digits of a query string; more is refused, not cut."""
    return _whole(value, field, 1, LARGEST_PAGE, text=True)


_RUN_RANGE = re.compile(r"\s*([0-9]{1,4})\s*(?:[-–]\s*([0-9]{1,4})\s*)?", re.ASCII)
_LONGEST_RANGES = 1000


def run_ranges(value: object, field: str = "runs") -> tuple[tuple[int, int], ...]:
    """ "12-40, 55" -> `((12, 40), (55, 55))`: both ends included, sorted, touching ones joined.

    A hyphen or an en dash stands between the ends; at most 1000 characters.
    """
    rule = 'must be run numbers and ranges like "12-40, 55"'
    if not isinstance(value, str) or len(value) > _LONGEST_RANGES:
        raise Invalid(field, f"{rule}, at most {_LONGEST_RANGES} characters", value)
    found: list[tuple[int, int]] = []
    for part in value.split(","):
        match = _RUN_RANGE.fullmatch(part)
        if match is None:
            raise Invalid(field, rule, value)
        first = run_number(match[1], field)
        last = run_number(match[2] or match[1], field)
        if last < first:
            raise Invalid(field, f"the range {first}-{last} must begin with the lower run", value)
        found.append((first, last))
    return _joined(sorted(found))


def _joined(ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    joined: list[tuple[int, int]] = []
    for first, last in ranges:
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)


# ---------------------------------------------------------------- names and paths

_FILE_NAME = re.compile(
    r"([A-Z]{2,8})-R([0-9]{4})-([A-Za-z0-9_]{1,32})-S([0-9]{5})\.h5", re.ASCII
).fullmatch

# Characters that are no letters of a name: controls (Cc), halves of surrogate pairs (Cs), line and
# paragraph separators, and those that turn the direction of writing and so hide a name's end.
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def file_name(value: object, field: str = "name") -> FileName:
    """The parts of a name the DAQ or the calibration gave (`RAW-R0001-AGIPD00-S00000.h5`)."""
    match = _FILE_NAME(value) if isinstance(value, str) else None
    if match is None:
        rule = "must be a file name like RAW-R0001-AGIPD00-S00000.h5"
        raise Invalid(field, rule, value)
    kind, run, aggregator, sequence = match.groups()
    if run == "0000":
        raise Invalid(field, "must name a run from R0001 to R9999", value)
    return FileName(kind, int(run), aggregator, int(sequence))


def plain_name(value: object, field: str = "name") -> str:
    """Any other file's name, unchanged: one path component that every system can hold and show.

    Not normalised but refused where it is not NFC, because on the disk it is another name. A
    backslash is refused since a reader of packages on another system takes it for a separator.
    """
    if not isinstance(value, str) or not value:
        raise Invalid(field, "must be a file name", value)
    if value in {".", ".."}:
        raise Invalid(field, "must not be '.' or '..'", value)
    if "/" in value or "\\" in value:
        raise Invalid(field, "must not contain '/' or '\\'", value)
    if not (value.isascii() and value.isprintable()):
        _refuse_odd_characters(value, field)
    if _utf8_length(value) > LONGEST_NAME:
        raise Invalid(field, f"must be at most {LONGEST_NAME} bytes in UTF-8", value)
    return value


def relative_path(value: object, field: str = "path") -> str:
    """A path below a folder, unchanged: names joined by single '/', none of them '.' or '..'."""
    if not isinstance(value, str) or not value:
        raise Invalid(field, "must be a relative path", value)
    if value[0] == "/":
        raise Invalid(field, "must be relative, not begin with '/'", value)
    if len(value) > LONGEST_PATH:
        raise Invalid(field, f"must be at most {LONGEST_PATH} bytes in UTF-8", value)
    for part in value.split("/"):
        if not part:
            raise Invalid(field, "must have a name between '/' and '/', and after the last", value)
        try:
            plain_name(part, field)
        except Invalid as invalid:
            raise Invalid(field, f"each of its names {invalid.rule}", value) from None
    if _utf8_length(value) > LONGEST_PATH:
        raise Invalid(field, f"must be at most {LONGEST_PATH} bytes in UTF-8", value)
    return value


def _refuse_odd_characters(value: str, field: str) -> None:
    for character in value:
        if unicodedata.category(character) in _UNSEEN or character in _TURNS:
            rule = f"must not contain the control character U+{ord(character):04X}"
            raise Invalid(field, rule, value)
    if not unicodedata.is_normalized("NFC", value):
        raise Invalid(field, "must be Unicode in normal form C (composed letters)", value)


def _utf8_length(value: str) -> int:
    return len(value) if value.isascii() else len(value.encode())


# ---------------------------------------------------------------- checksums


def sha256(value: object, field: str = "sha256") -> str:
    """64 hexadecimal digits, given back in lower case."""
    return _hexadecimal(value, field, 64)


def adler32(value: object, field: str = "adler32") -> str:
    """8 hexadecimal digits, given back in lower case."""
    return _hexadecimal(value, field, 8)


def _hexadecimal(value: object, field: str, digits: int) -> str:
    if isinstance(value, str):
        if len(value) == digits:
            try:
                # fromhex skips blanks, so it must also have found every digit.
                if len(bytes.fromhex(value)) * 2 == digits:
                    return value.lower()
            except ValueError:
                pass
            raise Invalid(field, f"must be {digits} hexadecimal digits (0-9, a-f)", value)
        rule = f"must be {digits} hexadecimal digits, not {len(value)} characters"
        raise Invalid(field, rule, value)
    raise Invalid(field, f"must be a text of {digits} hexadecimal digits", value)


# ---------------------------------------------------------------- times and texts

_ZONE = r"(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)"
_TIME = re.compile(
    rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})[Tt ]([0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}})?)"
    rf"(?:[.,]([0-9]{{1,9}}))?({_ZONE})?",
    re.ASCII,
)


def aware_time(value: object, field: str = "time") -> datetime:
    """ "2026-11-22T14:00:00+01:00" -> the moment in UTC.

    ISO 8601 in its extended form, as RFC 3339 profiles it: date, time and zone are required,
    seconds may be left out. Digits beyond the microsecond are dropped (some DAQ clocks write
    nanoseconds). Years 1970 to 2199: earlier or later is a slip of the keyboard or somebody's
    "for ever", which has no date here.
    """
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Invalid(field, "must be a time like 2026-11-22T14:00:00+01:00", value)
    day, clock, fraction, zone = match.groups()
    if zone is None:
        raise Invalid(field, "must name its zone (Z, or an offset like +01:00)", value)
    if fraction is not None and len(clock) == len("14:00"):
        raise Invalid(field, "must have seconds before a fraction of them", value)
    try:
        moment = datetime.fromisoformat(
            f"{day}T{clock}{'.' + fraction[:6] if fraction else ''}{zone.upper()}"
        ).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid(field, f"must be a time that exists ({error})", value) from None
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        rule = f"must lie in the years {EARLIEST_YEAR} to {LATEST_YEAR}"
        raise Invalid(field, rule, value)
    return moment


def free_text(value: object, longest: int, field: str = "text") -> str:
    """Text of at most `longest` characters; the line ends of a form (CR LF) become newlines.

    Of the control characters only newline and tab may occur, and no half of a surrogate pair: a
    database, a log line or an XML document could not hold them.
    """
    if not isinstance(value, str):
        raise Invalid(field, "must be a text", value)
    text = value.replace("\r\n", "\n") if "\r" in value else value
    if len(text) > longest:
        raise Invalid(field, f"must be at most {longest} characters, not {len(text)}", value)
    if not text.isprintable():
        for character in text:
            if character not in "\n\t" and unicodedata.category(character) in {"Cc", "Cs"}:
                rule = f"must not contain the control character U+{ord(character):04X}"
                raise Invalid(field, rule, value)
    return text
