"""The story of a run as steps: what was done in one go is one step, with how long it took and why.

Pure: made from entries of the journal, jobs and what is known of the run, all read before. An entry
is never lost: what is no part of a larger step is a step of its own.
"""

from runs.story.ahead import Ahead, ahead
from runs.story.compose import compose
from runs.story.steps import Place, Step, Taken

__all__ = ["Ahead", "Place", "Step", "Taken", "ahead", "compose"]
