"""How the API foretells: what a move would bring about, or why it is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from catalogue.ground.endpoints.fields import Moment, moment
from catalogue.ground.journal import plain
from catalogue.ground.lifecycle import Consequence
from catalogue.ground.refusal import Refused


class ConsequenceAnswer(serializers.Serializer[Any]):
    text = serializers.CharField()
    when = Moment(allow_null=True)
    bytes = serializers.IntegerField(allow_null=True)


class RefusalAnswer(serializers.Serializer[Any]):
    why = serializers.CharField()
    kind = serializers.ChoiceField(choices=["permission", "state", "rule", "reason"])
    who = serializers.CharField()
    details = serializers.DictField()


class Foretold(serializers.Serializer[Any]):
    """What a move would bring about."""

    allowed = serializers.BooleanField()
    consequences = ConsequenceAnswer(many=True)
    refusal = RefusalAnswer(allow_null=True)


def foretold(answers: Sequence[Refused | Consequence]) -> dict[str, Any]:
    """The answer of `lifecycle.explain` as JSON."""
    refused = next((a for a in answers if isinstance(a, Refused)), None)
    consequences = [
        {"text": a.text, "when": moment(a.when), "bytes": a.bytes}
        for a in answers
        if isinstance(a, Consequence)
    ]
    return {
        "allowed": refused is None,
        "consequences": consequences,
        "refusal": _refusal(refused) if refused is not None else None,
    }


def _refusal(refused: Refused) -> dict[str, Any]:
    return {
        "why": refused.why,
        "kind": refused.kind,
        "who": refused.who,
        "details": plain(refused.details),
    }
