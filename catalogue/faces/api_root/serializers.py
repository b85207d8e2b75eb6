"""Answers about the catalogue itself: jobs, stores, and who you are."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalogue.ground.actor import Actor
from catalogue.ground.endpoints import Moment
from catalogue.ground.models import Job
from catalogue.ground.models.facility import TIERS


class JobAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=Job.State.choices)
    subject = serializers.CharField(source="subject_label")
    subject_type = serializers.CharField()
    proposal = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(help_text="Why it stopped or waits.")
    who = serializers.CharField(help_text="Who must act.")
    evidence = serializers.DictField()
    attempts = serializers.IntegerField()
    progress = serializers.FloatField()
    progress_text = serializers.CharField()
    cancel_asked = serializers.BooleanField()
    params = serializers.DictField()
    result = serializers.DictField()
    asked_by = serializers.CharField()
    after = Moment()
    created_at = Moment()
    started_at = Moment(allow_null=True)
    finished_at = Moment(allow_null=True)


class StoreAnswer(serializers.Serializer[Any]):
    identifier = serializers.CharField()
    name = serializers.CharField()
    tier = serializers.ChoiceField(choices=TIERS)
    agent = serializers.CharField()
    rank = serializers.IntegerField()
    quota_bytes = serializers.IntegerField(allow_null=True)
    prepares_folders = serializers.BooleanField()


class StaffStoreAnswer(StoreAnswer):
    """A store as staff and programs know it."""

    mount = serializers.CharField(help_text="Absolute path of the mount point.")
    trash_seconds = serializers.IntegerField()


class OfficeAnswer(serializers.Serializer[Any]):
    role = serializers.CharField()
    instrument = serializers.CharField(
        source="instrument.identifier", default=None, allow_null=True
    )
    until = serializers.DateField(allow_null=True)


class TokenAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    expiry = Moment(allow_null=True)
    last_used_at = Moment(allow_null=True)


class ProgramAnswer(serializers.Serializer[Any]):
    name = serializers.CharField(source="through.name")
    scopes = serializers.SerializerMethodField()

    def get_scopes(self, actor: Actor) -> list[str]:
        return sorted(actor.scopes or ())


class MeAnswer(serializers.Serializer[Any]):
    login = serializers.CharField(source="username")
    name = serializers.CharField(source="full_name")
    orcid = serializers.CharField()
    affiliation = serializers.CharField()
    is_service = serializers.BooleanField()
    offices = OfficeAnswer(many=True)
    token = TokenAnswer(
        allow_null=True, help_text="Null for a session of the browser, or a program."
    )
    program = ProgramAnswer(
        allow_null=True, help_text="The program that acts for you, or in this account's name."
    )


class HealthAnswer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["ok", "failing"])
    database = serializers.CharField()


class ProblemKindAnswer(serializers.Serializer[Any]):
    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    meaning = serializers.CharField()
