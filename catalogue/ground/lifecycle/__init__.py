"""The door for state: every change of a state field in the catalogue is made here.

`advance` makes a move, `explain` is its dry run, `when` lets an app attach itself to a move of a
lower one, `performs` names the worker function of a job, `perform` does one job.
"""

from catalogue.ground.lifecycle.control import call_off, hold, retry
from catalogue.ground.lifecycle.door import advance
from catalogue.ground.lifecycle.foresight import explain, explain_many, moves_of
from catalogue.ground.lifecycle.moves import Move
from catalogue.ground.lifecycle.rules import Consequence, attach, guarded_by, rule_of, when
from catalogue.ground.lifecycle.schedule import on_schedule, sweep
from catalogue.ground.lifecycle.work import Outcome, Work, perform, perform_due, performs
from catalogue.ground.lifecycle.world import World
from catalogue.ground.refusal import Refused

__all__ = [
    "Consequence",
    "Move",
    "Outcome",
    "Refused",
    "Work",
    "World",
    "advance",
    "attach",
    "call_off",
    "explain",
    "explain_many",
    "guarded_by",
    "hold",
    "moves_of",
    "on_schedule",
    "perform",
    "perform_due",
    "performs",
    "retry",
    "rule_of",
    "sweep",
    "when",
]
