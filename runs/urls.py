"""The addresses of runs for people, below those of their proposal."""

from django.urls import path

from catalogue.ground import addresses  # noqa: F401 - registers the converters
from runs import (
    constants_views,
    editing_views,
    logbook_views,
    marking_views,
    plan_views,
    publication_views,
    repository_views,
    run_views,
    views,
    withdraw_views,
)

ONE = "proposals/<proposal:number>"
LIST = f"{ONE}/runs"
RUN = f"{LIST}/<run:run_number>"

app_name = "runs"
urlpatterns = [
    path(LIST, views.run_list, name="list"),
    path(f"{LIST}/changes", views.run_changes, name="changes"),
    path(f"{LIST}/file", views.export, name="export"),
    path(f"{LIST}/columns", views.choose_columns, name="columns"),
    path(f"{LIST}/switch", views.switch, name="switch"),
    path(f"{LIST}/foretold", marking_views.foretold, name="foretold"),
    path(f"{LIST}/assess", marking_views.assess_many, name="assess-many"),
    path(f"{LIST}/undo", marking_views.undo_many, name="undo-many"),
    path(f"{LIST}/edit", editing_views.edit, name="edit"),
    path(f"{LIST}/calibrate", editing_views.calibrate, name="calibrate-many"),
    path("proposals/<proposal:number>/constants", constants_views.constants_used, name="constants"),
    path(f"{ONE}/logbook", logbook_views.logbook, name="logbook"),
    path(f"{ONE}/logbook/link", logbook_views.change_link, name="change-logbook"),
    path(f"{ONE}/repositories", repository_views.repositories, name="repositories"),
    path(f"{ONE}/publication", publication_views.publication, name="publication"),
    path(f"{ONE}/publication/package", publication_views.ask_for_package, name="ask-package"),
    path(f"{ONE}/plan", plan_views.plan, name="plan"),
    path(f"{ONE}/plan/change", plan_views.change, name="change-plan"),
    path(f"{ONE}/plan/plot.svg", plan_views.plot, name="plan-plot"),
    path(f"{ONE}/plan/numbers.csv", plan_views.numbers, name="plan-numbers"),
    path(f"{RUN}/withdraw", withdraw_views.withdraw, name="withdraw"),
    path(RUN, run_views.run_page, name="run"),
    path(f"{RUN}/assess", marking_views.assess, name="assess"),
    path(f"{RUN}/undo", marking_views.undo, name="undo"),
    path(f"{RUN}/comment", run_views.comment, name="comment"),
    path(f"{RUN}/calibrate", run_views.calibrate, name="calibrate"),
    path(f"{RUN}/calibrate/again", run_views.ask_again, name="ask-again"),
    path(f"{RUN}/constants", run_views.characterise, name="characterise"),
    path(f"{RUN}/journal", run_views.run_journal, name="journal"),
    path(f"{RUN}/checksums", run_views.checksums, name="checksums"),
    path(f"{RUN}/pictures/again", run_views.look_again, name="look-again"),
    path(f"{RUN}/pictures/<str:name>", run_views.picture, name="picture"),
    path(f"{RUN}/reports/<str:name>", run_views.report, name="report"),
]
