"""What is sent to and answered by the endpoints of holds and verdicts."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalogue.ground import inputs
from catalogue.ground.endpoints import Moment, Names, Parsed, Reason, Time
from catalogue.ground.models.facility import KINDS
from policies.models import Hold

KIND_NAMES = [k for k, _ in KINDS]


class NewHold(Reason):
    """On one run, or without one on the whole proposal; without kinds on all data."""

    run = Parsed(
        inputs.run_number,
        {"type": "integer", "minimum": 1, "maximum": 9999},
        required=False,
        allow_null=True,
    )
    kinds = Names(8, among=KIND_NAMES, required=False)
    until = Time(required=False, allow_null=True)


class HoldAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Hold.State.choices)
    run = serializers.IntegerField(source="run.number", default=None, allow_null=True)
    kinds = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField()
    by = serializers.CharField(source="by_name")
    until = Moment(allow_null=True)
    created_at = Moment()
    lifted_at = Moment(allow_null=True)


class VerdictAnswer(serializers.Serializer[Any]):
    """What the policy in force says of one replica now."""

    kind = serializers.CharField()
    store = serializers.CharField()
    tier = serializers.CharField()
    state = serializers.CharField()
    sentence = serializers.CharField()
    removable = serializers.BooleanField()
    keep_until = Moment(allow_null=True)
    remove_at = Moment(allow_null=True)
    noticed = serializers.BooleanField()
    policy = serializers.CharField()
    clause = serializers.IntegerField(allow_null=True)
