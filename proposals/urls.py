"""The addresses of proposals for people. `<proposal:number>` is written with six digits."""

from django.urls import path

from catalogue.ground import addresses  # noqa: F401 - registers the converters
from proposals.views import (
    beamtimes,
    board,
    entering,
    general,
    history,
    listing,
    preparation,
    public,
    samples,
    team,
)

ONE = "proposals/<proposal:number>"

app_name = "proposals"
urlpatterns = [
    path("proposals", listing.proposal_list, name="list"),
    path("proposals/board", board.board, name="board"),
    path("proposals/new", entering.new, name="new"),
    path("proposals/new/check", entering.check, name="check-new"),
    path("proposals/import", entering.import_sheet, name="import"),
    path("proposals/import/template.csv", entering.template, name="import-template"),
    path(ONE, general.general, name="general"),
    path(f"{ONE}/moves/<slug:name>", general.make_move, name="move"),
    path(f"{ONE}/withdraw", beamtimes.withdraw, name="withdraw"),
    path(f"{ONE}/beamtimes/add", beamtimes.add, name="add-beamtime"),
    path(f"{ONE}/beamtimes/<row:id>", beamtimes.change, name="change-beamtime"),
    path(f"{ONE}/beamtimes/<row:id>/remove", beamtimes.remove, name="remove-beamtime"),
    path(f"{ONE}/public", public.public, name="public"),
    path(f"{ONE}/public/record", public.change_record, name="change-record"),
    path(f"{ONE}/public/about", public.change_about, name="change-about"),
    *[
        route
        for kind in samples.PARTS
        for route in (
            path(f"{ONE}/{kind}/add", samples.add, {"kind": kind}, name=f"add-{kind}"),
            path(f"{ONE}/{kind}/<row:id>", samples.change, {"kind": kind}, name=f"change-{kind}"),
            path(
                f"{ONE}/{kind}/<row:id>/remove",
                samples.remove,
                {"kind": kind},
                name=f"remove-{kind}",
            ),
        )
    ],
    path(f"{ONE}/samples", samples.samples, name="samples"),
    path(f"{ONE}/team", team.team, name="team"),
    path(f"{ONE}/team/add", team.add, name="add-member"),
    path(f"{ONE}/team/people", team.people, name="people"),
    path(f"{ONE}/team/deputies", team.name_deputy, name="name-deputy"),
    path(f"{ONE}/team/prolong", team.prolong, name="prolong"),
    path(f"{ONE}/team/<row:id>", team.change, name="change-member"),
    path(f"{ONE}/team/<row:id>/remove", team.remove, name="remove-member"),
    path(f"{ONE}/team/<row:id>/end-deputy", team.end_deputy, name="end-deputy"),
    path("proposals/drift", preparation.drift, name="drift"),
    path(f"{ONE}/preparation", preparation.preparation, name="preparation"),
    path(f"{ONE}/preparation/look", preparation.look, name="look"),
    path(f"{ONE}/preparation/apply", preparation.apply, name="apply-plan"),
    path(f"{ONE}/history", history.history, name="history"),
]
