"""What policies attach to the moves of the catalogue."""

from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    name = "policies"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # why: models can be imported only once the apps are loaded
        from catalogue.ground import access, lifecycle, pages
        from catalogue.ground.models import Approval
        from policies.models import Hold, Policy
        from proposals.models import Proposal
        from runs.models import Replica, Run

        lifecycle.guarded_by(Hold, "proposals.access.rule")
        lifecycle.guarded_by(Policy, "proposals.access.rule")
        when = lifecycle.when
        when(Hold.lift, refuse="policies.guards.lifting_takes_two")
        when(Hold.lift, then="policies.consequences.nothing_left_to_ask")
        when(Policy.adopt, refuse="policies.guards.adoption_takes_two")
        when(Approval.agree, then="policies.consequences.agreed")
        when(Approval.agree, foresee="policies.guards.foresee_agreement")
        not_agreed = (Approval.decline, Approval.take_back)
        when(not_agreed, then="policies.consequences.not_agreed")
        when((Run.assess, Run.close, Run.abort, Replica.verify), start="policies.judge_run")
        when(Proposal.review, start="policies.judge_run")
        when((Run.assess, Run.adopt_no_mark), then="policies.consequences.reconsider")
        when(Run.assess, foresee="policies.verdicts.foresee_removal")
        when(Replica.schedule_removal, refuse="policies.guards.may_be_announced")
        when(Replica.remove, refuse="policies.guards.may_go")
        when(Replica.purge, refuse="policies.guards.may_be_purged")
        when((Replica.keep, Replica.written), start="policies.judge_run")
        lost = (Replica.found_corrupt, Replica.report_lost)
        when(lost, then="policies.consequences.reconsider_others")
        when(lost, start="policies.judge_run")
        pages.tab(
            "holds", label="Holds", url="policies:holds", order=70, permission=access.SEE_METADATA
        )
