"""What is sent to and answered by the endpoints of runs; input apart from output."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalogue.ground import inputs
from catalogue.ground.endpoints import Choice, Input, Moment, Names, Parsed, Reason, Text, Time
from catalogue.ground.inputs import Invalid
from catalogue.ground.models.facility import KINDS, TIERS
from runs import queries
from runs.models import Run

NUMBER = {"type": "integer", "minimum": 1, "maximum": 9999}
BIG = {"type": "integer", "minimum": 0, "maximum": inputs.BIGGEST}
MARKS = [q for q in Run.Quality.values if q]
KIND_NAMES = [k for k, _ in KINDS]


class NewRun(Input):
    number = Parsed(inputs.run_number, NUMBER)
    begin_at = Time()
    experiment = Text(120, line=True, required=False, allow_null=True)
    sample = Text(127, line=True, required=False, allow_null=True)
    techniques = Names(120, required=False)
    first_train = Parsed(inputs.train_id, BIG, required=False, allow_null=True)
    alias = Text(64, line=True, blank=True, required=False)
    comment = Text(20_000, blank=True, required=False)


class RunChanges(Input):
    alias = Text(64, line=True, blank=True, required=False)
    experiment = Text(120, line=True, required=False, allow_null=True)
    sample = Text(127, line=True, required=False, allow_null=True)
    techniques = Names(120, required=False)
    causes = Names(64, required=False)
    comment = Text(20_000, blank=True, required=False)


class Heartbeat(Input):
    bytes = Parsed(inputs.byte_size, BIG)
    last_train = Parsed(inputs.train_id, BIG, required=False, allow_null=True)


class RunEnd(Input):
    end_at = Time()
    first_train = Parsed(inputs.train_id, BIG, required=False, allow_null=True)
    last_train = Parsed(inputs.train_id, BIG, required=False, allow_null=True)


class Abortion(Reason):
    end_at = Time(required=False)


class Mark(Input):
    quality = Choice(MARKS)
    comment = Text(2000, blank=True, required=False)


def _rows(value: object, field: str) -> list[Any]:
    """Only counted here; the rows are read in bulk by `runs.registration`."""
    most = settings.BULK_FILES_MAX
    if not isinstance(value, list):
        raise Invalid(field, "must be a list of files", value)
    if len(value) > most:
        rule = f"must be at most {most} files; send more as application/x-ndjson"
        raise Invalid(field, rule, len(value))
    return value


FILE = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 255},
        "bytes": BIG,
        "sha256": {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"},
        "adler32": {"type": "string", "pattern": "^[0-9a-fA-F]{8}$"},
    },
    "required": ["name", "bytes", "sha256"],
    "additionalProperties": False,
}


class NewFiles(Input):
    kind = Choice(KIND_NAMES)
    store = Text(32, line=True, required=False, allow_null=True)
    files = Parsed(_rows, {"type": "array", "items": FILE, "maxItems": settings.BULK_FILES_MAX})


# A list that somebody wants to have checked may hold anything: what breaks a rule is in the answer.
LISTED = {
    "description": "A file as `name` and, as far as known, `bytes`, `sha256` and `adler32`.",
    "examples": [{"name": "RAW-R0001-DA01-S00000.h5", "bytes": 4096}],
}


class ListedFiles(Input):
    kind = Choice(KIND_NAMES)
    files = Parsed(_rows, {"type": "array", "items": LISTED, "maxItems": settings.BULK_FILES_MAX})


class ReportedReplica(Reason):
    kind = Text(60, line=True)
    store = Text(120, line=True)
    state = Choice(["copied", "lost"])


class NewCalibration(Input):
    detector = Text(64, line=True, required=False)
    units = Names(32, required=False)


class NewDarkRequest(Input):
    detector = Text(64, line=True, required=False)


# ---------------------------------------------------------------- answers


class GroupAnswer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=KINDS)
    file_count = serializers.IntegerField()
    bytes = serializers.IntegerField()


class ReplicaAnswer(serializers.Serializer[Any]):
    store = serializers.CharField(source="store.identifier")
    tier = serializers.ChoiceField(source="store.tier", choices=TIERS)
    state = serializers.CharField()
    state_text = serializers.CharField(source="get_state_display")
    file_count = serializers.IntegerField()
    bytes = serializers.IntegerField()
    verified_at = Moment(allow_null=True)
    first_verified_at = Moment(allow_null=True)
    checksum = serializers.CharField(help_text="sha256 over the sorted lines 'sha256  name'.")
    notice_at = Moment(allow_null=True)
    remove_at = Moment(allow_null=True)
    trashed_at = Moment(allow_null=True)
    removed_at = Moment(allow_null=True)
    verdict = serializers.CharField(help_text="Why it may go, as it was decided.")


class PlacedReplicaAnswer(ReplicaAnswer):
    """A replica told of beside those of other runs."""

    id = serializers.IntegerField()
    url = serializers.CharField(allow_null=True)
    proposal = serializers.IntegerField()
    run = serializers.IntegerField(allow_null=True, help_text="Null for data of no run.")
    kind = serializers.CharField()
    folder = serializers.CharField(allow_null=True, help_text="Inside the proposal's folder.")
    created_at = Moment()


class GroupWithReplicasAnswer(GroupAnswer):
    path = serializers.CharField(help_text="Its folder inside a store.")
    replicas = ReplicaAnswer(many=True)


class StoredAnswer(serializers.Serializer[Any]):
    store = serializers.CharField()
    state = serializers.CharField()


class PlacedGroupAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    run = serializers.IntegerField(allow_null=True, help_text="Null for data of no run.")
    kind = serializers.CharField()
    edition = serializers.IntegerField(help_text="Of several of a kind of one run.")
    folder = serializers.CharField(allow_null=True, help_text="Inside the proposal's folder.")
    file_count = serializers.IntegerField()
    bytes = serializers.IntegerField()
    created_at = Moment()
    stores = StoredAnswer(many=True, help_text="Where they are, and how sure that is.")


class CalibrationStateAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    state = serializers.CharField()
    detector = serializers.CharField(source="detector.identifier")


class PublicRunAnswer(serializers.Serializer[Any]):
    """What everybody may read of a run whose data are open."""

    number = serializers.IntegerField()
    folder = serializers.CharField()
    proposal = serializers.IntegerField(source="proposal.number")
    status = serializers.ChoiceField(choices=Run.Status.choices)
    quality = serializers.SerializerMethodField()
    experiment = serializers.CharField(source="experiment.name", default=None, allow_null=True)
    experiment_type = serializers.CharField(
        source="experiment.type.name", default=None, allow_null=True
    )
    sample = serializers.CharField(source="sample.name", default=None, allow_null=True)
    techniques = serializers.SerializerMethodField()
    first_train = serializers.IntegerField(allow_null=True)
    last_train = serializers.IntegerField(allow_null=True)
    begin_at = Moment()
    end_at = Moment(allow_null=True)
    file_count = serializers.IntegerField()
    bytes = serializers.IntegerField()
    data_groups = GroupAnswer(many=True)

    @extend_schema_field({"type": ["string", "null"], "enum": [*MARKS, None]})
    def get_quality(self, run: Run) -> str | None:
        return run.quality or None

    def get_techniques(self, run: Run) -> list[str]:
        """PaNET ids."""
        return [t.identifier for t in run.techniques.all()]


class RunAnswer(PublicRunAnswer):
    """A run as its team and the staff know it."""

    alias = serializers.CharField()
    comment = serializers.CharField()
    causes = serializers.SerializerMethodField()
    silent = serializers.SerializerMethodField()
    heartbeat_at = Moment(allow_null=True)
    heartbeat_bytes = serializers.IntegerField()
    assessed_at = Moment(allow_null=True)
    assessed_by = serializers.CharField()
    checksums_are_ours = serializers.BooleanField()
    ended_by_timeout = serializers.BooleanField()
    withdrawn_at = Moment(allow_null=True)
    created_at = Moment()
    data_groups = GroupWithReplicasAnswer(many=True)
    calibrations = CalibrationStateAnswer(many=True)

    def get_silent(self, run: Run) -> bool:
        return queries.is_silent(run)

    def get_causes(self, run: Run) -> list[str]:
        """Why it is as it is: the facility's cause tags, by name."""
        return sorted(tag.name for tag in run.causes.all())


class NextNumberAnswer(serializers.Serializer[Any]):
    number = serializers.IntegerField()


class AssessmentAnswer(serializers.Serializer[Any]):
    quality = serializers.ChoiceField(choices=MARKS)
    previous = serializers.CharField()
    by = serializers.CharField(source="by_name")
    automatic = serializers.BooleanField()
    at = Moment()
    comment = serializers.CharField()


class FileAnswer(serializers.Serializer[Any]):
    kind = serializers.CharField(source="data_group.kind")
    name = serializers.CharField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    adler32 = serializers.CharField()
    registered_at = Moment()


class RegisteredAnswer(serializers.Serializer[Any]):
    created = serializers.IntegerField(help_text="New files.")
    known = serializers.IntegerField(help_text="Files that were registered already, the same.")
    bytes = serializers.IntegerField(help_text="Of the new files.")


class RegisteredAsAnswer(serializers.Serializer[Any]):
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    adler32 = serializers.CharField()


class DifferingAnswer(serializers.Serializer[Any]):
    row = serializers.IntegerField(help_text="In what was sent, from 0.")
    name = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(choices=["missing", "conflicting", "invalid"])
    field = serializers.CharField(allow_null=True, help_text="That differs or breaks a rule.")
    rule = serializers.CharField(allow_null=True)
    registered = RegisteredAsAnswer(allow_null=True)


class ComparedAnswer(serializers.Serializer[Any]):
    registered = serializers.IntegerField()
    missing = serializers.IntegerField()
    conflicting = serializers.IntegerField()
    invalid = serializers.IntegerField()
    files = DifferingAnswer(many=True, help_text="Those that are not registered so.")
    more = serializers.BooleanField(help_text="Whether there are more of them than are told.")


class ReportAnswer(serializers.Serializer[Any]):
    url = serializers.URLField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    content_type = serializers.CharField()


class CalibrationAnswer(CalibrationStateAnswer):
    run = serializers.IntegerField(source="run.number")
    state_text = serializers.CharField(source="get_state_display")
    reason = serializers.CharField()
    units = serializers.SerializerMethodField()
    constants = serializers.SerializerMethodField()
    engine = serializers.CharField()
    configuration = serializers.DictField()
    software = serializers.DictField()
    report = serializers.SerializerMethodField()
    automatic = serializers.BooleanField()
    asked_by = serializers.CharField()
    created_at = Moment()
    finished_at = Moment(allow_null=True)

    def get_units(self, row: Any) -> list[str]:
        """Aggregators; none named means all."""
        return [u.aggregator for u in row.units.all()]

    def get_constants(self, row: Any) -> list[str]:
        """Names of the constant versions."""
        return [v.name for v in row.constants.all()]

    @extend_schema_field(ReportAnswer(allow_null=True))
    def get_report(self, row: Any) -> dict[str, Any] | None:
        return _report(row, self.context["report"])


class DarkRequestAnswer(CalibrationStateAnswer):
    run = serializers.IntegerField(
        source="run.number", default=None, allow_null=True,
        help_text="Null where a pipeline outside named its runs in its own words.",
    )  # fmt: skip
    state_text = serializers.CharField(source="get_state_display")
    feedback = serializers.CharField()
    constants = serializers.SerializerMethodField()
    configuration = serializers.DictField()
    software = serializers.DictField()
    report = serializers.SerializerMethodField()
    asked_by = serializers.CharField()
    created_at = Moment()
    finished_at = Moment(allow_null=True)

    def get_constants(self, row: Any) -> list[str]:
        """Names of the constant versions that it made."""
        return [v.name for v in row.versions.all()]

    @extend_schema_field(ReportAnswer(allow_null=True))
    def get_report(self, row: Any) -> dict[str, Any] | None:
        return _report(row, self.context["report"])


def _report(row: Any, address: Any) -> dict[str, Any] | None:
    kept = row.report
    if kept is None:
        return None
    return {
        "url": address(row),
        "bytes": kept.bytes,
        "sha256": kept.sha256,
        "content_type": kept.content_type,
    }


class CheckAnswer(serializers.Serializer[Any]):
    what = serializers.CharField()
    count = serializers.IntegerField()


class PackageAnswer(serializers.Serializer[Any]):
    state = serializers.CharField()
    state_text = serializers.CharField(source="get_state_display")
    reason = serializers.CharField()
    store = serializers.CharField(source="store.identifier")
    path = serializers.CharField()
    bag_version = serializers.CharField()
    file_count = serializers.IntegerField()
    bytes = serializers.IntegerField()
    manifest_sha256 = serializers.CharField()
    asked_by = serializers.CharField()
    created_at = Moment()
    finished_at = Moment(allow_null=True)
