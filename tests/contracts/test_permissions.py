"""Every address × every role × every method, from the URL configuration itself, against the table
in `permission_table`. A new address fails here until it has a row there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection

from catalogue.faces.mymdc import calcat, metadata
from tests.contracts import permission_table as table
from tests.contracts.permission_world import NOW, Asker, Program, World, outcome, routes, short
from tests.factories import Facility

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# Addresses with a table of their own below, or with none to have.
ELSEWHERE = (
    "admin/",  # Django's own views: test_the_reference_tables
    "^",  # the legacy API: test_the_legacy_api; its tokens: test_oauth
    "api/oauth/token",
)
NOWHERE = ("api/v1/", "api/")  # what is left below them: not found, for everybody

SITE = {short(route): pattern for route, pattern in routes()}
PAGES = {s for s in SITE if not s.startswith(("api/", *ELSEWHERE))}
API = {s.removeprefix("api/v1/") for s in SITE if s.startswith("api/v1/") and s not in NOWHERE}


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    for name, there, rows in (("PAGES", PAGES, table.PAGES), ("API", API, table.API)):
        assert not there - rows.keys(), (
            f"New address: add a row to {name} in tests/contracts/permission_table.py, which says "
            f"who gets what there by which method, for {sorted(there - rows.keys())}"
        )
        assert not rows.keys() - there, f"No such address any more: {sorted(rows.keys() - there)}"


@pytest.fixture
def world(facility: Facility) -> World:
    return World(facility)


# What no address serves is refused before anybody is looked at, and before the database is asked:
# on PostgreSQL, where each cell costs more, these stand for all of them. (SQLite has them all.)
FOR_ALL = ("visitor", "stranger", "data manager", "service")


def _is_left_out(role: str, rule: table.Rule | None) -> bool:
    return rule is None and role not in FOR_ALL and connection.vendor == "postgresql"


def _cells(
    world: World, rows: dict[str, table.Row], ask: Callable[[Asker, str, str, dict[str, Any]], Any]
) -> tuple[list[str], Counter[str]]:
    """What is not as the table has it, and how many cells came out how."""
    wrong: list[str] = []
    seen: Counter[str] = Counter()
    for role in table.ROLES:
        asker = Asker(world, role)
        for address, row in rows.items():
            for method in METHODS:
                rule = row.get(method)
                if method == "HEAD":
                    # Frameworks answer it where they answer GET; one of our own may not.
                    rule = row.get("HEAD", row.get("GET"))
                if method == "OPTIONS" and "OPTIONS" not in row:
                    continue  # tells which methods there are, to whom may know of the address
                if _is_left_out(role, rule):
                    continue
                answer = ask(asker, method, address, rule.body if rule is not None else {})
                got = outcome(answer)
                if rule is not None and rule.after_values and answer.status_code == 422:
                    got = rule.expects(role)
                want = _expected(rule, role, address)
                seen[got] += 1
                if got not in want:
                    wrong.append(
                        f"{role}: {method} {address} is {got} ({answer.status_code}), "
                        f"not {' or '.join(sorted(want))}: {answer.content[:160]!r}"
                        if not answer.streaming else f"{role}: {method} {address} is {got}"
                    )  # fmt: skip
    return wrong, seen


def _expected(rule: table.Rule | None, role: str, address: str) -> set[str]:
    if rule is not None and not address.startswith("sign-in/openid"):
        return {rule.expects(role)}
    if address == "sign-in" and role != "visitor":
        return {"ok"}  # led on, whatever they send
    if address.startswith("sign-in/openid"):
        return {"not so", "who", "ok"}  # the library's; back to signing in, whatever comes
    # Nothing is served by this method; some ask first who it is.
    return {"not so", "who"} if role == "visitor" else {"not so"}


def _tell(name: str, seen: Counter[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = ", ".join(f"{n} {what}" for what, n in seen.most_common())
    with capsys.disabled():
        print(f"\n{name}: {seen.total()} cells ({words}), none unexpected")


@pytest.mark.django_db
def test_pages(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def ask(asker: Asker, method: str, address: str, body: dict[str, Any]) -> Any:
        return asker.page(method, "/" + world.address(address), body)

    for program in ("service", "service without scopes"):
        world.users[program] = None  # programs have no browser: visitors here
    people = {r: v for r, v in table.ROLES.items() if not r.startswith("service")}
    with time_machine.travel(NOW, tick=False), pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "ROLES", people)
        wrong, seen = _cells(world, table.PAGES, ask)
    assert not wrong, "\n".join(wrong)
    _tell("Pages", seen, capsys)


@pytest.mark.django_db
def test_the_api(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def ask(asker: Asker, method: str, address: str, body: dict[str, Any]) -> Any:
        return asker.call(method, "/api/v1/" + world.address(address), body)

    with time_machine.travel(NOW, tick=False):
        wrong, seen = _cells(world, table.API, ask)
    assert not wrong, "\n".join(wrong)
    _tell("API", seen, capsys)


ADMIN = sorted(
    short(route)
    for route, _ in routes()
    if route.startswith("admin/") and "^" not in route and "(?P" not in route
)
# By the first part of a table's address: what keeps it. Everything else is a data manager's.
KEPT_BY = {"ground/cycle": "keep people and cycles"}
# Changed by superusers only, looked at by those who keep people.
GUARDED = ("ground/user", "ground/appointment")
# Django's own: signing in and out, and one's own password.
FREE = ("login/", "logout/", "password_change", "jsi18n/", "autocomplete/", "r/")


@pytest.mark.django_db
def test_the_reference_tables(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The flag that lets somebody in gives nothing; what one sees there is asked of the rules."""
    wrong, seen = [], Counter[str]()
    people = [r for r in table.ROLES if not r.startswith("service")]
    flagged = {"staff flag", "user office", "data manager"}
    if connection.vendor == "postgresql":
        people = ["visitor", "stranger", "principal investigator", *flagged]
    for role in people:
        asker = Asker(world, role)
        for address in ADMIN:
            tail = address.removeprefix("admin/")
            if tail.startswith(FREE) or tail == "":
                continue
            path = "/" + re.sub(r"\{(object_id|id)\}", _a_row(tail), address)
            for method in ("GET", "POST", "PUT", "DELETE"):
                answer = asker.page(method, path, {})
                got = outcome(answer)
                if answer.status_code == 302 and answer["Location"] == "/admin/":
                    got = "none"  # of a row that is not there it is led back
                seen[got] += 1
                want = _of_a_table(role, method, tail) if role in flagged else {"who"}
                if got not in want:
                    wrong.append(f"{role}: {method} {address} is {got}, not {sorted(want)}")
    assert not wrong, "\n".join(wrong)
    _tell("Reference tables", seen, capsys)


def _a_row(tail: str) -> str:
    """The id of a row of the table that an address leads to; that of none where it is empty."""
    app, _, rest = tail.partition("/")
    model = apps.get_model(app, rest.partition("/")[0]) if app and rest else None
    row = model._base_manager.order_by("pk").first() if model is not None else None
    return str(row.pk) if row is not None else "999999"


def _of_a_table(role: str, method: str, tail: str) -> set[str]:
    """What somebody with the flag may get at an address of a reference table."""
    guarded = tail.startswith(GUARDED)
    key = next((k for k in KEPT_BY if tail.startswith(k)), "")
    needs = "keep people and cycles" if guarded else KEPT_BY.get(key, "administer")
    may = needs in table.EVERYWHERE.get(role, frozenset())
    changes = tail.endswith(("add/", "delete/", "password/")) or method != "GET"
    want = {"ok", "none", "not so"} if may and not (guarded and changes) else {"no"}
    if tail.endswith("{object_id}/"):
        want |= {"ok"}  # only leads on to the row's form
    if tail.endswith("history/"):
        want |= {"none"}  # of a row that is not there
    if tail.startswith("ground/datakind") and tail.endswith("delete/"):
        want |= {"no"}  # the kinds that the code knows stay
    if guarded and may:
        want |= {"no", "ok", "not so"} if not changes else {"ok"}
    return want


# ---------------------------------------------------------------- the legacy API

# Rows that belong to proposals: what is not one's own is not there, in no list and by no id.
OF_PROPOSALS = {
    "proposals", "proposals_users", "beamtimes", "experiments", "samples",
    "data_management_plans", "proposals_techniques", "remote_devices", "runs", "data_groups",
    "data_groups_repositories", "data_files", "dataset_files", "parameters", "reports",
    "dark_runs", "digital_object_identifiers", "users",
}  # fmt: skip
# Everybody whose program may call reads them.
COMMON = {
    "data_group_types", "data_types", "experiment_types", "facilities", "instrument_types",
    "parameter_types", "sample_types", "topics", "units", "techniques", "repositories",
    "instruments", "instrument_cycles", "me", "sessions", "ldap_import", "data_source_groups",
    "data_source_group_versions", "detector_types", "detectors", "physical_detector_units",
    "calibrations", "conditions", "calibration_constants", "calibration_constant_versions",
}  # fmt: skip
TREES = {"metadata": metadata, "calibration": calcat}


def _legacy() -> list[tuple[str, str]]:
    return [
        (tree, str(p.pattern).removeprefix("^").removesuffix("/?$"))
        for tree, module in TREES.items()
        for p in module.urls()
    ]


def test_every_legacy_address_is_in_a_group() -> None:
    new = {path.partition("/")[0] for _, path in _legacy()} - OF_PROPOSALS - COMMON
    assert not new, (
        f"New resource of the legacy API: add {sorted(new)} to OF_PROPOSALS (rows that belong to "
        "proposals) or COMMON in tests/contracts/test_permissions.py"
    )


@pytest.mark.django_db
def test_the_legacy_api(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Ids are those of the proposal that is asked about. Who does not know it is told of nothing
    that belongs to it, and nobody changes what they may not."""
    wrong, seen = [], Counter[str]()
    secrets = (world.proposal.title, world.run.proposal.folder)
    with time_machine.travel(NOW, tick=False):
        staff = Program(world, world.users["data manager"], "metadata")
        ids = _ids(staff, world)
        for role, permissions in table.ROLES.items():
            user = world.users[role]
            if user is None or user.is_service:
                continue
            programs = {tree: Program(world, user, tree) for tree in TREES}
            for tree, pattern in _legacy():
                resource = pattern.partition("/")[0]
                path = _filled(pattern, world, ids.get(resource, 999_999))
                own = tree == "metadata" and resource in OF_PROPOSALS
                for method in ("GET", "POST", "PUT", "DELETE"):
                    answer = programs[tree].call(method, path)
                    got = outcome(answer)
                    seen[got] += 1
                    knows = table.SM in permissions
                    problem = _legacy_problem(
                        method, path, got, answer, knows, own, secrets, permissions
                    )
                    if problem:
                        wrong.append(f"{role}: {method} {tree}/{path} {problem}")
    assert not wrong, "\n".join(wrong)
    _tell("Legacy API", seen, capsys)


def _legacy_problem(
    method: str, path: str, got: str, answer: Any, knows: bool, own: bool,
    secrets: tuple[str, ...], permissions: frozenset[str],
) -> str:  # fmt: skip
    text = answer.content.decode()
    if got in ("who", "fault"):
        return f"is {answer.status_code}"
    if own and not knows:
        if any(secret in text for secret in secrets):
            return f"tells of it: {text[:200]}"
        row = any(part.isdigit() for part in path.split("/"))
        changed = method != "GET" and answer.status_code in (200, 201, 204)
        if row and "users/" not in path and got == "ok" and method == "GET":
            return f"is {answer.status_code}: {text[:200]}"
        if changed and text not in ("[]", "") and '"deleted":0' not in text:
            return f"did something: {answer.status_code} {text[:200]}"
    if method == "DELETE" and answer.status_code in (200, 204) and not permissions:
        return "deleted something"
    return ""


def _ids(staff: Program, world: World) -> dict[str, int]:
    """The first row of each resource that belongs to the proposal."""
    found = {}
    for resource in OF_PROPOSALS - {"users"}:
        rows = staff.call("GET", f"{resource}?page_size=500").json()
        of = [r for r in rows if r.get("proposal_id", world.proposal.pk) == world.proposal.pk]
        if of:
            found[resource] = of[0]["id"]
    found["proposals"] = world.proposal.pk
    found["runs"] = world.run.pk
    return found


def _filled(pattern: str, world: World, pk: int) -> str:
    values = {"pk": pk, "number": world.proposal.number, "run": world.run.number,
              "uid": world.leader.username, "topic": 1}  # fmt: skip
    filled = re.sub(r"\(\?P<(\w+)>[^)]*\)", lambda m: str(values[m[1]]), pattern)
    filled = re.sub(r"\(\?:_daq_info\)\?", "", filled)
    number, run = world.proposal.number, world.run.number
    asked = ("runs_by_proposal", "all_raw_data_groups_ids", "search_", "run_influxdb")
    if any(part in filled for part in asked):
        filled += f"?proposal_number={number}&run_number={run}"
    return filled
