"""Numbers, sizes and durations as people read them; for templates and for sentences.

Thousands are parted by a narrow no-break space (U+202F), so that a number never breaks over two
lines; a unit follows after an ordinary space, and the table cell keeps the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

THIN_SPACE = "\u202f"
MINUS = "\u2212"

_SIZES = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_SMALL = (
    *("no", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def number_text(value: float, places: int = 0) -> str:
    """`12345` -> "12 345"; `places` digits after the point, zero never shown as negative."""
    whole = isinstance(value, int) and not places
    plain = f"{value:,}" if whole else f"{value:z,.{places}f}"
    return plain.replace(",", THIN_SPACE).replace("-", MINUS)


def spelt(count: int) -> str:
    """Up to twelve in words ("no", "one", … "twelve"), as prose wants it; beyond, in digits."""
    return _SMALL[count] if 0 <= count < len(_SMALL) else number_text(count)


def count_text(count: int, one: str, many: str = "") -> str:
    """`1, "run"` -> "1 run"; `84, "run"` -> "84 runs"; `many` where adding s is not the plural."""
    return f"{number_text(count)} {one if count == 1 else many or one + 's'}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """`["a", "b", "c"]` -> "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def bytes_text(size: int) -> str:
    """`41_200_000_000` -> "41.2 GB": powers of ten, one digit after the point, half rounded up.

    Whole-number arithmetic: the text is right for every size a file can have.
    """
    if size < 0:
        raise ValueError(f"a size is not negative: {size}")
    if size < 1000:
        return f"{size} B"
    step = 1
    tenths = _tenths(size, step)
    while tenths >= 10_000 and step + 1 < len(_SIZES):
        step += 1
        tenths = _tenths(size, step)
    return f"{number_text(tenths // 10)}.{tenths % 10} {_SIZES[step]}"


def _tenths(size: int, step: int) -> int:
    unit: int = 1000**step
    return (size * 10 + unit // 2) // unit


def duration_text(seconds: float | timedelta) -> str:
    """`250` -> "4 min 10 s": the two largest units, rounded; below a second in milliseconds."""
    length = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
    if length < 0:
        return MINUS + duration_text(-length)
    if 0 < length < 0.9995:
        return f"{max(1, round(length * 1000))} ms"
    if length < 9.95:
        return f"{length:.1f}".removesuffix(".0") + " s"
    return _whole_duration(int(length + 0.5))


def _whole_duration(seconds: int) -> str:
    if seconds < _HOUR:
        return _two(seconds, (_MINUTE, "min"), (1, "s"))
    minutes = (seconds + _MINUTE // 2) // _MINUTE
    if minutes * _MINUTE < _DAY:
        return _two(minutes * _MINUTE, (_HOUR, "h"), (_MINUTE, "min"))
    hours = (seconds + _HOUR // 2) // _HOUR
    return _two(hours * _HOUR, (_DAY, "d"), (_HOUR, "h"))


def _two(seconds: int, large: tuple[int, str], small: tuple[int, str]) -> str:
    many, rest = divmod(seconds, large[0])
    few = rest // small[0]
    parts = [(many, large[1]), (few, small[1])]
    return " ".join(f"{number_text(n)} {unit}" for n, unit in parts if n)
