"""What proposals attach to the moves of the catalogue."""

from django.apps import AppConfig


class ProposalsConfig(AppConfig):
    name = "proposals"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        self._name_notices()
        self._name_tabs()
        self._attach_approvals()
        # why: models can be imported only once the apps are loaded
        from catalogue.ground import lifecycle, reference
        from catalogue.ground.models import Cycle, Doi, Instrument, Job
        from proposals import guards
        from proposals.models import Proposal

        for table in (Instrument, Cycle):
            reference.rely_on(table, "identifier", guards.paths_begin_with)
        lifecycle.guarded_by(Proposal, "proposals.access.rule")
        lifecycle.guarded_by(Job, "proposals.access.rule")
        when = lifecycle.when
        for move in (
            Proposal.prepare, Proposal.activate, Proposal.review, Proposal.release_early,
            Proposal.release,
        ):  # fmt: skip
            when(move, refuse="proposals.guards.not_withdrawn")
        when(Proposal.prepare, refuse="proposals.guards.has_beamtime")
        when(Proposal.prepare, refuse="proposals.guards.has_leader")
        when(Proposal.prepare, start="proposals.configure_directory")
        when(Proposal.prepare, foresee="proposals.guards.foresee_preparation")
        when(Proposal.directory_configured, then="proposals.consequences.go_on_preparing")
        when(Proposal.request_folders, start="proposals.make_folders")
        when(Proposal.folders_made, then="proposals.consequences.go_on_preparing")
        when(Proposal.activate, refuse="proposals.guards.alone_on_instrument")
        when(Proposal.activate, foresee="proposals.guards.foresee_activation")
        when(Proposal.pause, foresee="proposals.guards.foresee_pause")
        when(Proposal.finish, foresee="proposals.guards.foresee_end")
        when(Proposal.adopt, refuse="proposals.guards.reported_alone_on_instrument")
        when(Proposal.review, start="proposals.register_doi")
        when(Proposal.review, foresee="proposals.guards.foresee_review")
        when(Proposal.close, start="proposals.remove_folders")
        when(Proposal.close, foresee="proposals.guards.foresee_closing")
        when((Proposal.release_early, Proposal.release), refuse="proposals.guards.may_be_public")
        when(Proposal.release, refuse="proposals.guards.embargo_is_over")
        when(Proposal.release_early, refuse="proposals.guards.somebody_else_consented")
        when(Proposal.release_early, foresee="proposals.guards.foresee_release")
        when((Proposal.release_early, Proposal.release), start="proposals.register_doi")
        when(Proposal.postpone, refuse="proposals.guards.postponed_into_the_future")
        when((Proposal.folders_removed, Proposal.cancel), start="proposals.renew_access")
        when(Job.hold, start="proposals.tell_held")
        when(Doi.publish, start="proposals.tell_findable")
        when((Proposal.release_early, Proposal.release), start="proposals.tell_release")
        for due in (
            "proposals.commands.release_those_due",
            "proposals.upkeep.renew_due",
            "proposals.upkeep.look_due",
            "proposals.letters.tell_of_releases",
            "proposals.letters.tell_again_of_held",
        ):
            lifecycle.on_schedule(due)

    def _attach_approvals(self) -> None:
        # why: as above
        from catalogue.ground.lifecycle import guarded_by, when
        from catalogue.ground.models import Approval

        guarded_by(Approval, "proposals.access.rule_for_two")
        when(Approval.agree, refuse="proposals.guards.takes_another")
        when(Approval.agree, then="proposals.consequences.withdraw_published")
        when(Approval.agree, foresee="proposals.guards.foresee_withdrawal")
        when(Approval.take_back, refuse="proposals.guards.asked_for_it")

    def _name_tabs(self) -> None:
        # why: as above
        from catalogue.ground import access, pages

        for order, name, label, permission in (
            (10, "general", "General", access.SEE_METADATA),
            (15, "public", "Public Information", access.SEE_METADATA),
            (30, "samples", "Samples", access.SEE_METADATA),
            (50, "team", "Team", access.SEE_METADATA),
            (85, "preparation", "Preparation", access.PREPARE),
            (90, "history", "History", access.SEE_JOURNAL),
        ):
            url = f"proposals:{name}"
            pages.tab(name, label=label, url=url, order=order, permission=permission)

    def _name_notices(self) -> None:
        # why: as above
        from catalogue.ground import notices

        notices.kind(
            "held",
            label="Held jobs",
            about="A job cannot go on without a person, and it is for your office to act.",
            told="proposals.notices.told_held",
        )
        notices.kind(
            "findable",
            label="DOI findable",
            about="The DOI of a proposal whose team you are in can be found and cited.",
            told="proposals.notices.told_findable",
        )
        notices.kind(
            "release",
            label="Release of data",
            about="Data of your team open in 90 days, in 30 days, and on the day.",
            told="proposals.notices.told_release",
        )
