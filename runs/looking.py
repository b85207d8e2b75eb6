"""The verb by which the files of a run are looked into once more."""

from __future__ import annotations

from django.db import transaction

from catalogue.ground import access as words
from catalogue.ground import journal
from catalogue.ground.actor import Actor
from catalogue.ground.jobs import enqueue
from catalogue.ground.refusal import Refused
from proposals import access
from runs import contents, plans
from runs.models import Run


@transaction.atomic
def look_again(run: Run, *, by: Actor) -> int:
    """Find sources and trains, and make the pictures, of a closed run anew. How many kinds of data
    are looked into."""
    access.require(by, words.CALIBRATE, run.proposal)
    row = Run.objects.select_for_update(of=("self",)).select_related("proposal").get(pk=run.pk)
    refusal = why_not(row)
    if refusal is not None:
        raise refusal
    groups = [g for g in row.data_groups.all() if contents.is_worth_looking(g)]
    journal.write(row, "look again", by=by, facts={"kinds": [g.kind for g in groups]})
    enqueue([plans.look_into(g, again=True) for g in groups], by=by)
    return len(groups)


def why_not(run: Run) -> Refused | None:
    """Why the files of a run cannot be looked into now, or None."""
    if run.status == Run.Status.OPEN:
        return Refused(f"{run.label[:1].upper()}{run.label[1:]} is still open.", kind="state")
    if not any(contents.is_worth_looking(g) for g in run.data_groups.all()):
        return Refused("No store holds a copy of its raw or corrected data that can be read.")
    return None
