"""What teams are told of their data: copies that are announced to go, calibrations that failed."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, Min

from catalogue.ground import access as words
from catalogue.ground import calendar, clock
from catalogue.ground.actor import Actor
from catalogue.ground.jobs import Wanted
from catalogue.ground.lifecycle import Outcome, Work, World, performs
from catalogue.ground.models import Notice
from catalogue.ground.notices import Told, Window
from catalogue.ground.totals import BigSum
from catalogue.ground.words import bytes_text, count_text
from proposals import letters
from proposals import notices as about
from runs.models import Calibration, Replica

REMOVAL, FAILURE = "removal", "failure"
_LISTED = 10


def _announced(replica: Replica, world: World) -> Iterable[Wanted]:
    if replica.data_group.run_id is not None:
        proposal = replica.data_group.run.proposal
        yield letters.gathered("runs.tell_removal", proposal, str(proposal.number), world.now)


@performs("runs.tell_removal", plan=_announced)
def tell_removal(work: Work) -> Outcome:
    """Tell the team which of their copies are announced to go, all of one judgement together."""
    return _tell(work, REMOVAL, words.SEE_DATA)


def _failed(calibration: Calibration, world: World) -> Iterable[Wanted]:
    proposal = calibration.run.proposal
    yield letters.gathered("runs.tell_failure", proposal, str(proposal.number), world.now)


@performs("runs.tell_failure", plan=_failed)
def tell_failure(work: Work) -> Outcome:
    """Tell those of the team who may ask again which calibrations failed."""
    return _tell(work, FAILURE, words.CALIBRATE)


def _tell(work: Work, kind: str, permission: str) -> Outcome:
    proposal = about.proposal_of(work.job.proposal)
    window = {name: work.job.params[name] for name in ("begin", "end")}
    people = about.team_with(proposal, permission) if proposal is not None else []
    return letters.tell(work, kind, lambda: people, **window)


def told_removal(notice: Notice, actor: Actor) -> Told | None:
    """The copies whose removal was announced in the window of the notice; those that are kept
    after all are not among them."""
    proposal = about.known_to(notice, actor, words.SEE_DATA)
    if proposal is None:
        return None
    window = Window.of(notice.facts)
    found = Replica.objects.filter(
        data_group__run__proposal=proposal, notice_at__gte=window.begin, notice_at__lt=window.end
    ).aggregate(
        copies=Count("pk"),
        runs=Count("data_group__run", distinct=True),
        bytes=BigSum("data_group__bytes", default=0),
        first=Min("remove_at"),
    )
    if not found["copies"]:
        return None
    when = calendar.say_when(found["first"], clock.facility_zone())
    copies = count_text(found["copies"], "copy", "copies")
    text = (
        f"{copies} ({bytes_text(found['bytes'])}) of {count_text(found['runs'], 'run')} of "
        f"{about.name_of(proposal)}, {'is' if found['copies'] == 1 else 'are'} announced for "
        f"removal, the first on {when} ({clock.facility_zone().key}). Why, and until when the "
        "others are kept, stands on the page of each run. To keep them, mark the runs anew or "
        "place a hold with a reason."
    )
    path = f"/proposals/{proposal.number:06d}/holds"
    return Told(f"{proposal.folder}: {copies} will be removed", text, path)


def told_failure(notice: Notice, actor: Actor) -> Told | None:
    """The calibrations that failed in the window of the notice and were not asked for again."""
    proposal = about.known_to(notice, actor, words.CALIBRATE)
    if proposal is None:
        return None
    window = Window.of(notice.facts)
    failed = (
        Calibration.objects.filter(
            run__proposal=proposal, state=Calibration.State.FAILED,
            finished_at__gte=window.begin, finished_at__lt=window.end,
        )
        .select_related("run__proposal", "detector")
        .order_by("run__number", "pk")
    )  # fmt: skip
    count = failed.count()
    if not count:
        return None
    lines = [
        f"- run {c.run.number:04d}, {c.detector}: {' '.join(c.reason.split())[:300]}"
        for c in failed[:_LISTED]
    ]
    if count > _LISTED:
        lines.append(f"- and {count - _LISTED} more")
    text = (
        f"{count_text(count, 'calibration')} of {about.name_of(proposal)}, failed:\n\n"
        + "\n".join(lines)
        + "\n\nThe raw data are not touched by this. It can be asked for again on the run's page."
    )
    path = f"/proposals/{proposal.number:06d}/runs"
    if count == 1:
        path += f"/{failed[0].run.number:04d}"
    return Told(f"{proposal.folder}: {count_text(count, 'calibration')} failed", text, path)
