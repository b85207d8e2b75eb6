"""Which work a move of a run or a replica means: pure reading, asked by the door and by its dry run
alike. Whether a move starts anything at this facility is said by the routes, which are rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings

from catalogue.ground.jobs import Wanted
from catalogue.ground.lifecycle import Consequence, World
from catalogue.ground.models import Route
from catalogue.ground.words import bytes_text
from runs import contents, queries
from runs.models import Calibration, DarkRequest, DataGroup, Replica, Run

KEPT = (Run.Quality.GOOD, Run.Quality.UNCLEAR)


def migration(run: Run, world: World) -> Iterable[Wanted]:
    """Copies of a closed run that is Good or Unclear, along the routes for migration."""
    if run.status == Run.Status.OPEN or run.quality not in KEPT:
        return
    for group in run.data_groups.all():
        for route in _routes("migrate", world):
            if group.kind == route.kind and _is_ours(route) and _lies_in(group, route):
                yield _copy("runs.migrate", group, route)


migration.reads = ("data_groups__replicas",)  # type: ignore[attr-defined]


def foresee_no_migration(run: Run, world: World) -> Iterable[Consequence]:
    """What is not interesting is not copied on, where the other marks would have it copied."""
    if run.status == Run.Status.OPEN or run.quality in KEPT:
        return
    for group in run.data_groups.all():
        for route in _routes("migrate", world):
            if group.kind == route.kind and _is_ours(route) and _lies_in(group, route):
                yield Consequence(f"{group.kind} is not copied to {route.destination.place}.")


foresee_no_migration.reads = ("data_groups__replicas",)  # type: ignore[attr-defined]


def archiving(replica: Replica, world: World) -> Iterable[Wanted]:
    """Further copies of what has been verified, along the routes for archiving."""
    if replica.state != Replica.State.VERIFIED:
        return
    group = replica.data_group
    if group.run_id is None or group.run.quality == Run.Quality.NOT_INTERESTING:
        return
    for route in _routes("archive", world):
        from_here = route.kind == group.kind and route.source_id == replica.store_id
        if from_here and _is_ours(route) and _lies_in(group, route):
            yield _copy("runs.archive", group, route)


def scan(run: Run, world: World) -> Iterable[Wanted]:
    """A closed run of which no file was registered is looked at on disk."""
    if run.status != Run.Status.OPEN and run.file_count == 0:
        yield Wanted(
            "runs.scan", run, says="No files were registered: its folder is scanned for them."
        )


def removal(replica: Replica, world: World) -> Iterable[Wanted]:
    """The removal that was announced, on its day."""
    yield Wanted(
        "runs.remove_replica",
        replica,
        after=replica.remove_at,
        bytes=replica.bytes or replica.data_group.bytes,
        params={"notice": replica.notice_at.isoformat() if replica.notice_at else ""},
        lane=_way_out(replica),
    )


def _way_out(replica: Replica) -> str:
    """One lane for all that moves a replica's files into the trash, back, and out of it."""
    return f"runs.replica:{replica.pk}:removal"


def purging(replica: Replica, world: World) -> Iterable[Wanted]:
    """The end of the time in the store's trash."""
    after = world.now + timedelta(seconds=replica.store.trash_seconds)
    yield Wanted(
        "runs.purge_replica", replica, after=after, bytes=replica.bytes, lane=_way_out(replica)
    )


def verification(replica: Replica, world: World) -> Iterable[Wanted]:
    """What somebody else copied is read back before it counts. Where data lie that belong to no run
    yet is known once they do."""
    if replica.data_group.run_id is None:
        return
    yield Wanted("runs.verify_replica", replica, says="Its copy is read back and verified.")


def calibration(calibration: Calibration, world: World) -> Iterable[Wanted]:
    yield Wanted("runs.calibrate", calibration, says="Calibration starts.")


def looking(thing: Run | Replica, world: World) -> Iterable[Wanted]:
    """What the files of a closed run hold, once there are some that can be read, and anew when the
    group has grown since. It is said to nobody: nothing of the data follows from it."""
    if settings.FILE_VIEWER == "null":
        return
    groups = [thing.data_group] if isinstance(thing, Replica) else thing.data_groups.all()
    for group in groups:
        if group.run_id is None or group.run.status == Run.Status.OPEN:
            continue
        if contents.is_worth_looking(group) and not contents.is_current(group):
            yield look_into(group)


def look_into(group: DataGroup, *, again: bool = False) -> Wanted:
    """The job of looking into the files of a group; `again` also where nothing has changed."""
    params = {"group": group.pk, "again": True} if again else {"group": group.pk}
    lane = f"runs.datagroup:{group.pk}:runs.look"
    return Wanted("runs.look", group.run, params=params, lane=lane)


def dark(request: DarkRequest, world: World) -> Iterable[Wanted]:
    yield Wanted("runs.characterise", request, says="New constants are made.")


def _routes(purpose: str, world: World) -> list[Route]:
    return world.memo(("routes", purpose), lambda: queries.routes(purpose))


def _is_ours(route: Route) -> bool:
    """Whether our worker copies along the route: into the store of an external transfer agent that
    agent copies, and reports."""
    return not route.destination.is_external


def _lies_in(group: DataGroup, route: Route) -> bool:
    """Whether there is something in the route's source that the destination lacks."""
    there = {r.store_id: r.state for r in group.replicas.all() if r.state not in Replica.GONE}
    wanted = there.get(route.destination_id, "expected") in ("expected", "copying")
    return there.get(route.source_id) in queries.THERE and wanted


def _copy(name: str, group: DataGroup, route: Route) -> Wanted:
    return Wanted(
        name,
        group.run,
        says=f"{group.kind} ({bytes_text(group.bytes)}) is copied to {route.destination.place}.",
        bytes=group.bytes,
        params={"group": group.pk, "source": route.source_id, "destination": route.destination_id},
        lane=f"runs.datagroup:{group.pk}:{name}:{route.destination_id}",
    )


def restoration(replica: Replica, world: World) -> Iterable[Wanted]:
    """The way back from the store's trash, for data that are wanted after all."""
    yield Wanted(
        "runs.restore_replica", replica, params={"reason": world.reason}, lane=_way_out(replica)
    )
