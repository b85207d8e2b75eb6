"""The vocabulary of permissions, and the one table that says which role has which.

What role somebody has on a thing is the apps' knowledge (`proposals.access`); what a role may do is
written here, once, as data that staff can read. Source: the table "Who may do what" of the domain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from django.db import models

from catalogue.ground.actor import Actor
from catalogue.ground.models import Appointment

SEE_METADATA: Final = "see metadata"
SEE_DATA: Final = "see data"
SEE_JOURNAL: Final = "see the journal"
ASSESS: Final = "assess"
CALIBRATE: Final = "ask for calibration"
PACKAGE: Final = "ask for packages"
CONSTANTS: Final = "keep the calibration constants"
SWITCH: Final = "switch automatic steps"
EDIT: Final = "edit runs and samples"
TEAM: Final = "manage the team"
DELEGATE: Final = "name deputies"
PROLONG: Final = "prolong the team's access"
PREPARE: Final = "take a proposal to ready"
CANCEL: Final = "cancel a proposal"
OPERATE: Final = "start, pause and finish the beamtime"
REVIEW: Final = "review the proposal"
CLOSE: Final = "close the proposal"
CONSENT: Final = "consent to early release"
RELEASE: Final = "release data"
HOLD: Final = "hold data"
JOBS: Final = "hold, retry and cancel jobs"
ADMINISTER: Final = "administer"
PEOPLE: Final = "keep people and cycles"
EXPLAIN: Final = "ask what a person may do"
WITHDRAW: Final = "withdraw published data"
POLICY: Final = "draft and approve policies"
CREATE: Final = "create proposals"
DAQ: Final = "report for the DAQ"
ADOPT: Final = "adopt a reported state"
TRANSFER: Final = "report transfers"
SYSTEM: Final = "system"

_SEE = frozenset({SEE_METADATA, SEE_DATA, SEE_JOURNAL})
_WORK = _SEE | {PACKAGE, ASSESS, CALIBRATE, EDIT, HOLD}
_LEAD = _WORK | {SWITCH, TEAM, CONSENT}
_INSTRUMENT = _WORK | {
    SWITCH, TEAM, DELEGATE, PREPARE, CANCEL, OPERATE, CREATE, JOBS, CONSTANTS,
}  # fmt: skip

GRANTS: Final[dict[str, frozenset[str]]] = {
    "team read": _SEE | {PACKAGE},
    "team work": _WORK,
    "principal investigator": _LEAD | {DELEGATE, PROLONG},
    "main proposer": _LEAD | {DELEGATE, PROLONG},
    "deputy": _LEAD,
    "local_contact": _INSTRUMENT,
    "instrument_scientist": _INSTRUMENT,
    "instrument_leader": _INSTRUMENT | {REVIEW, CLOSE},
    "deputy_leader": _INSTRUMENT | {REVIEW, CLOSE},
    "user_office": frozenset(
        {
            SEE_METADATA,
            SEE_JOURNAL,
            TEAM,
            DELEGATE,
            PROLONG,
            PREPARE,
            CANCEL,
            CREATE,
            PEOPLE,
            EXPLAIN,
        }
    ),
    "data_manager": _INSTRUMENT
    | {PROLONG, REVIEW, CLOSE, RELEASE, WITHDRAW, POLICY, ADMINISTER, PEOPLE, EXPLAIN},
    "auditor": frozenset({SEE_METADATA, SEE_JOURNAL, EXPLAIN}),
}

# A program's scopes: what each lets it do. A person's token is narrowed by its scopes in the same
# words, so that "read" and "write" can be given away without giving everything.
SCOPES: Final[dict[str, frozenset[str]]] = {
    "read": _SEE | {EXPLAIN},
    "daq": _SEE | {DAQ, EDIT},
    "assess": _SEE | {ASSESS},
    "calibrate": _SEE | {CALIBRATE, CONSTANTS},
    "transfer": _SEE | {TRANSFER},
    "adopt": _SEE | {ADOPT},
    "administer": _SEE | {ADMINISTER},
    "write": _INSTRUMENT | {PROLONG, REVIEW, CLOSE, RELEASE, CONSENT, HOLD, WITHDRAW, POLICY},
}

# What each scope is called where people choose them.
SCOPE_WORDS: Final[dict[str, str]] = {
    "read": "Read what the person may read",
    "daq": "Report for the DAQ: runs, their files, silence",
    "assess": "Mark runs",
    "calibrate": "Ask for calibration, keep the calibration constants",
    "transfer": "Report transfers between stores",
    "adopt": "State what another system of record has decided",
    "administer": "Change reference tables",
    "write": "Everything else the person may do, but what takes a person",
}

# Of these, what gives a person anything: the others are for programs that report.
PERSONAL_SCOPES: Final = ("read", "assess", "calibrate", "write")

# What a program reports is its own knowledge, whoever it acts for: with one of these scopes it may
# report everywhere, and look up the proposals that it reports on. ("write" is for what people do.)
REPORTING_SCOPES: Final = frozenset({"daq", "transfer", "adopt", "calibrate"})
REPORTS: Final = frozenset({DAQ, TRANSFER, ADOPT, CONSTANTS})

# What takes a person, whatever the scopes of a program's token: where two people have to agree a
# program is nobody, and what others may do is no program's to ask.
_PERSONAL: Final = frozenset({CONSENT, RELEASE, WITHDRAW, POLICY, EXPLAIN})


def given(actor: Actor, roles: Iterable[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """What gives `actor` anything where they hold `roles`: each role or scope with what it gives.

    This is the rule; `allowed` is all of it together, and the page that says why tells it piece by
    piece. A program has its scopes and nothing else, whatever roles its account was given; acting
    for a person it has that person's roles narrowed by its scopes, and may besides report what its
    scopes say.
    """
    scopes = sorted(SCOPES.keys() & (actor.scopes or ()))
    if actor.user is not None and actor.user.is_service:
        for scope in scopes if actor.user.is_active else ():
            yield scope, SCOPES[scope] - _PERSONAL
        return
    scoped = frozenset[str]().union(*(SCOPES[scope] for scope in scopes))
    for role in roles:
        granted = GRANTS[role] if actor.scopes is None else GRANTS[role] & scoped
        yield role, granted if actor.through is None else granted & scoped - _PERSONAL
    if actor.through is not None:
        yield "reports", _reported(actor)


def allowed(actor: Actor, roles: Iterable[str]) -> frozenset[str]:
    """What `actor` may do where they hold `roles`, narrowed by the scopes of their token."""
    return frozenset[str]().union(*(what for _, what in given(actor, roles)))


def _reported(actor: Actor) -> frozenset[str]:
    """What a program may report everywhere, acting for a person whose account is open. Constants
    are no proposal's, so there is nothing to look up for them."""
    if actor.user is None or not actor.user.is_active:
        return frozenset()
    reporting = REPORTING_SCOPES & (actor.scopes or frozenset())
    reports = frozenset[str]().union(*(SCOPES[s] & REPORTS for s in reporting))
    return reports | {SEE_METADATA} if reports - {CONSTANTS} else reports


def offices(actor: Actor, today: object) -> models.QuerySet[Appointment]:
    """The offices that `actor` holds today (a date of the facility)."""
    if actor.user is None or not actor.user.is_active:
        return Appointment.objects.none()
    return Appointment.objects.filter(
        models.Q(until__isnull=True) | models.Q(until__gte=today), user=actor.user
    )


def facility_wide(
    actor: Actor, today: object, held: Iterable[Appointment] | None = None
) -> frozenset[str]:
    """What `actor` may do everywhere: by an office for all of the facility, or as a program.
    `held` are their offices of today, where the caller has read them already."""
    if actor.system:
        return _VOCABULARY
    known = offices(actor, today) if held is None else held
    return allowed(actor, [o.role for o in known if o.instrument_id is None])


def standing(actor: Actor, today: object) -> frozenset[str]:
    """What `actor` may do everywhere, and what by an office at one instrument, named with it."""
    held = list(offices(actor, today))
    there = (o for o in held if o.instrument_id is not None)
    return facility_wide(actor, today, held).union(
        *({f"{what} at {o.instrument_id}" for what in allowed(actor, [o.role])} for o in there)
    )


VOCABULARY: Final = tuple(
    value for name, value in list(globals().items()) if name.isupper() and isinstance(value, str)
)
_VOCABULARY = frozenset(VOCABULARY)
