"""What somebody typed into the search box, understood: numbers, a DOI, a file's name, words.

Pure, and never fails: whatever comes in, some `Question` comes out. It may ask for several things
at once; "2012" is a proposal, a run, and a word of a title.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

LONGEST = 200
MOST_WORDS = 8
LONGEST_WORD = 64
SHORTEST_FILE = 9
"""As "RAW-R0012": what is shorter is the beginning of too many names to be one."""

_PUNCTUATION = re.compile(r"[\s!-/:-@\[-`{-~]+")
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.[0-9]{4,9}/\S*)", re.IGNORECASE)
_BOTH = re.compile(
    r"(?:p|proposal\s*)?([0-9]{1,6})[\s/,:_-]*(?:r|run)\s*([0-9]{1,4})"
    r"|(?:p|proposal\s*)?([0-9]{1,6})[\s/]+([0-9]{1,4})",
    re.IGNORECASE,
)
_PROPOSAL = re.compile(r"(?:p|proposal\s*)([0-9]{1,6})", re.IGNORECASE)
_RUN = re.compile(r"(?:r|run\s*)([0-9]{1,4})", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Question:
    """`text` is what was typed, as one clean line. `proposal` and `run` are numbers; where `both`,
    the run of that proposal is meant, else either. `file` is the beginning of a name."""

    text: str
    words: tuple[str, ...] = ()
    proposal: int | None = None
    run: int | None = None
    both: bool = False
    doi: str = ""
    file: str = ""

    def __bool__(self) -> bool:
        return bool(self.text)


def understood(typed: object) -> Question:
    """The question behind what was typed."""
    text = _clean(typed) if isinstance(typed, str) else ""
    proposal, run, both = _numbers(text)
    doi = _DOI.fullmatch(text)
    whole_name = " " not in text and len(text) >= SHORTEST_FILE
    return Question(
        text=text,
        words=_words(text),
        proposal=proposal,
        run=run if run is None or 1 <= run <= 9_999 else None,
        both=both,
        doi=doi[1].lower() if doi else "",
        file=text if whole_name and not doi else "",
    )


def _clean(typed: str) -> str:
    """One line without characters that are not seen (NUL, direction marks, halves of pairs)."""
    cut = typed[: 4 * LONGEST]
    seen = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in cut)
    return " ".join(unicodedata.normalize("NFC", seen).split())[:LONGEST].strip()


def _words(text: str) -> tuple[str, ...]:
    """The words, in small letters, each once; punctuation parts them as it does in what is
    searched."""
    parts = (part[:LONGEST_WORD] for part in _PUNCTUATION.split(text.lower()) if part)
    return tuple(dict.fromkeys(parts))[:MOST_WORDS]


def _numbers(text: str) -> tuple[int | None, int | None, bool]:
    """Number of a proposal, number of a run, and whether they belong together."""
    if found := _BOTH.fullmatch(text):
        proposal, run = (found[1], found[2]) if found[1] else (found[3], found[4])
        return int(proposal), int(run), True
    if found := _PROPOSAL.fullmatch(text):
        return int(found[1]), None, False
    if found := _RUN.fullmatch(text):
        return None, int(found[1]), False
    if _NUMBER.fullmatch(text):
        return int(text), int(text), False
    return None, None, False
