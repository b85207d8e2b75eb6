"""The plan of a preparation, as a function of what is wanted and what is there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.ground.inputs import Invalid
from proposals import template
from proposals.differences import Found, FoundFolder, FoundGroup, plan
from proposals.template import STANDARD, Facts, FolderPattern, GroupPattern, Member, Template

FACTS = Facts(
    number=900054, instrument="SPB", path="SPB/202601/p900054", stores=("online", "offline"),
    team=(Member("ada", 2), Member("hk", 1), Member("nobody", 0)), is_over=False,
)  # fmt: skip
GROUP = "x900054-dmgt"


def as_wanted(wanted: template.Wanted) -> Found:
    """A world in which everything is as it should be."""
    numbers = {g.name: 600_000 + n for n, g in enumerate(wanted.groups)}
    groups = {g.name: FoundGroup(numbers[g.name], g.members) for g in wanted.groups}
    folders = {
        (f.store, f.path): FoundFolder(
            f.mode, numbers[f.group],
            tuple(sorted(e.replace(GROUP, str(numbers[GROUP])) for e in f.acl)),
        )
        for f in wanted.folders
    }  # fmt: skip
    return Found(groups, folders, numbers)


def test_the_usual_template_is_what_the_domain_says() -> None:
    wanted = template.wanted(STANDARD, FACTS)
    assert [(g.name, g.members) for g in wanted.groups] == [(GROUP, ("ada", "hk"))]
    modes = {f.path.rpartition("p900054")[2]: f.mode for f in wanted.folders if f.store == "online"}
    assert modes == {
        "": 0o2750, "/raw": 0o2750, "/proc": 0o2750, "/red": 0o2750, "/usr": 0o2770,
        "/scratch": 0o2770,
    }  # fmt: skip
    assert wanted.folders[0].path == "SPB/202601/p900054", "what is above comes first"


def test_nothing_there_means_everything_is_made() -> None:
    wanted = template.wanted(STANDARD, FACTS)
    nothing = Found({GROUP: None}, {(f.store, f.path): None for f in wanted.folders})
    found = plan(wanted, nothing)
    assert [d.what for d in found.differences] == ["missing"] * 13
    assert found.differences[0].act == "Make the group x900054-dmgt with ada, hk."
    assert found.differences[1].act == (
        "Make SPB/202601/p900054 with mode 2750 of the group x900054-dmgt."
    )


def test_each_difference_is_told_apart() -> None:
    rules = Template(
        (GroupPattern(),),
        (FolderPattern("usr", 0o2770, acl=("group:x{number}-dmgt:rwx", "user:12:r-x")),),
    )
    wanted = template.wanted(rules, replace(FACTS, stores=("online",)))
    there = Found(
        {GROUP: FoundGroup(600_000, ("eve", "hk"))},
        {("online", f"{FACTS.path}/usr"): FoundFolder(0o0755, 100, ("user:66:rwx",))},
        {GROUP: 600_000},
    )
    told = {d.what: (d.found, d.wanted, d.act) for d in plan(wanted, there).differences}
    assert told == {
        "members": (
            "eve, hk", "ada, hk", "Add ada to x900054-dmgt. Take eve out of x900054-dmgt.",
        ),
        "group": ("100", "x900054-dmgt (600000)", f"chgrp 600000 {FACTS.path}/usr"),
        "acl": (
            "user:66:rwx", "group:600000:rwx, user:12:r-x",
            "setfacl: group:x900054-dmgt:rwx, user:12:r-x",
        ),
        "mode": ("0755", "2770", f"chmod 2770 {FACTS.path}/usr"),
    }  # fmt: skip


def test_a_closed_one_is_emptied_and_its_folders_are_left() -> None:
    over = template.wanted(STANDARD, replace(FACTS, is_over=True))
    assert (over.groups[0].members, over.folders) == ((), ())
    assert plan(over, Found({GROUP: None})).differences == ()
    (one,) = plan(over, Found({GROUP: FoundGroup(1, ("ada",))})).differences
    assert one.act == "Take ada out of x900054-dmgt."


def test_a_group_that_the_template_no_longer_has_is_emptied() -> None:
    wanted = template.wanted(STANDARD, replace(FACTS, written=("x900054-old", GROUP)))
    assert [(g.name, g.members) for g in wanted.groups] == [
        (GROUP, ("ada", "hk")), ("x900054-old", ()),
    ]  # fmt: skip


def test_a_stores_own_rule_goes_first() -> None:
    rules = Template((), (FolderPattern("raw", 0o2750), FolderPattern("raw", 0o0700, "online")))
    modes = {f.store: f.mode for f in template.wanted(rules, FACTS).folders}
    assert modes == {"online": 0o700, "offline": 0o2750}


PATTERNS = st.lists(
    st.builds(
        FolderPattern,
        path=st.sampled_from(["", "raw", "usr", "usr/Shared"]),
        mode=st.integers(0, 0o2777),
        store=st.sampled_from(["", "online"]),
        acl=st.sampled_from([(), ("group:x{number}-dmgt:r-x",)]),
    ),
    max_size=6,
)


@given(rules=PATTERNS, change=st.sampled_from(["mode", "group", "acl", "gone"]), at=st.integers())
def test_a_world_as_wanted_has_no_plan_and_any_change_of_it_has_one(
    rules: list[FolderPattern], change: str, at: int
) -> None:
    wanted = template.wanted(Template((GroupPattern(),), tuple(rules)), FACTS)
    there = as_wanted(wanted)
    assert plan(wanted, there).differences == ()
    if not wanted.folders:
        return
    key = sorted(there.folders)[at % len(there.folders)]
    now = there.folders[key]
    assert now is not None
    changed = {
        "mode": replace(now, mode=now.mode ^ 0o100),
        "group": replace(now, group=now.group + 1),
        "acl": replace(now, acl=(*(now.acl or ()), "user:7:rwx")),
        "gone": None,
    }[change]
    (difference,) = plan(
        wanted, replace(there, folders={**there.folders, key: changed})
    ).differences
    assert (difference.place, difference.thing) == key
    assert difference.what == ("missing" if change == "gone" else change)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (template.group_pattern, "team"), (template.group_pattern, "X{number}"),
        (template.any_group, "a b"), (template.any_group, "{title}"),
        (template.folder_path, "../raw"), (template.folder_path, "/raw"),
        (template.folder_path, "raw//x"), (template.folder_path, ".trash"),
        (template.folder_mode, "750"), (template.folder_mode, "2758"),
        (template.acl_lines, "group:x:rwx:x"), (template.acl_lines, "mask::rwx"),
        (template.acl_lines, "group:x:rwx\ngroup:x:r-x"), (template.acl_lines, "group:$(id):rwx"),
    ],
)  # fmt: skip
def test_what_a_template_cannot_be(parse, text: str) -> None:
    with pytest.raises(Invalid):
        parse(text)
