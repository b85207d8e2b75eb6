"""By which names from outside an account is known, and how the last look into LDAP went."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from catalogue.ground import clock
from catalogue.ground.models.recorded import Recorded


class Identity(Recorded):
    """Somebody outside who signs in as `user`: an issuer's name for a person, which it never gives
    to another. That is `iss` and `sub` of OpenID, or "ldap" and the entry's unique id. Neither an
    e-mail address nor a login is one: both are given to others in time.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identities"
    )
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True, help_text="As the issuer calls them.")
    linked_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["issuer", "pk"]
        verbose_name_plural = "identities"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="identity_once"),
            models.CheckConstraint(
                name="identity_is_named", condition=~models.Q(issuer="") & ~models.Q(subject="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.subject} at {self.issuer}"


class DirectorySync(models.Model):
    """One row: when accounts were compared with LDAP last, and what came of it."""

    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(
        null=True, blank=True, help_text="When it went well for the last time."
    )
    problem = models.TextField(blank=True, help_text="Why the last one did not.")
    found = models.PositiveIntegerField(default=0)
    closed = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="directory_has_one_sync", condition=models.Q(id=1))
        ]

    def __str__(self) -> str:
        return f"{self.finished_at}: {self.found} found, {self.closed} closed"
