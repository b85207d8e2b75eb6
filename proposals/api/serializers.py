"""What is sent to and answered by the endpoints of proposals; input apart from output."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from rest_framework import serializers

from catalogue.ground import inputs
from catalogue.ground.endpoints import (
    Choice,
    Day,
    Flag,
    Input,
    Moment,
    Names,
    Parsed,
    Text,
    Time,
    Tree,
)
from catalogue.ground.inputs import Invalid
from proposals.models import Membership, Proposal

NUMBER = {"type": "integer", "minimum": 0, "maximum": 999999}


def _address(value: object, field: str) -> str:
    """An address of the web, or nothing."""
    text = inputs.free_text(value, 200, field)
    if not text:
        return text
    try:
        URLValidator(schemes=["http", "https"])(text)
    except ValidationError:
        raise Invalid(field, "must be an address like https://…", value) from None
    return text


class NewProposal(Input):
    number = Parsed(inputs.proposal_number, NUMBER)
    title = Text(500, line=True)
    instrument = Text(16, line=True)
    cycle = Text(16, line=True)
    kind = Choice(Proposal.Kind.values, required=False)
    abstract = Text(20_000, blank=True, required=False)
    derived_from = Parsed(inputs.proposal_number, NUMBER, required=False, allow_null=True)
    metadata_public = Flag(required=False)
    assesses_by_itself = Flag(required=False)
    calibrates_by_itself = Flag(required=False)


class Switches(Input):
    assesses_by_itself = Flag(required=False)
    calibrates_by_itself = Flag(required=False)


class ProposalChanges(Switches):
    """What belongs to the published record stands after the review."""

    title = Text(500, line=True, required=False)
    abstract = Text(20_000, blank=True, required=False)
    derived_from = Parsed(inputs.proposal_number, NUMBER, required=False, allow_null=True)
    metadata_public = Flag(required=False)
    keywords = Text(500, line=True, blank=True, required=False)
    logbook = Parsed(_address, {"type": "string", "maxLength": 200}, required=False)
    techniques = Names(120, required=False)


class MoveFacts(Input):
    """Which of them a move takes is told by its `takes`."""

    reason = Text(2000, blank=True, required=False)
    state = Choice(Proposal.State.values, required=False)
    configuration = Tree(required=False)
    until = Time(required=False)


class NewBeamtime(Input):
    begin_at = Time()
    end_at = Time()
    despite_overlap = Flag(required=False)


class BeamtimeChanges(Input):
    begin_at = Time(required=False)
    end_at = Time(required=False)
    despite_overlap = Flag(required=False)


class NewMember(Input):
    login = Text(150, line=True)
    role = Choice(Membership.Role.values, required=False)
    data_access = Choice(Membership.DataAccess.values, required=False)
    until = Day(required=False, allow_null=True)


class NewDeputy(Input):
    login = Text(150, line=True)
    until = Day(required=False, allow_null=True)


class Prolongation(Input):
    """A day later than the one on which the team's access ends now."""

    until = Day()
    reason = Text(2000, blank=True, required=False)


class MemberChanges(Input):
    role = Choice(Membership.Role.values, required=False)
    data_access = Choice(Membership.DataAccess.values, required=False)
    until = Day(required=False, allow_null=True)


class NewExperiment(Input):
    name = Text(120, line=True)
    type = Text(64, line=True)


class ExperimentChanges(Input):
    name = Text(120, line=True, required=False)
    type = Text(120, line=True, required=False)
    description = Text(20_000, blank=True, required=False)


class NewSample(Input):
    name = Text(120, line=True)
    description = Text(20_000, blank=True, required=False)


class SampleChanges(Input):
    name = Text(120, line=True, required=False)
    description = Text(20_000, blank=True, required=False)


# ---------------------------------------------------------------- answers


class BeamtimeAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    begin_at = Moment()
    end_at = Moment()


class LeaderAnswer(serializers.Serializer[Any]):
    name = serializers.CharField(source="user.full_name")
    orcid = serializers.CharField(source="user.orcid")
    affiliation = serializers.CharField(source="user.affiliation")


class DoiAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    state = serializers.CharField()


class PublicAnswer(serializers.Serializer[Any]):
    """What everybody may read of a published proposal."""

    number = serializers.IntegerField()
    folder = serializers.CharField()
    title = serializers.CharField()
    abstract = serializers.CharField()
    kind = serializers.ChoiceField(choices=Proposal.Kind.choices)
    instrument = serializers.CharField(source="instrument.identifier")
    cycle = serializers.CharField(source="cycle.identifier")
    state = serializers.ChoiceField(choices=Proposal.State.choices)
    state_text = serializers.CharField(source="get_state_display")
    state_since = Moment()
    access = serializers.ChoiceField(choices=Proposal.Access.choices)
    release_at = Moment(allow_null=True)
    released_at = Moment(allow_null=True)
    beamtimes = BeamtimeAnswer(many=True)
    principal_investigator = serializers.SerializerMethodField()
    doi = DoiAnswer(allow_null=True)
    created_at = Moment()

    def get_principal_investigator(self, row: Proposal) -> dict[str, Any] | None:
        leaders = getattr(row, "leaders", [])
        return dict(LeaderAnswer(leaders[0]).data) if leaders else None


class ProposalAnswer(PublicAnswer):
    """A proposal as its team and the staff know it. `derived_from` is told where the reader may
    know of that proposal too."""

    path = serializers.CharField(help_text="Its folder inside a store.")
    metadata_public = serializers.BooleanField()
    assesses_by_itself = serializers.BooleanField()
    calibrates_by_itself = serializers.BooleanField()
    team_until = serializers.DateField(allow_null=True)
    consented_at = Moment(allow_null=True)
    last_run_number = serializers.IntegerField()
    keywords = serializers.CharField()
    logbook = serializers.CharField()
    techniques = serializers.SerializerMethodField()
    daq_configuration = serializers.DictField()
    derived_from = serializers.SerializerMethodField()
    withdrawn_at = Moment(allow_null=True)

    def get_techniques(self, row: Proposal) -> list[str]:
        """PaNET ids."""
        return [t.identifier for t in row.techniques.all()]

    def get_derived_from(self, row: Proposal) -> int | None:
        origin = row.derived_from
        return origin.number if origin is not None and origin.pk in self.context["known"] else None


class MemberAnswer(serializers.Serializer[Any]):
    login = serializers.CharField(source="user.username")
    name = serializers.CharField(source="user.full_name")
    orcid = serializers.CharField(source="user.orcid")
    affiliation = serializers.CharField(source="user.affiliation")
    role = serializers.ChoiceField(choices=Membership.Role.choices)
    data_access = serializers.ChoiceField(choices=Membership.DataAccess.choices)
    until = serializers.DateField(allow_null=True)


class ExperimentAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    number = serializers.IntegerField(help_text="Within the proposal.")
    name = serializers.CharField()
    type = serializers.CharField(source="type.name")
    description = serializers.CharField()


class SampleAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()


class EntryAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    at = Moment()
    actor = serializers.CharField(source="actor_name")
    program = serializers.CharField(
        source="program_name", help_text="The program through which the actor acted, or empty."
    )
    face = serializers.CharField()
    subject = serializers.CharField(source="subject_label")
    subject_type = serializers.CharField()
    run = serializers.IntegerField(allow_null=True)
    move = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()
    reason = serializers.CharField()
    facts = serializers.DictField()
