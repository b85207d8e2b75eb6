"""Programs of the facility: the OAuth2 clients that talk to the catalogue over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from oauth2_provider.models import AbstractApplication

from catalogue.ground.models.recorded import Recorded


class Program(AbstractApplication, Recorded):  # type: ignore[misc]
    """An OAuth2 client: it identifies itself with a secret of which the hash is kept, gets tokens
    for two hours, and acts for people that staff have named.

    `user` is the service account in whose name it acts when it names nobody. `scopes` are words of
    `catalogue.ground.access.SCOPES`. A program is never deleted, since the journal names it.
    """

    scopes = models.JSONField(default=list)
    acts_for = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="programs_acting"
    )
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("name"), name="program_name_once"),
            models.CheckConstraint(name="program_has_a_name", condition=~models.Q(name="")),
            models.CheckConstraint(
                name="program_by_client_credentials",
                condition=models.Q(
                    authorization_grant_type=AbstractApplication.GRANT_CLIENT_CREDENTIALS,
                    client_type=AbstractApplication.CLIENT_CONFIDENTIAL,
                    hash_client_secret=True,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"program {self.name}"

    def is_usable(self, request: Any) -> bool:
        """Asked by django-oauth-toolkit before it gives out a token."""
        return self.revoked_at is None
