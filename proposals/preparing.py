"""Preparing a proposal's groups and folders: look, plan, apply. What computes is in `template` and
`differences`; here is what asks the directory, the stores and the tables.

Whoever calls is outside any transaction: looking and applying may take a while.
"""

from __future__ import annotations

import grp
import pwd
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar

from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Store
from catalogue.ports.directory import Directory, directory
from catalogue.ports.outcome import Permanent
from proposals import access, folders, queries, template
from proposals.differences import DIRECTORY, Found, FoundFolder, FoundGroup, Plan, plan
from proposals.models import FolderRule, GroupRule, Membership, Preparation, Proposal

R = TypeVar("R", GroupRule, FolderRule)
P = TypeVar("P")

OVER = (Proposal.State.CLOSED, Proposal.State.CANCELLED)


def current_template(*, in_stores: bool = True) -> template.Template:
    """The template that staff edit; where it has no rows, the usual one. Each row is read as
    strictly as the form takes it, whichever way and under whichever rules it was entered; without
    `in_stores` folders are not read, so that none of them keeps anybody in a group. Raises
    Permanent."""
    groups = tuple(_read(_group, rule) for rule in GroupRule.objects.all())
    found = FolderRule.objects.select_related("store") if in_stores else ()
    rules = tuple(_read(_folder, rule) for rule in found)
    standard = template.STANDARD
    return template.Template(groups or standard.groups, rules or standard.folders)


def _read(pattern: Callable[[R], P], rule: R) -> P:
    try:
        return pattern(rule)
    except Invalid as problem:
        raise Permanent(
            f"The template's rule “{rule}” cannot be followed: {problem.field} {problem.rule}. "
            "Put it right in the reference tables, then retry."
        ) from problem


def _group(rule: GroupRule) -> template.GroupPattern:
    return template.GroupPattern(template.group_pattern(rule.name), rule.data_access)


def _folder(rule: FolderRule) -> template.FolderPattern:
    return template.FolderPattern(
        path=template.folder_path(rule.path),
        mode=template.folder_mode(rule.mode),
        store=rule.store.identifier if rule.store is not None else "",
        group=template.any_group(rule.group),
        acl=template.acl_lines(rule.acl),
    )


def facts(
    proposal: Proposal, stores: Sequence[Store], day: date, written: Sequence[Mapping[str, Any]]
) -> template.Facts:
    """What is known of the proposal today; `written` are the groups that it got so far."""
    team = tuple(
        template.Member(m.user.username, m.data_access)
        for m in queries.team(proposal)
        if has_access(m, proposal, day)
    )
    return template.Facts(
        number=proposal.number,
        instrument=proposal.instrument.identifier,
        path=proposal.path,
        stores=tuple(store.identifier for store in stores),
        team=team,
        is_over=proposal.state in OVER or proposal.withdrawn_at is not None,
        written=tuple(str(group["name"]) for group in written),
    )


def has_access(member: Membership, proposal: Proposal, day: date) -> bool:
    """Whether somebody of the team has access to its data on `day`: the same as
    `access.roles_on` says of them, for a whole team at once."""
    until = member.until or proposal.team_until
    in_force = until is None or until >= day
    return in_force and member.user.is_active and not member.user.is_service


@dataclass(frozen=True, slots=True)
class Look:
    """What is wanted of a proposal, what was found, and the plan that leads from one to the other;
    `stores` by identifier."""

    wanted: template.Wanted
    found: Found
    plan: Plan
    stores: dict[str, Store]


def look(proposal: Proposal, *, groups: bool = True, in_stores: bool = True) -> Look:
    """Look at what is there, and plan. Raises Transient | Permanent."""
    stores = list(queries.stores_to_prepare()) if in_stores else []
    rows = Preparation.objects.filter(proposal=proposal).values_list("groups", flat=True)
    known = facts(proposal, stores, access.today(), rows.first() or [])
    wanted = template.wanted(current_template(in_stores=in_stores), known)
    by_name = {store.identifier: store for store in stores}
    notes: list[str] = []
    there = _groups(directory(), wanted, notes) if groups or wanted.folders else {}
    numbers = _numbers(wanted, there)
    found = Found(
        groups=there if groups else {},
        folders=_folders(wanted, by_name, notes),
        numbers=numbers,
    )
    made = plan(wanted, found)
    return Look(wanted, found, Plan(made.differences, (*notes, *made.notes)), by_name)


def _groups(
    asked: Directory, wanted: template.Wanted, notes: list[str]
) -> dict[str, FoundGroup | None]:
    if not asked.is_there:
        names = ", ".join(group.name for group in wanted.groups)
        notes.append(f"No directory is configured: whether there is {names} is not known.")
        return {}
    there: dict[str, FoundGroup | None] = {}
    for group in wanted.groups:
        known = asked.look(group.name)
        there[group.name] = FoundGroup(known.number, known.members) if known else None
    return there


def _numbers(wanted: template.Wanted, there: dict[str, FoundGroup | None]) -> dict[str, int]:
    """The numbers of all groups and users that folders name: the directory's, else those that this
    machine knows."""
    numbers = {
        name: g.number for name, g in there.items() if g is not None and g.number is not None
    }
    entries = [entry.rsplit(":", 2) for folder in wanted.folders for entry in folder.acl]
    groups = {f.group for f in wanted.folders} | {n for h, n, _ in entries if h.endswith("group")}
    for name in groups - numbers.keys() - {""}:
        try:
            numbers[name] = grp.getgrnam(name).gr_gid
        except KeyError:
            continue
    for name in {n for head, n, _ in entries if head.endswith("user")}:
        try:
            numbers[f"user:{name}"] = pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    return numbers


def _folders(
    wanted: template.Wanted, stores: dict[str, Store], notes: list[str]
) -> dict[tuple[str, str], FoundFolder | None]:
    there: dict[tuple[str, str], FoundFolder | None] = {}
    for folder in wanted.folders:
        store = stores[folder.store]
        try:
            known = folders.mover(store).look_at_folder(folders.place(store, folder.path))
        except Permanent as problem:
            notes.append(f"{store.identifier}: {problem.reason}")
            continue
        there[folder.store, folder.path] = (
            FoundFolder(known.mode, known.group, known.acl) if known is not None else None
        )
    return there


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a plan: the groups as they are now, the folders that were made or changed, and
    in sentences what was not possible."""

    groups: tuple[dict[str, object], ...]
    folders: tuple[str, ...]
    not_done: tuple[str, ...]


def apply_groups(seen: Look, *, all_of_them: bool = False) -> Applied:
    """Bring the groups that differ to what is wanted; `all_of_them` also where no directory could
    be looked at, so that it says what was not written. Raises Transient | Permanent."""
    asked = directory()
    differing = {d.thing for d in seen.plan.differences if d.place == DIRECTORY}
    groups: list[dict[str, object]] = []
    not_done: list[str] = []
    for group in seen.wanted.groups:
        there = seen.found.groups.get(group.name)
        if group.name in differing or (all_of_them and not asked.is_there):
            done = asked.configure(group.name, group.members)
            not_done += done.not_done
            number, members = done.number, done.members
        elif there is not None:
            number, members = there.number, there.members
        else:
            continue
        if asked.is_there:
            groups.append({"name": group.name, "number": number, "members": list(members)})
    return Applied(tuple(groups), (), tuple(not_done))


def apply_folders(seen: Look) -> Iterable[tuple[str, list[str]]]:
    """Make the folders that are missing and bring those that differ to what is wanted, one after
    the other: which, and in sentences what was not possible. Raises Transient | Permanent."""
    differing = {(d.place, d.thing) for d in seen.plan.differences if d.place != DIRECTORY}
    for folder in seen.wanted.folders:
        if (folder.store, folder.path) not in differing:
            continue
        store = seen.stores[folder.store]
        told = folders.mover(store).make_folder(
            folders.place(store, folder.path),
            mode=folder.mode,
            group=seen.found.numbers.get(folder.group),
            acl=_resolved(folder.acl, seen.found.numbers),
        )
        yield f"{folder.store}: {folder.path}", told


def _resolved(acl: tuple[str, ...], numbers: Mapping[str, int]) -> list[str]:
    """The entries with the directory's numbers; what is not known keeps its name, which the mover
    then says it does not know."""
    told = []
    for entry in acl:
        head, name, permissions = entry.rsplit(":", 2)
        key = f"user:{name}" if head.endswith("user") else name
        told.append(f"{head}:{numbers.get(key, name)}:{permissions}")
    return told


def numbered_again(seen: Look, applied: Applied) -> Look:
    """The same look, with the numbers of groups that were made since."""
    fresh = {str(g["name"]): g["number"] for g in applied.groups}
    numbers = {name: n for name, n in fresh.items() if isinstance(n, int)}
    found = replace(seen.found, numbers={**seen.found.numbers, **numbers})
    return replace(seen, found=found)
