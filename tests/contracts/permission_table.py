"""Which role gets what at which address: the table that `test_permissions` holds the site to.

Two tables, both written by hand and neither made of the code: which permissions each role has on
the proposal that is asked about (the domain's "Who may do what"), and by which rule each address
answers. **A new address needs a row here**; how rows are written:

    "proposals/{n}/team/add": {"POST": on("manage the team", login="x", role="member")},

The key is the address as it is written in `urls.py`, each `<converter:name>` shortened (`{n}` the
proposal, `{r}` the run, `{id}`, `{name}` …). Each method that the address takes has a rule; every
other method must be refused (405). Keyword arguments are the body with which somebody who may
would get past the checks of values. Rules:

    everybody()         also without an account
    account()           everybody who has one; others are asked to sign in
    on(permission)      who has it on the proposal; who knows the proposal and lacks it is refused
                        (403); for everybody else it is not there (404)
    office(permission)  who has it everywhere; others are refused
    public()            the public page of a proposal that is not published: there for nobody, but
                        for those who see the proposal once it has a DOI

Further: `somewhere(permission)` who has it at any instrument, `here(permission)` at the test's;
`.absent` where the test's proposal has no such row, so that it is there for nobody; `.late` where
values are checked before it is asked who may. The roles' names are those of `ROLES`; who is meant
by each stands in `tests.contracts.permission_world`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

SM, SD, SJ = "see metadata", "see data", "see the journal"
READ = frozenset({SM, SD, SJ, "ask for packages"})
WORK = READ | {"assess", "ask for calibration", "edit runs and samples", "hold data"}
LEAD = WORK | {"switch automatic steps", "manage the team", "consent to early release"}
FIRST = LEAD | {"name deputies", "prolong the team's access"}
INSTRUMENT = WORK | {
    "switch automatic steps", "manage the team", "name deputies", "take a proposal to ready",
    "cancel a proposal",
    "start, pause and finish the beamtime", "create proposals", "hold, retry and cancel jobs",
    "keep the calibration constants",
}  # fmt: skip
CHIEF = INSTRUMENT | {"review the proposal", "close the proposal"}
MANAGER = CHIEF | {
    "prolong the team's access",
    "release data", "withdraw published data", "draft and approve policies", "administer",
    "keep people and cycles", "ask what a person may do",
}  # fmt: skip
OFFICE = frozenset({
    SM, SJ, "name deputies", "prolong the team's access", "manage the team",
    "take a proposal to ready", "cancel a proposal", "create proposals",
    "keep people and cycles", "ask what a person may do",
})  # fmt: skip
AUDITOR = frozenset({SM, SJ, "ask what a person may do"})
NOTHING: frozenset[str] = frozenset()

# Role -> what it may do with the proposal that is asked about. Who is meant by each name:
# `tests.contracts.permission_world`.
ROLES: dict[str, frozenset[str]] = {
    "visitor": NOTHING,
    "stranger": NOTHING,
    "staff flag": NOTHING,
    "former member": NOTHING,
    "other team": NOTHING,
    "other instrument": NOTHING,
    "team read": READ,
    "team work": WORK,
    "principal investigator": FIRST,
    "main proposer": FIRST,
    "deputy": LEAD,
    "local contact": INSTRUMENT,
    "instrument scientist": INSTRUMENT,
    "instrument leader": CHIEF,
    "deputy leader": CHIEF,
    "user office": OFFICE,
    "data manager": MANAGER,
    "auditor": AUDITOR,
    "service": frozenset({SM, SD, SJ, "report for the DAQ", "edit runs and samples"}),
    "service without scopes": NOTHING,
}

# What these may do everywhere, so at addresses that belong to no proposal.
EVERYWHERE = {
    "user office": OFFICE,
    "data manager": MANAGER,
    "auditor": AUDITOR,
    "service": ROLES["service"],
}
# At some instrument, which is enough where it is asked "at any".
SOMEWHERE = {
    **EVERYWHERE,
    **{r: ROLES[r] for r in ROLES if r.startswith(("local", "instrument", "deputy l"))},
    "other instrument": INSTRUMENT,
}


@dataclass(frozen=True)
class Rule:
    """How an address answers to one method."""

    kind: str
    permission: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    there: bool = True
    after_values: bool = False

    @property
    def absent(self) -> Rule:
        """The same where there is no such row: 404 for whoever may ask."""
        return replace(self, there=False)

    @property
    def late(self) -> Rule:
        """The same where values are checked before it is asked who may (422)."""
        return replace(self, after_values=True)

    def expects(self, role: str) -> str:
        """What `role` gets: "ok" (or a value or state that is refused: they were let in), "no"
        (403), "none" (404), "who" (sign in first)."""
        let_in = "ok" if self.there else "none"
        if self.kind == "everybody":
            return let_in
        if self.kind == "public":
            return "none"
        if role == "visitor":
            return "who"
        if self.kind == "on" and SM not in ROLES[role]:
            return "none"
        held = {
            "account": {self.permission},
            "office": EVERYWHERE.get(role, NOTHING),
            "somewhere": SOMEWHERE.get(role, NOTHING),
        }.get(self.kind, ROLES[role])
        return let_in if self.permission in held else "no"


def everybody(**body: Any) -> Rule:
    return Rule("everybody", body=body)


def account(**body: Any) -> Rule:
    return Rule("account", body=body)


def on(permission: str, **body: Any) -> Rule:
    return Rule("on", permission, body)


def office(permission: str, **body: Any) -> Rule:
    return Rule("office", permission, body)


def somewhere(permission: str, **body: Any) -> Rule:
    return Rule("somewhere", permission, body)


def here(permission: str, **body: Any) -> Rule:
    return Rule("here", permission, body)


def public() -> Rule:
    return Rule("public")


see = on(SM)
Row = dict[str, Rule]
WHY = {"reason": "because"}
LATER = {"begin_at": "2027-01-01T08:00:00Z", "end_at": "2027-01-02T08:00:00Z"}

PAGES: dict[str, Row] = {
    "": {"GET": everybody()},
    "sign-in": dict.fromkeys(("GET", "POST", "PUT"), everybody()),
    "sign-out": {"POST": everybody()},
    "scheme": {"POST": everybody()},
    "jobs": {"GET": account()},
    "jobs/{id}": {"GET": see},
    "jobs/{id}/retry": {"POST": on("hold, retry and cancel jobs")},
    "jobs/{id}/cancel": {"POST": on("hold, retry and cancel jobs", reason="because")},
    "programs": {"GET": office("administer")},
    "programs/create": {"POST": office("administer", name="x")},
    "programs/{id}": {"GET": office("administer")},
    "programs/{id}/scopes": {"POST": office("administer")},
    "programs/{id}/people": {"POST": office("administer")},
    "programs/{id}/rotate": {"POST": office("administer")},
    "programs/{id}/revoke": {"POST": office("administer")},
    "tokens": {"GET": account()},
    "tokens/create": {"POST": account(name="x", scopes=["read"], lifetime="7")},
    "tokens/revoke": {"POST": account(token="0" * 128).absent},
    "access": {"GET": account()},
    "access/why": {"GET": account()},
    "approvals": {"GET": account()},
    "approvals/withdraw": {"POST": office("withdraw published data", proposal=900100, **WHY)},
    "approvals/{id}/{name}": {"POST": on("hold data")},
    "storage": {"GET": account()},
    "data": {"GET": everybody()},
    "data/{n}": {"GET": public()},
    "data/{n}/datacite.json": {"GET": public()},
    "data/{n}/schema.json": {"GET": public()},
    "data/{n}/linkset.json": {"GET": public()},
    "data/{n}/package": {"GET": public()},
    "data/{n}/files": {"GET": public()},
    "data/{n}/files/{folder}/{name}": {"GET": public()},
    "proposals": {"GET": account()},
    "proposals/{n}": {"GET": see},
    "proposals/{n}/moves/{name}": {"POST": on("start, pause and finish the beamtime")},
    "proposals/{n}/team": {"GET": see},
    "proposals/{n}/team/add": {
        "POST": on("manage the team", login="daq", role="member", data_access="1")
    },
    "proposals/{n}/history": {"GET": on(SJ)},
    "proposals/{n}/runs": {"GET": see},
    "proposals/{n}/runs/switch": {
        "POST": on("switch automatic steps", name="assesses_by_itself", on="yes")
    },
    "proposals/{n}/constants": {"GET": see},
    "proposals/{n}/runs/{r}": {"GET": see},
    "proposals/{n}/runs/{r}/assess": {"POST": on("assess", quality="good")},
    "proposals/{n}/runs/{r}/comment": {"POST": on("edit runs and samples", comment="x")},
    "proposals/{n}/runs/{r}/calibrate": {"POST": on("ask for calibration")},
    # There is none to try again, which everybody who sees the run knows.
    "proposals/{n}/runs/{r}/calibrate/again": {"POST": see},
    "proposals/{n}/runs/{r}/constants": {"POST": on("ask for calibration")},
    "proposals/{n}/runs/{r}/reports/{name}": {"GET": on(SD).absent},
    "proposals/{n}/runs/{r}/kept": {"GET": see},
    "policy": {"GET": everybody()},
    "policy/draft": {
        "GET": office("draft and approve policies"),
        "POST": office("draft and approve policies"),
    },
    "policy/versions/{id}": {"GET": account()},
    "proposals/{n}/holds": {"GET": see},
    "proposals/{n}/holds/place": {"POST": on("hold data", **WHY)},
    "proposals/{n}/holds/{id}/lift": {"POST": on("hold data", **WHY)},
    "proposals/{n}/holds/{id}/ask": {"POST": on("hold data", **WHY)},
    # ---- pages of several apps
    "help": {"GET": everybody()},
    "search": {"GET": everybody()},
    "status": {"GET": account()},
    "zone": {"POST": everybody()},
    "identities": {"GET": account()},
    "identities/link": {"POST": account()},
    "identities/unlink": {"POST": account()},
    "sign-in/openid": {"GET": everybody()},
    "sign-in/openid/return": {"GET": everybody()},
    "people/import": {
        "GET": office("keep people and cycles"),
        "POST": office("keep people and cycles"),
    },
    "journal": {"GET": office(SJ)},
    "journal/export.{form}": {"GET": office(SJ)},
    "notices": {"GET": account()},
    "notices/choose": {"POST": account()},
    "notices/stop/{token}": {"GET": everybody().absent, "POST": everybody().absent},
    "jobs/act": {"POST": account()},
    "jobs/rates": {"GET": account()},
    "jobs/rates.csv": {"GET": account()},
    "jobs/rates.svg": {"GET": account()},
    "jobs/{id}/hold": {"POST": on("hold, retry and cancel jobs", reason="because")},
    "storage/leaving.csv": {"GET": account()},
    "storage/leaving.svg": {"GET": account()},
    "storage/numbers.csv": {"GET": account()},
    "storage/plot.svg": {"GET": account()},
    # ---- proposals
    "proposals/board": {"GET": account()},
    "proposals/drift": {"GET": account()},
    "proposals/import": {
        "GET": somewhere("create proposals"),
        "POST": somewhere("create proposals").late,
    },
    "proposals/import/template.csv": {"GET": account()},
    "proposals/new": {
        "GET": somewhere("create proposals"),
        "POST": somewhere("create proposals").late,
    },
    "proposals/new/check": {"POST": somewhere("create proposals")},
    "proposals/{n}/beamtimes/add": {"POST": on("take a proposal to ready").late},
    "proposals/{n}/beamtimes/{id}": {"GET": see, "POST": on("take a proposal to ready").late},
    "proposals/{n}/beamtimes/{id}/remove": {"POST": on("take a proposal to ready")},
    "proposals/{n}/experiments/add": {"POST": on("edit runs and samples").late},
    "proposals/{n}/experiments/{id}": {"GET": see, "POST": on("edit runs and samples").late},
    "proposals/{n}/experiments/{id}/remove": {"POST": on("edit runs and samples")},
    "proposals/{n}/logbook": {"GET": see},
    "proposals/{n}/logbook/link": {"POST": on("edit runs and samples").late},
    "proposals/{n}/plan": {"GET": see},
    "proposals/{n}/plan/change": {"GET": see, "POST": on("edit runs and samples").late},
    "proposals/{n}/plan/numbers.csv": {"GET": see},
    "proposals/{n}/plan/plot.svg": {"GET": see},
    "proposals/{n}/preparation": {"GET": on("take a proposal to ready")},
    "proposals/{n}/preparation/apply": {"POST": on("take a proposal to ready")},
    "proposals/{n}/preparation/look": {"POST": on("take a proposal to ready")},
    "proposals/{n}/public": {"GET": see},
    "proposals/{n}/public/about": {"POST": on("edit runs and samples").late},
    "proposals/{n}/public/record": {"POST": on("take a proposal to ready").late},
    "proposals/{n}/publication": {"GET": see},
    "proposals/{n}/publication/package": {"POST": on("ask for packages")},
    "proposals/{n}/repositories": {"GET": see},
    "proposals/{n}/samples": {"GET": see},
    "proposals/{n}/samples/add": {"POST": on("edit runs and samples").late},
    "proposals/{n}/samples/{id}": {"GET": see, "POST": on("edit runs and samples").late},
    "proposals/{n}/samples/{id}/remove": {"POST": on("edit runs and samples")},
    "proposals/{n}/team/deputies": {"POST": on("name deputies").late},
    "proposals/{n}/team/people": {"GET": on("manage the team")},
    "proposals/{n}/team/prolong": {"POST": on("prolong the team's access").late},
    "proposals/{n}/team/{id}": {"GET": see, "POST": on("manage the team").late},
    "proposals/{n}/team/{id}/end-deputy": {"POST": on("name deputies")},
    "proposals/{n}/team/{id}/remove": {"POST": on("manage the team")},
    "proposals/{n}/withdraw": {"GET": see, "POST": on("cancel a proposal").late},
    # ---- runs
    "proposals/{n}/runs/assess": {"POST": on("assess").late},
    "proposals/{n}/runs/calibrate": {"GET": see, "POST": on("ask for calibration").late},
    "proposals/{n}/runs/changes": {"GET": see},
    "proposals/{n}/runs/columns": {"POST": see},
    "proposals/{n}/runs/edit": {"GET": see, "POST": on("edit runs and samples").late},
    "proposals/{n}/runs/file": {"GET": see},
    "proposals/{n}/runs/foretold": {"GET": see, "POST": see},
    "proposals/{n}/runs/undo": {"POST": on("assess").late},
    "proposals/{n}/runs/{r}/checksums": {"GET": see},
    "proposals/{n}/runs/{r}/journal": {"GET": on(SJ)},
    "proposals/{n}/runs/{r}/pictures/again": {"POST": on("edit runs and samples")},
    "proposals/{n}/runs/{r}/pictures/{name}": {"GET": on(SD).absent},
    # The mark before is none, which everybody who sees the run knows.
    "proposals/{n}/runs/{r}/undo": {"POST": see},
    "proposals/{n}/runs/{r}/withdraw": {"GET": see, "POST": on("edit runs and samples").late},
}

API: dict[str, Row] = {
    "proposals/{n}/deputies": {"POST": on("name deputies", login="daq")},
    "proposals/{n}/deputies/{login}": {"HEAD": see, "DELETE": on("name deputies")},
    "proposals/{n}/prolong": {"POST": on("prolong the team's access", until="2030-01-01")},
    "access": {"GET": account()},
    "access/why": {"GET": account()},
    "approvals": {"GET": account()},
    "approvals/{id}": {"GET": on(SJ)},
    "approvals/{id}/{name}": {"POST": on("hold data")},
    "policies": {
        "GET": account(),
        "POST": office(
            "draft and approve policies",
            name="S",
            valid_from="2027-01-01T00:00:00Z",
            clauses=[{"text": "all"}],
            **WHY,
        ),
    },
    "policies/{id}": {"GET": account()},
    "proposals": {
        "GET": account(),
        "POST": here("create proposals", number=77, title="x", instrument="SPB", cycle="202601"),
    },
    "proposals/{n}": {"GET": see, "PATCH": on("switch automatic steps", assesses_by_itself=True)},
    "proposals/{n}/withdraw": {"POST": on("cancel a proposal", **WHY)},
    "proposals/{n}/withdraw/ask": {"POST": on("withdraw published data", **WHY)},
    "proposals/{n}/moves": {"GET": see},
    "proposals/{n}/moves/{name}": {"POST": on("start, pause and finish the beamtime")},
    "proposals/{n}/journal": {"GET": on(SJ)},
    "proposals/{n}/beamtimes": {"GET": see, "POST": on("take a proposal to ready", **LATER)},
    "proposals/{n}/beamtimes/{id}": {
        "GET": see,
        "PATCH": on("take a proposal to ready", end_at="2027-01-02T08:00:00Z"),
        "DELETE": on("take a proposal to ready"),
    },
    "proposals/{n}/members": {"GET": see, "POST": on("manage the team", login="daq")},
    "proposals/{n}/members/{login}": {
        "GET": see,
        "PATCH": on("manage the team", data_access=2),
        "DELETE": on("manage the team"),
    },
    "proposals/{n}/experiments": {
        "GET": see,
        "POST": on("edit runs and samples", name="Dark", type="Dark"),
    },
    "proposals/{n}/experiments/{id}": {
        "GET": see,
        "PATCH": on("edit runs and samples", name="mine"),
        "DELETE": on("edit runs and samples"),
    },
    "proposals/{n}/samples": {"GET": see, "POST": on("edit runs and samples", name="salt2")},
    "proposals/{n}/samples/{id}": {
        "GET": see,
        "PATCH": on("edit runs and samples", name="mine"),
        "DELETE": on("edit runs and samples"),
    },
    "proposals/{n}/constants": {"GET": see},
    "proposals/{n}/checklist": {"GET": see},
    "proposals/{n}/packages": {"GET": see, "POST": on("ask for packages")},
    "proposals/{n}/data-groups": {"GET": see},
    "proposals/{n}/replicas": {"GET": see},
    "proposals/{n}/calibrations": {"GET": see},
    "proposals/{n}/dark-requests": {"GET": see},
    "proposals/{n}/runs": {
        "GET": see,
        "POST": on("report for the DAQ", number=9, begin_at="2026-11-20T09:00:00Z"),
    },
    "proposals/{n}/runs/next-number": {"POST": on("report for the DAQ")},
    "proposals/{n}/runs/{r}": {
        "GET": see,
        "PATCH": on("edit runs and samples", comment="mine"),
    },
    "proposals/{n}/runs/{r}/withdraw": {"POST": on("edit runs and samples", **WHY)},
    "proposals/{n}/runs/{r}/heartbeat": {"POST": on("report for the DAQ", bytes=1)},
    "proposals/{n}/runs/{r}/close": {
        "POST": on("report for the DAQ", end_at="2026-11-20T10:00:00Z")
    },
    "proposals/{n}/runs/{r}/abort": {"POST": on("report for the DAQ", **WHY)},
    "proposals/{n}/runs/{r}/assess": {"GET": see, "POST": on("assess", quality="good")},
    "proposals/{n}/runs/{r}/assessments": {"GET": see},
    "proposals/{n}/runs/{r}/files": {
        "GET": see,
        "POST": on("report for the DAQ", kind="RAW", files=[]),
    },
    "proposals/{n}/runs/{r}/files/check": {
        "GET": see.absent,
        "POST": on(SM, kind="RAW", files=[]),
    },
    "proposals/{n}/runs/{r}/files/{name}": {"GET": on(SD)},
    "proposals/{n}/runs/{r}/data-groups": {"GET": see},
    "proposals/{n}/runs/{r}/replicas": {
        "GET": see,
        "POST": on("report transfers", kind="RAW", store="offline", state="copied").late,
    },
    "proposals/{n}/runs/{r}/replicas/{id}": {"GET": see},
    "proposals/{n}/runs/{r}/calibrations": {"GET": see, "POST": on("ask for calibration")},
    "proposals/{n}/runs/{r}/calibrations/{id}": {"GET": see},
    "proposals/{n}/runs/{r}/calibrations/{id}/ask-again": {"POST": on("ask for calibration")},
    "proposals/{n}/runs/{r}/calibrations/{id}/report": {"GET": see.absent},
    "proposals/{n}/runs/{r}/dark-requests": {"GET": see, "POST": on("ask for calibration")},
    "proposals/{n}/runs/{r}/dark-requests/{id}": {"GET": see.absent},
    "proposals/{n}/runs/{r}/dark-requests/{id}/report": {"GET": see.absent},
    "proposals/{n}/holds": {"GET": see, "POST": on("hold data", **WHY)},
    "proposals/{n}/holds/{id}": {"GET": see},
    "proposals/{n}/holds/{id}/lift": {"POST": on("hold data", **WHY)},
    "proposals/{n}/holds/{id}/lift/ask": {"POST": on("hold data", **WHY)},
    "proposals/{n}/runs/{r}/verdicts": {"GET": see},
    "conditions": {"GET": account(), "POST": somewhere("keep the calibration constants").late},
    "conditions/{id}": {"GET": account().absent},
    "calibration-kinds": {"GET": account()},
    "calibration-parameters": {"GET": account()},
    "detector-units": {"GET": account(), "POST": somewhere("keep the calibration constants").late},
    "detector-units/{name}": {"GET": account().absent, "PATCH": account().absent},
    "detectors": {"GET": account()},
    "detectors/{identifier}": {"GET": account().absent},
    "detectors/{identifier}/units": {"GET": account().absent},
    "constants": {"GET": account(), "POST": somewhere("keep the calibration constants").late},
    "constants/select": {"POST": account()},
    "constants/{id}": {
        "GET": account().absent,
        "PATCH": account().absent,
    },
    "constants/{id}/runs": {"GET": account().absent},
    "events": {"GET": account()},
    "instruments": {"GET": account()},
    "instruments/{identifier}": {"GET": account().absent},
    "cycles": {"GET": account()},
    "experiment-types": {"GET": account()},
    "techniques": {"GET": account()},
    "jobs": {"GET": account()},
    "jobs/{id}": {"GET": see},
    "jobs/{id}/retry": {"POST": on("hold, retry and cancel jobs")},
    "jobs/{id}/hold": {"POST": on("hold, retry and cancel jobs", **WHY)},
    "jobs/{id}/cancel": {"POST": on("hold, retry and cancel jobs", **WHY)},
    "stores": {"GET": account()},
    "me": {"GET": account()},
    "health": {"GET": everybody()},
    "problems/{slug}": {"GET": everybody().absent},
    "openapi.json": {"GET": everybody()},
    "docs": {"GET": everybody()},
}
