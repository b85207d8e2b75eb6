"""Work as rows: asked for in a transaction, claimed by lease, hinted over the broker, swept."""

from catalogue.ground.jobs.lease import (
    Lease,
    claim,
    extend,
    holds,
    is_held,
    lapse_expired,
    spent,
    tell_end,
    tell_silence,
)
from catalogue.ground.jobs.outbox import Wanted, cancel_waiting, dispatch, due, enqueue

__all__ = [
    "Lease",
    "Wanted",
    "cancel_waiting",
    "claim",
    "dispatch",
    "due",
    "enqueue",
    "extend",
    "holds",
    "is_held",
    "lapse_expired",
    "spent",
    "tell_end",
    "tell_silence",
]
