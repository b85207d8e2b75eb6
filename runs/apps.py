"""What runs attach to the moves of the catalogue."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "runs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        self._name_notices()
        self._name_tabs()
        # why: models can be imported only once the apps are loaded
        from catalogue.ground import lifecycle, reference
        from catalogue.ground.models import Job, Store
        from proposals.models import Proposal
        from runs import queries
        from runs.models import Calibration, DarkRequest, Package, Replica, Run

        reference.rely_on(Store, "mount", queries.lies_in)
        for model in (Run, Replica, Calibration, DarkRequest, Package):
            lifecycle.guarded_by(model, "proposals.access.rule")
        when = lifecycle.when
        when(Run.assess, refuse="runs.guards.not_withdrawn")
        when(Run.assess, refuse="runs.guards.something_left_to_mark")
        when(Run.close, refuse="runs.guards.still_silent")
        when((Run.assess, Run.close, Run.abort), start="runs.migrate")
        when((Run.close, Run.abort), start="runs.scan")
        when((Run.close, Run.abort, Replica.written, Replica.verify), start="runs.look")
        when(Run.assess, then="runs.consequences.take_back_copies")
        when(Run.assess, then="runs.consequences.calibrate_good_run")
        when(Run.assess, foresee="runs.guards.foresee_close")
        when(Run.assess, foresee="runs.plans.foresee_no_migration")
        when(Run.assess, foresee="runs.guards.foresee_calibration")
        when((Replica.report_copied, Replica.restore), start="runs.verify_replica")
        when(Replica.report_lost, then="runs.consequences.alarm_if_it_was_the_last")
        when(Replica.verify, refuse="runs.guards.whole_before_it_counts")
        when(Replica.verify, start="runs.archive")
        when((Replica.verify, Replica.written), then="runs.consequences.migrate_what_came")
        when(Replica.verify, then="runs.consequences.calibrate_migrated")
        when(Replica.schedule_removal, start="runs.remove_replica")
        when(Replica.remove, start="runs.purge_replica")
        when(Calibration.ask_again, start="runs.calibrate")
        when(Package.fail, start="runs.clear_package")
        when(DarkRequest.finish, then="runs.consequences.release_held_calibrations")
        when((Proposal.finish, Proposal.review), refuse="runs.guards.no_run_is_open")
        when(Proposal.review, foresee="runs.guards.foresee_review")
        when(Proposal.close, refuse="runs.guards.nothing_left_online")
        when(Job.cancel, then="runs.consequences.take_back_copy")
        when(Job.cancel, then="runs.consequences.fail_what_was_called_off")
        when(Replica.schedule_removal, start="runs.tell_removal")
        when(Calibration.fail, start="runs.tell_failure")
        for due in (
            "runs.commands.close_silent",
            "runs.storage.recount",
            "runs.watching.look_at_stores",
        ):
            lifecycle.on_schedule(due)

    def _name_tabs(self) -> None:
        # why: as above
        from catalogue.ground import access, pages

        for order, name, label, url in (
            (20, "runs", "Runs", "runs:list"),
            (40, "logbook", "Logbook", "runs:logbook"),
            (55, "repositories", "Repositories", "runs:repositories"),
            (60, "constants", "Calibration Constants", "runs:constants"),
            (70, "publication", "Publication", "runs:publication"),
            (80, "plan", "Data Management Plan", "runs:plan"),
        ):
            pages.tab(name, label=label, url=url, order=order, permission=access.SEE_METADATA)

    def _name_notices(self) -> None:
        # why: as above
        from catalogue.ground import notices

        notices.kind(
            "removal",
            label="Removal announced",
            about="Copies of data that you may read are announced to be removed.",
            told="runs.notices.told_removal",
        )
        notices.kind(
            "failure",
            label="Calibration failed",
            about="A calibration failed that you may ask for again.",
            told="runs.notices.told_failure",
        )
