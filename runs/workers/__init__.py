"""The work that moves of runs, replicas and calibrations start."""

from runs import notices
from runs.workers import calibrations, contents, copies, packages, removals

__all__ = ["calibrations", "contents", "copies", "notices", "packages", "removals"]
