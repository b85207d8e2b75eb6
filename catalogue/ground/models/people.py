"""People, the offices they hold at the facility, and the tokens of their programs."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from knox.models import AbstractAuthToken

from catalogue.ground.models.recorded import Recorded

ROLES = [
    ("local_contact", "Local contact"),
    ("instrument_scientist", "Instrument scientist"),
    ("instrument_leader", "Instrument leader"),
    ("deputy_leader", "Deputy instrument leader"),
    ("user_office", "User office"),
    ("data_manager", "Data manager"),
    ("auditor", "Auditor"),
]
GIVERS = [("", "Staff"), ("ldap", "LDAP group"), ("oidc", "Entitlement")]
INSTRUMENT_ROLES = ("local_contact", "instrument_scientist", "instrument_leader", "deputy_leader")


class User(AbstractUser, Recorded):  # type: ignore[django-manager-missing]
    """A person or, with `is_service`, a program that acts in its own name."""

    email = models.EmailField("e-mail", blank=True)
    orcid = models.CharField("ORCID", max_length=19, blank=True)
    affiliation = models.CharField(max_length=255, blank=True)
    affiliation_ror = models.URLField(
        "ROR of the affiliation", blank=True, help_text="The whole address, https://ror.org/…"
    )
    provider = models.CharField(
        max_length=32, default="local", help_text="Who vouches for the account: local, ldap …"
    )
    uid = models.CharField(max_length=120, blank=True, help_text="The provider's name for it.")
    nickname = models.CharField(max_length=60, blank=True)
    contact_email = models.EmailField("contact e-mail", blank=True)
    directory_synced_at = models.DateTimeField(null=True, blank=True)
    directory_missed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When LDAP no longer had the account, and it was closed for that.",
    )
    session_epoch = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Raised to end all sessions of the account."
    )
    is_service = models.BooleanField(
        default=False, help_text="A program: what it may do is the scopes of its token."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("email"), name="user_email_once", condition=~models.Q(email="")
            ),
            models.UniqueConstraint(
                fields=["provider", "uid"], name="user_uid_once", condition=~models.Q(uid="")
            ),
        ]

    @property
    def label(self) -> str:
        return f"account {self.username}"

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's, with the epoch: a session ends with the password or epoch it began under."""
        salt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
        under = f"{self.password}/{self.session_epoch}" if self.session_epoch else self.password
        return salted_hmac(salt, under, secret=secret, algorithm="sha256").hexdigest()

    @property
    def full_name(self) -> str:
        """First and last name, or the login where neither is known."""
        return self.get_full_name() or self.username

    @property
    def initials(self) -> str:
        """Two or three letters for narrow columns, e.g. "hk"."""
        parts = [p for p in (self.first_name, self.last_name) if p]
        return "".join(p[0] for p in parts).lower() or self.username[:2]


class Appointment(Recorded):
    """An office at the facility: at one instrument, or (user office …) for all of it.

    The same office may be held more than once, by each of those who give offices: what LDAP or a
    provider gave, they take away again; what staff gave stays.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="appointments")
    role = models.CharField(max_length=24, choices=ROLES)
    instrument = models.ForeignKey(
        "ground.Instrument", null=True, blank=True, on_delete=models.CASCADE
    )
    until = models.DateField(null=True, blank=True)
    given_by = models.CharField(max_length=8, choices=GIVERS, blank=True, default="", db_default="")
    given_for = models.CharField(
        max_length=255,
        blank=True,
        default="",
        db_default="",
        help_text="The group or the entitlement that gave it.",
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "role", "instrument", "given_by"],
                name="appointment_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="appointment_instrument_where_due",
                condition=models.Q(role__in=INSTRUMENT_ROLES, instrument__isnull=False)
                | (~models.Q(role__in=INSTRUMENT_ROLES) & models.Q(instrument__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        where = f" at {self.instrument}" if self.instrument_id else ""
        return f"{self.user}: {self.get_role_display()}{where}"


class Token(AbstractAuthToken):  # type: ignore[misc]
    """A personal token; only its SHA-512 is kept. An empty `scopes` gives nothing away."""

    name = models.CharField(max_length=80)
    scopes = models.JSONField(default=list)
    last_used_at = models.DateTimeField(null=True, blank=True)
