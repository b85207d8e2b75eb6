"""How the moves of copies and calibrations are told."""

from __future__ import annotations

from runs.story.steps import Act, Rule

_TRASHED = Rule("{kind} removed from {where}", "trash", "warn", "Removal")

COPIES: dict[str, Act] = {
    "copy": Act(Rule("{kind} is being copied to {where}", "copying", "busy"), begins="copy"),
    "verify": Act(
        Rule("{kind} copied to {where} and read back", "box", "good", lines=("{size}",)),
        ends="copy",
        alone=Rule("{kind} read back {there}, whole", "box", "good", "Copies", ("{size}",)),
    ),
    "take_back": Act(Rule("Copy of {kind} to {where} taken back", "cross"), ends="copy"),
    "found_corrupt": Act(
        Rule("The copy of {kind} {there} is corrupt", "alert", "bad", "Copies"), ends="copy"
    ),
    "report_copied": Act(Rule("{kind} reported to be {there}", "half", "busy")),
    "report_lost": Act(Rule("The copy of {kind} {there} is lost", "alert", "bad", "Copies")),
    "outgrow": Act(Rule("The copy of {kind} {there} lacks files", "half", "warn", "Copies")),
    "schedule_removal": Act(
        Rule("Removal of {kind} from {where} announced", "dashed", "warn", "Removal",
             ("for {remove_at}",))
    ),
    "keep": Act(Rule("Removal of {kind} from {where} taken back", "check", "quiet", "Removal")),
    "remove": Act(_TRASHED, begins="removal", alone=_TRASHED),
    "purge": Act(
        Rule("{kind} removed from {where}", "minus", lines=("gone for good {at}",)),
        ends="removal",
        takes=False,
        alone=Rule("{kind} removed from {where} for good", "minus", chapter="Removal"),
    ),
    "restore": Act(
        Rule("{kind} removed from {where}", "minus", lines=("brought back from the trash {at}",)),
        ends="removal",
        takes=False,
        alone=Rule("{kind} brought back from the trash of {where}", "check", chapter="Removal"),
    ),
}  # fmt: skip

CALIBRATIONS: dict[str, Act] = {
    "request": Act(Rule("{what} asked for", "running", "busy"), begins="asked"),
    "begin": Act(Rule("{what} begun", "running", "busy"), begins="asked", line="begun {at}"),
    "hold": Act(
        Rule("{what} waits", "hand", "warn"), begins="asked", line="waited from {at}: {reason}"
    ),
    "ask_again": Act(
        Rule("{what} asked for again", "running", "busy"),
        begins="asked",
        line="asked for again {at} by {by}",
    ),
    "available": Act(Rule("{what} made corrected data", "check", "good"), ends="asked"),
    "finish": Act(Rule("{what} made", "check", "good"), ends="asked"),
    "fail": Act(Rule("{what} failed", "alert", "bad"), ends="asked"),
}
