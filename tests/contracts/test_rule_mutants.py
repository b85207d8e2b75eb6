"""Would it be noticed? Each rule of the three modules of access is broken in one place at a time:
a comparison turned, a condition dropped, "and" for "or", a permission taken from a role; and the
tests have to notice.

The mutants are made of the syntax tree, so that a new line has its mutants without anybody's doing.
Each is put into the module while it runs, and judged by what the tests know without the code: the
table of roles, and who may see what of a proposal where it stands. `-s` prints each with what
noticed it.
"""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
import time_machine
from django.db.models import Q

from catalogue.ground import access as words
from catalogue.ground.actor import VISITOR, Actor
from catalogue.ground.lifecycle import World as Moment
from catalogue.ground.models import Appointment, Doi, Program
from proposals import access
from proposals.models import Membership, Proposal
from runs import access as runs
from runs.models import DataGroup, File, Run
from tests.contracts import permission_table as table
from tests.contracts.permission_world import NOW, SERVICES, World, undone
from tests.factories import Facility

MODULES = (words, access, runs)

# Mutants that change nothing that anybody could see, with the reason.
EQUIVALENT: dict[str, str] = {
    "proposals.access.visible: condition never": "only quicker: who sees all is not asked of each",
    "runs.access.own_proposals: condition never": "the same",
    "catalogue.ground.access.SCOPES: HOLD dropped": "said twice: working on data brings it",
    "catalogue.ground.access._reported: part 1 dropped": "a program acts for an account",
    "catalogue.ground.access._reported: part 2 dropped": "and has scopes",
    "proposals.access.holding: part 2 dropped": "who has it everywhere was answered before",
    "proposals.access.allowed_on: condition never": "only quicker, for the catalogue itself",
    "proposals.access.rule: 'roles' dropped": "a name for a place in a memo",
    "proposals.access._proposal_of: 'data_group' dropped": "its number leads there too",
    "proposals.access._proposal_of: 'run' dropped": "the same",
    "proposals.access._proposal_of: 'proposal' dropped": "the same",
    "proposals.access._proposal_of: condition never": "the same",
    "proposals.access._proposal_of: 'number' dropped": "a name for a place in a memo",
    "runs.access.groups_in: run dropped": "a group's run type is of the proposal of its run",
}

SWAPS: dict[type, type] = {
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.GtE: ast.Gt, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.Lt: ast.LtE, ast.And: ast.Or, ast.Or: ast.And, ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr, ast.Sub: ast.BitOr,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One module with one thing changed; `said` names the place and what was changed."""

    module: ModuleType
    said: str
    tree: ast.Module

    def __enter__(self) -> None:
        _run(self.tree, self.module)

    def __exit__(self, *_: object) -> None:
        _run(ast.parse(inspect.getsource(self.module)), self.module)


def _run(tree: ast.Module, module: ModuleType) -> None:
    code = compile(tree, module.__file__ or "", "exec")
    exec(code, module.__dict__)  # noqa: S102 - a module of ours, broken on purpose


Change = tuple[str, Callable[[Any], None]]


def changes(node: ast.AST) -> Iterator[Change]:  # noqa: C901 - one branch for each kind of node
    """What can be broken at this node, each as words and an act on the node of a copy."""
    if isinstance(node, ast.Compare | ast.BoolOp | ast.BinOp):
        yield from _swaps(node)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        yield "negation dropped", lambda n: _become(n, n.operand)
    if isinstance(node, ast.IfExp):
        yield "branches swapped", _other_way
    if isinstance(node, ast.Set | ast.Tuple | ast.List) and len(node.elts) > 1:
        for place, one in enumerate(node.elts):
            if isinstance(one, ast.Name | ast.Constant | ast.Attribute):
                yield f"{ast.unparse(one)} dropped", lambda n, at=place: n.elts.pop(at)
    if isinstance(node, ast.Call):
        yield from _conditions(node)
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant):
        value = node.value.value
        if isinstance(value, bool):
            yield f"{not value} returned", lambda n: setattr(n.value, "value", not n.value.value)
    if isinstance(node, ast.If):
        yield "condition never", lambda n: setattr(n, "test", ast.Constant(False))
        yield "condition always", lambda n: setattr(n, "test", ast.Constant(True))


def _swaps(node: ast.Compare | ast.BoolOp | ast.BinOp) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        other = SWAPS.get(type(node.ops[0]))
        if other:
            yield (
                f"{type(node.ops[0]).__name__} -> {other.__name__}",
                (lambda n: n.ops.__setitem__(0, other())),
            )
        return
    other = SWAPS.get(type(node.op))
    if other:
        yield f"{type(node.op).__name__} -> {other.__name__}", lambda n: setattr(n, "op", other())
    if isinstance(node, ast.BoolOp):
        for place in range(len(node.values)):
            yield f"part {place + 1} dropped", lambda n, at=place: _without(n, at)


def _without(node: ast.BoolOp, place: int) -> None:
    node.values.pop(place)
    if len(node.values) == 1:
        _become(node, node.values[0])


def _conditions(node: ast.Call) -> Iterator[Change]:
    """Of a query's condition each part is dropped in turn, and bounds are moved by one."""
    name = ast.unparse(node.func)
    if not (name == "Q" or name.endswith((".filter", ".Q"))):
        return
    for place, one in enumerate(node.keywords):
        if one.arg is not None:
            yield f"{one.arg} dropped", lambda n, at=place: n.keywords.pop(at)
        if one.arg is not None and one.arg.endswith("__gte"):
            yield (
                f"{one.arg} by one",
                (lambda n, at=place: setattr(n.keywords[at], "arg", n.keywords[at].arg[:-1])),
            )
        if isinstance(one.value, ast.Constant) and isinstance(one.value.value, bool):
            yield (
                f"{one.arg} turned",
                (
                    lambda n, at=place: setattr(
                        n.keywords[at].value, "value", not n.keywords[at].value.value
                    )
                ),
            )
    for place, given in enumerate(node.args):
        if len(node.args) + len(node.keywords) > 1 and not isinstance(given, ast.Starred):
            yield f"{ast.unparse(given)[:40]} dropped", lambda n, at=place: n.args.pop(at)


def _other_way(node: ast.IfExp) -> None:
    node.body, node.orelse = node.orelse, node.body


def _become(node: ast.AST, other: ast.AST) -> None:
    node.__class__ = other.__class__  # type: ignore[assignment]
    node.__dict__.clear()
    node.__dict__.update(other.__dict__)


def mutants() -> Iterator[Mutant]:
    """Every mutant of the modules of access."""
    for module in MODULES:
        tree = ast.parse(inspect.getsource(module))
        for place, (node, inside) in enumerate(_nodes(tree)):
            for number, (said, _) in enumerate(changes(node)):
                broken = copy.deepcopy(tree)
                target = _nodes(broken)[place][0]
                list(changes(target))[number][1](target)
                where = f"{module.__name__}.{inside}"
                line = getattr(node, "lineno", 0)
                broken = ast.fix_missing_locations(broken)
                yield Mutant(module, f"{where}: {said} (line {line})", broken)


# What is told of the rules, not decided by them; and lists that nothing is decided by.
NOT_RULES = {
    "SCOPE_WORDS", "PERSONAL_SCOPES", "WORDS", "_refused", "refusal", "require", "VOCABULARY",
    "_VOCABULARY", "__future__",
}  # fmt: skip


def _nodes(tree: ast.Module) -> list[tuple[ast.AST, str]]:
    """The nodes that decide something, each with the name of what it stands in."""
    found = []
    for top in tree.body:
        name = getattr(top, "name", "")
        if isinstance(top, ast.Assign | ast.AnnAssign):
            target = top.targets[0] if isinstance(top, ast.Assign) else top.target
            name = ast.unparse(target)
        if name and name not in NOT_RULES and not isinstance(top, ast.ClassDef):
            body = top.body if isinstance(top, ast.FunctionDef) else [top.value]  # type: ignore[attr-defined]
            found += [(n, name) for part in body for n in ast.walk(part)]
    return found


# ---------------------------------------------------------------- what notices


class Judge:
    """What the tests know of who may what, asked of the rules as they are now."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.proposal = Proposal.objects.select_related("instrument", "doi").get(
            pk=world.proposal.pk
        )
        self.other = (
            Proposal.objects.select_related("instrument").exclude(pk=world.proposal.pk).get()
        )
        self.without_a_run = [
            DataGroup.objects.create(
                experiment=world.facility.experiment(of), kind="RAW", created_at=NOW
            ).pk
            for of in (self.proposal, self.other)
        ]
        self.actors = {role: self._actor(role) for role in table.ROLES}
        self.doi = Doi.objects.create(name="10.5072/x", proposal=self.proposal.number)
        for role, person in world.users.items():
            if role in ("team read", "team work", "deputy"):
                # In force to its last day, whatever the team's.
                Membership.objects.filter(user=person).update(until=access.today())
        Appointment.objects.filter(role="auditor").update(until=access.today())
        self._ended = world.facility.person("data_manager")
        yesterday = access.today() - timedelta(days=1)
        Appointment.objects.filter(user=self._ended).update(until=yesterday)
        self._team_ends_today = self.proposal.memberships.filter(role="pi").get()

    def _actor(self, role: str) -> Actor:
        user = self.world.users[role]
        if user is None:
            return VISITOR
        scopes = frozenset(SERVICES[role]) if role in SERVICES else None
        return Actor.of(user, face="page", scopes=scopes)

    def __call__(self) -> None:
        """Raises AssertionError where the rules are not as they should be."""
        self._as_written()
        self._dates()
        self._tokens()
        self._standings()

    def _as_written(self) -> None:
        for role, permissions in table.ROLES.items():
            actor = self.actors[role]
            assert access.allowed_on(actor, self.proposal) == permissions, f"the table, {role}"
            wide = words.facility_wide(actor, access.today())
            assert wide == table.EVERYWHERE.get(role, frozenset()), f"everywhere, {role}"
            self._stands(role, actor, wide)
            self._listed(role, actor, permissions)
            for permission in (words.SEE_DATA, words.OPERATE, words.RELEASE):
                said = access.rule(Moment(by=actor), permission, self.proposal)
                assert (said is None) == (permission in permissions), f"the door, {role}"
                said = access.rule(Moment(by=actor), permission, self.world.run)
                assert (said is None) == (permission in permissions), f"the door, {role}, run"
        admin = access.rule(Moment(by=self.actors["team work"]), words.ADMINISTER, self._policy())
        assert admin is not None, "the door, of no proposal"
        manager = Moment(by=self.actors["data manager"])
        said = access.rule(manager, words.ADMINISTER, self._policy())
        assert said is None, "the door, of no proposal, for who may everywhere"
        together = Moment(by=self.actors["team work"])
        for other, may in ((self.other, False), (self.proposal, True), (self.other, False)):
            said = access.rule(together, words.ASSESS, other)
            assert (said is None) == may, "the door, several rows together"
        nothing = access.visible(manager.by, []).filter(pk=self.proposal.pk).exists()
        assert not nothing, "offices read before, listed"
        assert not access.allowed_on(manager.by, self.proposal, []), "offices read before"
        assert access.why_not({"x"}, "x", self.proposal) is None, "known already"
        assert access.why_not(set(), "x", self.proposal) is not None, "known already, and not"
        office = access.held_on(self.actors["user office"], self.proposal)
        assert [h.role for h in office] == ["user_office"], "what gives it everywhere"
        approval = self.proposal_approval()
        for role in ("team work", "team read", "stranger"):
            said = access.rule_for_two(Moment(by=self.actors[role]), "x", approval)
            assert (said is None) == (words.HOLD in table.ROLES[role]), "the door, of two"
        approval.permission = words.ASSESS
        for number, may in ((self.other.number, False), (self.proposal.number, True)):
            approval.proposal = number
            said = access.rule_for_two(together, "x", approval)
            assert (said is None) == may, "the door, of two, several together"
        system = replace(VISITOR, system=True)
        assert access.allowed_on(system, self.proposal) == words._VOCABULARY, "the catalogue"

    def _stands(self, role: str, actor: Actor, wide: frozenset[str]) -> None:
        """What is compared before a kept answer is given again."""
        standing = words.standing(actor, access.today())
        here = {what for what in standing if " at " in what}
        assert standing - here == wide, f"where one stands, everywhere, {role}"
        offices = Appointment.objects.filter(user=actor.user, instrument__isnull=False)
        places = set(offices.values_list("instrument", flat=True)) if actor.user else set()
        named = {int(what.rpartition(" at ")[2]) for what in here}
        assert named == places, f"where one stands, at instruments, {role}"

    def _listed(self, role: str, actor: Actor, permissions: frozenset[str]) -> None:
        """The rule for lists, for permissions that differ in who has them."""
        mine = Proposal.objects.filter(pk=self.proposal.pk)
        for permission in (words.SEE_METADATA, words.SEE_DATA, words.ASSESS, words.TEAM,
                           words.OPERATE, words.CONSENT, words.ADMINISTER):  # fmt: skip
            listed = mine.filter(access.holding(actor, permission)).exists()
            assert listed == (permission in permissions), f"the list, {role}, {permission}"
        beside = Q(pk__in=[]) | access.holding(actor, words.SEE_METADATA)
        assert mine.filter(beside).exists() == (words.SEE_METADATA in permissions), "beside others"
        offices = list(words.offices(actor, access.today()))
        held = access.held_on(actor, self.proposal)
        assert held == access.held_on(actor, self.proposal, offices), f"offices read before, {role}"
        groups = runs.visible_groups(actor).filter(pk__in=self.without_a_run)
        seen = set(groups.values_list("pk", flat=True))
        mine_seen, others_seen = (pk in seen for pk in self.without_a_run)
        assert mine_seen == (words.SEE_METADATA in permissions), f"a group without a run, {role}"
        others = words.SEE_METADATA in access.allowed_on(actor, self.other)
        assert others_seen == others, f"a group without a run of another, {role}"
        own = runs.own_proposals(actor)
        inside = own is None or own.filter(pk=self.proposal.pk).exists()
        assert inside == (words.SEE_METADATA in permissions), f"inside, {role}"

    def _policy(self) -> Any:
        from policies.models import Policy  # why: the models above those under test

        return Policy.objects.first()

    def proposal_approval(self) -> Any:
        from catalogue.ground.models import Approval  # why: as above

        return Approval.objects.get(proposal=self.proposal.number)

    def _dates(self) -> None:
        ended = Actor.of(self._ended, face="page")
        assert access.allowed_on(ended, self.proposal) == frozenset(), "an office that ended"
        for role in ("data manager", "team work"):
            closed = Actor.of(copy.copy(self.world.users[role]), face="page")
            closed.user.is_active = False
            assert access.allowed_on(closed, self.proposal) == frozenset(), "a closed account"
            listed = Proposal.objects.filter(access.holding(closed, words.SEE_METADATA))
            assert not listed.exists(), "a closed account, listed"
        leader = self.actors["principal investigator"]
        for days, may in ((0, True), (-1, False)):
            day = access.today() + timedelta(days=days)
            Proposal.objects.filter(pk=self.proposal.pk).update(team_until=day)
            row = Proposal.objects.get(pk=self.proposal.pk)
            assert bool(access.allowed_on(leader, row)) == may, "the team's last day"
            listed = access.visible(leader).filter(pk=row.pk).exists()
            assert listed == may, "the team's last day, listed"
        day = access.today() + timedelta(days=99)
        Proposal.objects.filter(pk=self.proposal.pk).update(team_until=day)

    def _tokens(self) -> None:
        manager, program = self.actors["data manager"], Program(name="x")
        reads = replace(manager, scopes=frozenset({"read"}))
        seen = {words.SEE_METADATA, words.SEE_DATA, words.SEE_JOURNAL}
        assert access.allowed_on(reads, self.proposal) == seen | {words.EXPLAIN}, "a token"
        agrees = replace(manager, scopes=frozenset({"write"}))
        may = access.allowed_on(agrees, self.proposal)
        assert {words.RELEASE, words.WITHDRAW, words.POLICY} <= may, "a person's token"
        consents = replace(self.actors["principal investigator"], scopes=frozenset({"write"}))
        assert words.CONSENT in access.allowed_on(consents, self.proposal), "a leader's token"
        alone = replace(self.actors["stranger"], scopes=frozenset({"daq", "adopt"}))
        assert not access.allowed_on(alone, self.proposal), "people's tokens report nothing"
        through = replace(reads, through=program)
        assert access.allowed_on(through, self.proposal) == seen, "a program for a person"
        everything = replace(manager, scopes=frozenset(words.SCOPES), through=program)
        takes_people = {words.RELEASE, words.CONSENT, words.WITHDRAW, words.POLICY, words.EXPLAIN}
        may = access.allowed_on(everything, self.proposal)
        assert not may & takes_people, "what takes a person"
        assert {words.DAQ, words.TRANSFER, words.ADOPT, words.CONSTANTS} <= may, "reports"
        for scope, gives in (
            ("daq", {words.DAQ, words.SEE_METADATA}),
            ("transfer", {words.TRANSFER, words.SEE_METADATA}),
            ("adopt", {words.ADOPT, words.SEE_METADATA}),
            ("calibrate", {words.CONSTANTS}), ("write", set()), ("administer", set()),
            ("read", set()), ("assess", set()),
        ):  # fmt: skip
            of = self.actors["stranger"]
            one = replace(of, scopes=frozenset({scope}), through=program)
            assert access.allowed_on(one, self.proposal) == gives, f"reporting by {scope}"
            service = replace(self.actors["service"], scopes=frozenset({scope}))
            found = access.allowed_on(service, self.proposal)
            assert found == SERVICE[scope], f"a service account, {scope}"
            listed = access.visible(one).filter(pk=self.proposal.pk).exists()
            assert listed == (words.SEE_METADATA in gives), f"reporting by {scope}, listed"
        gone = replace(self.actors["service"])
        gone.user.is_active = False
        try:
            assert not access.allowed_on(gone, self.proposal), "a closed service account"
            closed = replace(gone, user=self.world.users["stranger"], through=program,
                             scopes=frozenset({"daq"}))  # fmt: skip
            closed.user.is_active = False
            assert not access.allowed_on(closed, self.proposal), "a program for a closed account"
        finally:
            gone.user.is_active = self.world.users["stranger"].is_active = True

    def _standings(self) -> None:
        """Who may see what of the proposal wherever it stands, told here once more."""
        run, file = self.world.run, File.objects.filter(data_group__run=self.world.run).first()
        good = {"state": "FR", "kind": "commissioning", "access": "open", "withdrawn_at": None}
        ways: list[tuple[dict[str, Any], str, dict[str, Any], bool, bool]] = [
            ({}, "findable", {}, True, True),
            ({"state": "WCLD"}, "findable", {}, True, True),
            ({"state": "CLO"}, "findable", {"quality": "unclear"}, True, True),
            ({"state": "F"}, "findable", {}, False, False),
            ({"kind": "test"}, "findable", {}, False, False),
            ({}, "registered", {}, False, False),
            ({"withdrawn_at": NOW}, "findable", {}, False, False),
            ({"access": "embargoed"}, "findable", {}, True, False),
            ({}, "findable", {"quality": "not_interesting"}, True, False),
            ({}, "findable", {"quality": "", "assessed_at": None}, True, False),
            ({}, "findable", {"withdrawn_at": NOW}, True, False),
        ]
        for facts, doi, of_run, public, is_open in ways:
            Doi.objects.filter(pk=self.doi.pk).update(state=doi)
            Proposal.objects.filter(pk=self.proposal.pk).update(
                **{**good, **facts}, doi=self.doi, released_at=NOW
            )
            fresh = {"quality": "good", "assessed_at": NOW, "withdrawn_at": None, **of_run}
            Run.objects.filter(pk=run.pk).update(**fresh)
            self._standing(public, is_open, run.pk, file.pk, f"{facts} {doi} {of_run}")
        Proposal.objects.filter(pk=self.proposal.pk).update(state="A", access="embargoed", doi=None)

    def _standing(self, public: bool, is_open: bool, run: int, file: int, said: str) -> None:
        row = Run.objects.select_related("proposal__doi", "proposal__instrument").get(pk=run)
        one = File.objects.select_related("data_group__run__proposal__doi").get(pk=file)
        for role in ("visitor", "stranger", "other team", "user office", "team read"):
            actor = self.actors[role]
            known, reads = table.SM in table.ROLES[role], table.SD in table.ROLES[role]
            seen = access.visible(actor).filter(pk=self.proposal.pk).exists()
            assert seen == (public or known), f"public, {role}: {said}"
            readable = runs.readable(actor).filter(pk=run).exists()
            assert readable == (is_open or reads), f"open, {role}: {said}"
            assert runs.may_read_data(actor, row) == readable, f"open, one, {role}: {said}"
            there = runs.visible(actor).filter(pk=run).exists()
            assert there == (is_open or known), f"a run, {role}: {said}"
            assert runs.may_read_file(actor, one) == readable, f"a file, {role}: {said}"
            one.data_group.kind = "UNK"
            assert runs.may_read_file(actor, one) == reads, f"other data, {role}: {said}"
            one.data_group.kind = "PROC"
            assert runs.may_read_file(actor, one) == readable, f"PROC, {role}: {said}"
            one.data_group.kind = "RAW"
            groups = runs.visible_groups(actor).filter(pk=one.data_group_id).exists()
            assert groups == known, f"a data group, {role}: {said}"


_SEES = {words.SEE_METADATA, words.SEE_DATA, words.SEE_JOURNAL}
SERVICE = {
    "read": _SEES, "daq": _SEES | {words.DAQ, words.EDIT}, "assess": _SEES | {words.ASSESS},
    "calibrate": _SEES | {words.CALIBRATE, words.CONSTANTS}, "transfer": _SEES | {words.TRANSFER},
    "adopt": _SEES | {words.ADOPT}, "administer": _SEES | {words.ADMINISTER},
    "write": table.CHIEF | {words.PROLONG},
}  # fmt: skip


@pytest.mark.rules
@pytest.mark.django_db
def test_every_broken_rule_is_noticed(
    facility: Facility, capsys: pytest.CaptureFixture[str]
) -> None:
    with time_machine.travel(NOW, tick=False):
        judge = Judge(World(facility))
        judge()
        told, left = [], []
        for mutant in mutants():
            try:
                with undone(), mutant:
                    judge()
            except Exception as noticed:  # noqa: BLE001 - whatever it breaks, it is noticed
                told.append((mutant.said, f"{type(noticed).__name__}: {noticed}".split("\n")[0]))
            else:
                left.append(mutant.said)
        judge()
    for said, noticed in told:
        print(f"{said}\n    {noticed[:140]}")
    with capsys.disabled():
        print(f"\nMutants of the rules: {len(told)} noticed, {len(left)} change nothing")
    unknown = [said for said in left if said.partition(" (line")[0] not in EQUIVALENT]
    assert not unknown, "Nothing notices:\n" + "\n".join(unknown)
