"""The native REST API as an app: what it has on the schedule."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "catalogue.faces.api_root"
    label = "api_root"

    def ready(self) -> None:
        # why: the ground's models are loaded only now
        from catalogue.faces.api_root import schema  # noqa: F401
        from catalogue.ground import lifecycle

        lifecycle.on_schedule("catalogue.ground.endpoints.idempotency.forget")
