"""How a state looks: never by colour alone, so each has a tone (a colour), an icon and its word.

The word comes from the model's own choices; here are tone and icon, by model, field and value.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Model


class Look(NamedTuple):
    """`tone` is a class of colours in the stylesheet, `icon` a symbol of icons.svg."""

    tone: str
    icon: str


PLAIN = Look("quiet", "dot")
_WAITING = Look("quiet", "clock")
_RUNNING = Look("busy", "running")
_DONE = Look("good", "check")
_FAILED = Look("bad", "alert")
_HELD = Look("warn", "hand")

_STEP = Look("busy", "running")

LOOKS: dict[tuple[str, str], dict[str, Look]] = {
    ("proposals.proposal", "state"): {
        "N": Look("quiet", "ring"),
        **dict.fromkeys(("WLC", "LDC", "WFC", "FDC", "WDC", "DDC", "WCLD"), _STEP),
        "R": Look("good", "check"),
        "A": Look("live", "play"),
        "I": Look("warn", "pause"),
        "F": Look("quiet", "stop"),
        "FR": Look("good", "check"),
        "CLO": Look("quiet", "archive"),
        "C": Look("quiet", "cross"),
    },
    ("proposals.proposal", "access"): {
        "embargoed": Look("quiet", "lock"),
        "open": Look("good", "unlock"),
    },
    ("runs.run", "status"): {
        "open": Look("live", "record"),
        "closed": Look("quiet", "stop"),
        "aborted": Look("bad", "cross"),
    },
    ("runs.run", "quality"): {
        "": Look("quiet", "dot"),
        "good": Look("good", "check"),
        "unclear": Look("warn", "question"),
        "not_interesting": Look("quiet", "minus"),
    },
    ("runs.replica", "state"): {
        "expected": Look("quiet", "ring"),
        "copying": Look("busy", "copying"),
        "copied": Look("busy", "half"),
        "verified": Look("good", "box"),
        "scheduled": Look("warn", "dashed"),
        "trashed": Look("warn", "trash"),
        "removed": Look("quiet", "minus"),
        "lost": _FAILED,
        "corrupt": _FAILED,
    },
    ("runs.calibration", "state"): {
        "requested": _WAITING,
        "running": _RUNNING,
        "available": _DONE,
        "failed": _FAILED,
        "held": _HELD,
    },
    ("runs.darkrequest", "state"): {
        "requested": _WAITING,
        "running": _RUNNING,
        "finished": _DONE,
        "failed": _FAILED,
    },
    ("runs.package", "state"): {"requested": _RUNNING, "ready": _DONE, "failed": _FAILED},
    ("ground.job", "state"): {
        "waiting": _WAITING,
        "claimed": _RUNNING,
        "done": _DONE,
        "held": _HELD,
        "cancelled": Look("quiet", "cross"),
    },
    ("ground.jobattempt", "end"): {
        "": _RUNNING,
        "done": _DONE,
        "waiting": Look("warn", "clock"),
        "held": Look("warn", "hand"),
        "silent": _FAILED,
        "cancelled": Look("quiet", "cross"),
    },
    ("ground.doi", "state"): {
        "draft": Look("quiet", "ring"),
        "registered": Look("quiet", "lock"),
        "findable": _DONE,
    },
    ("ground.approval", "state"): {
        "asked": _WAITING,
        "agreed": _DONE,
        "declined": Look("quiet", "cross"),
        "taken_back": Look("quiet", "minus"),
    },
    ("policies.policy", "state"): {
        "draft": _WAITING,
        "adopted": _DONE,
        "discarded": Look("quiet", "cross"),
    },
    ("policies.hold", "state"): {"active": _HELD, "lifted": Look("quiet", "minus")},
}


def look_of(thing: Model, field: str) -> Look:
    """Tone and icon of the state in `field` of `thing`."""
    value = str(getattr(thing, field))
    return LOOKS.get((thing._meta.label_lower, field), {}).get(value, PLAIN)


def word_of(thing: Model, field: str) -> str:
    """The word for the state in `field` of `thing`."""
    display = getattr(thing, f"get_{field}_display", None)
    return str(display()) if display else str(getattr(thing, field))
