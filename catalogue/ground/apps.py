"""The ground floor: the tables and verbs that every app uses."""

from django.apps import AppConfig
from django.core import checks


class GroundConfig(AppConfig):
    name = "catalogue.ground"
    label = "ground"
    verbose_name = "Catalogue"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # why: apps have to be loaded before lifecycle can look at their models
        from catalogue.ground.identity.checks import identity_is_configured
        from catalogue.ground.lifecycle import attach, on_schedule

        attach()
        on_schedule("catalogue.ground.programs.forget_expired")
        on_schedule("catalogue.ground.journal.number_all")
        on_schedule("catalogue.ground.identity.sync.sync_when_due")
        checks.register(identity_is_configured)
        on_schedule("catalogue.ground.sealing.seal_all")
