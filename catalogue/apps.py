"""The composition root as an app: brings the workers of all apps and the message queue up."""

from importlib import import_module

from django.apps import AppConfig

WORKERS = ("proposals.workers", "runs.workers", "policies.workers")


class CatalogueConfig(AppConfig):
    name = "catalogue"

    def ready(self) -> None:
        import_module("catalogue.celery")
        for module in WORKERS:
            import_module(module)
