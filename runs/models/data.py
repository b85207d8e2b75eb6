"""The data of a run: groups of files, and their replicas in the stores."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from django.conf import settings
from django.db import models
from django_fsm import FSMField

from catalogue.ground.models import ConstantVersion, Recorded, Store, Thing, move
from catalogue.ground.models.facility import KINDS
from proposals.models import Experiment, Proposal
from runs.models.run import Run


class DataGroup(Recorded):
    """The files of one kind of one run.

    A program of the facility may register several of a kind (`edition`), or one before it says
    which run it belongs to; such a group has no run. Nobody who comes by a run meets it.
    """

    run: models.ForeignKey[Run, Run] = models.ForeignKey(  # type: ignore[misc]
        Run, null=True, blank=True, on_delete=models.PROTECT, related_name="data_groups"
    )
    experiment = models.ForeignKey(
        Experiment, null=True, blank=True, on_delete=models.PROTECT, related_name="data_groups",
        help_text="As registered; needed where there is no run.",
    )  # fmt: skip
    kind = models.CharField(
        max_length=60, choices=KINDS, help_text="The identifier of a data kind."
    )
    edition = models.PositiveSmallIntegerField(default=1)
    file_count = models.PositiveIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    # What its registrar said of it.
    name = models.CharField(max_length=60, blank=True)
    prefix_path = models.CharField(max_length=1024, blank=True)
    language = models.CharField(max_length=16, default="en")
    format = models.CharField(max_length=60, blank=True)
    passport = models.CharField(max_length=255, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    available = models.BooleanField(default=True)
    writing = models.BooleanField(default=False)
    public = models.BooleanField(default=False)
    removed_at = models.DateTimeField(null=True, blank=True)
    description = models.TextField(blank=True)
    constant_version = models.ForeignKey(
        ConstantVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "kind", "edition"], name="data_group_once"),
            models.CheckConstraint(
                name="data_group_bytes_positive", condition=models.Q(bytes__gte=0)
            ),
            models.CheckConstraint(
                name="data_group_belongs_somewhere",
                condition=models.Q(run__isnull=False) | models.Q(experiment__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.run or self.experiment}"

    @property
    def label(self) -> str:
        of = self.run or self.proposal
        return f"{self.kind} of {of.label}"

    @property
    def proposal(self) -> Proposal:
        """The proposal it belongs to, by its run or else by its experiment."""
        if self.run_id is not None:
            return self.run.proposal
        assert self.experiment is not None
        return self.experiment.proposal

    @property
    def proposal_number(self) -> int:
        return self.proposal.number

    @property
    def run_number(self) -> int | None:
        return self.run.number if self.run_id is not None else None

    @property
    def folder(self) -> str:
        """Where the group lies inside its proposal's folder, e.g. "raw/r0082" or "usr/CAL/r0082":
        no other group lies there."""
        own = {"RAW": "raw", "PROC": "proc", "REDU": "red"}
        part = own.get(self.kind) or f"usr/{quote(self.kind, safe='')}"
        edition = f"-{self.edition}" if self.edition > 1 else ""
        return f"{part}/{self.run.folder}{edition}"

    @property
    def path(self) -> str:
        """Where the group lies inside a store, e.g. "SPB/202601/p900060/raw/r0082"."""
        return f"{self.run.proposal.path}/{self.folder}"


class File(Recorded):
    """One file of a data group, as its writer registered it."""

    data_group = models.ForeignKey(DataGroup, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=255)
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    adler32 = models.CharField(max_length=8, blank=True)
    registered_at = models.DateTimeField()
    kind = models.CharField(
        max_length=60, blank=True, help_text="Where its writer gave one that is not its group's."
    )
    format = models.CharField(max_length=16, blank=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    written_at = models.DateTimeField(null=True, blank=True)
    available = models.BooleanField(default=True)
    immutable = models.BooleanField(default=False, help_text="Its writer will not touch it again.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["data_group", "name"], name="file_name_once"),
            models.CheckConstraint(name="file_bytes_positive", condition=models.Q(bytes__gte=0)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def proposal_number(self) -> int:
        return self.data_group.proposal_number

    @property
    def run_number(self) -> int | None:
        return self.data_group.run_number


class FileList(Recorded):
    """A list of files in its writer's own words, kept as it came; nobody here reads it.

    What such a group holds is found by the scan at the close of its run.
    """

    data_group = models.ForeignKey(DataGroup, on_delete=models.CASCADE, related_name="file_lists")
    text = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"files of {self.data_group}"

    @property
    def proposal_number(self) -> int:
        return self.data_group.proposal_number

    @property
    def run_number(self) -> int | None:
        return self.data_group.run_number


class Replica(Thing):
    """One data group in one store."""

    class State(models.TextChoices):
        EXPECTED = "expected", "Expected"
        COPYING = "copying", "Copying"
        COPIED = "copied", "Copied"
        VERIFIED = "verified", "Verified"
        SCHEDULED = "scheduled", "Scheduled for removal"
        TRASHED = "trashed", "In the store's trash"
        REMOVED = "removed", "Removed"
        LOST = "lost", "Lost"
        CORRUPT = "corrupt", "Corrupt"

    GONE: ClassVar = ("removed", "lost")

    data_group = models.ForeignKey(DataGroup, on_delete=models.PROTECT, related_name="replicas")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="replicas")
    state = FSMField(default=State.EXPECTED, choices=State.choices, max_length=12, protected=True)
    file_count = models.PositiveIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    verified_at = models.DateTimeField(null=True, blank=True)
    first_verified_at = models.DateTimeField(null=True, blank=True)
    checksum = models.CharField(
        max_length=64, blank=True, help_text="sha256 over the sorted lines 'sha256  name'."
    )
    remove_at = models.DateTimeField(null=True, blank=True)
    notice_at = models.DateTimeField(null=True, blank=True)
    trashed_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    verdict = models.TextField(blank=True, help_text="Why it may go, as it was decided.")
    created_at = models.DateTimeField()

    lock_first: ClassVar[tuple[str, ...]] = ("data_group__run",)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["data_group", "store"],
                name="one_live_replica_per_store",
                condition=~models.Q(state__in=["removed", "lost"]),
            ),
            models.CheckConstraint(
                name="replica_verified_has_date_and_checksum",
                condition=~models.Q(state__in=["verified", "scheduled"])
                | (models.Q(verified_at__isnull=False) & ~models.Q(checksum="")),
            ),
            models.CheckConstraint(
                name="replica_scheduled_has_a_date",
                condition=~models.Q(state="scheduled") | models.Q(remove_at__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["remove_at"],
                name="replica_leaving",
                condition=models.Q(state__in=["scheduled", "trashed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.data_group} in {self.store}"

    @property
    def label(self) -> str:
        of = self.data_group.run or self.data_group.proposal
        return f"{self.data_group.kind} of {of.label} in {self.store}"

    @property
    def proposal_number(self) -> int:
        return self.data_group.proposal.number

    @property
    def run_number(self) -> int | None:
        return self.data_group.run.number if self.data_group.run_id is not None else None

    @property
    def trash_key(self) -> str:
        """The name of its folder in the store's trash."""
        return f"replica-{self.pk}"

    @move(
        state,
        source="expected",
        target="copied",
        label="Written here",
        by="report for the DAQ",
    )
    def written(self) -> None:
        """Its writer registered the files where they lie; nobody copied them."""

    @move(state, source=["expected", "copied"], target="copying", label="Copy", by="system")
    def copy(self) -> None:
        pass

    @move(
        state,
        source=["expected", "copying", "corrupt", "lost", "removed"],
        target="copied",
        label="Copy reported",
        by="report transfers",
    )
    def report_copied(self) -> None:
        """What is there now is another copy than the one that was read back before."""
        self.verified_at = self.first_verified_at = None
        self.removed_at = self.trashed_at = None
        self.checksum = ""
        self._forget_notice()

    @move(
        state,
        source=["expected", "copying", "copied", "verified", "corrupt"],
        target="verified",
        label="Verified",
        by="system",
    )
    def verify(self, *, at: datetime, checksum: str, files: int, size: int) -> None:
        self.verified_at = at
        self.first_verified_at = self.first_verified_at or at
        self.checksum = checksum
        self.file_count = files
        self.bytes = size

    @move(
        state,
        source=["expected", "copying", "copied", "verified", "scheduled"],
        target="corrupt",
        label="Found corrupt",
        by="system",
        reason=True,
    )
    def found_corrupt(self) -> None:
        self._forget_notice()

    @move(state, source=["copying", "copied"], target="expected", label="Take back", by="system")
    def take_back(self) -> None:
        pass

    @move(
        state,
        source=["copied", "verified"],
        target="expected",
        label="Files were added",
        by="system",
        reason=True,
    )
    def outgrow(self) -> None:
        """It holds a part of its group only, and is to be copied again."""

    @move(
        state,
        source="verified",
        target="scheduled",
        label="Schedule removal",
        by="system",
        reason=True,
        undo="keep",
    )
    def schedule_removal(self, *, at: datetime, remove_at: datetime, reason: str) -> None:
        self.notice_at = at
        self.remove_at = remove_at
        self.verdict = reason

    @move(state, source="scheduled", target="verified", label="Keep", by="system", reason=True)
    def keep(self) -> None:
        self._forget_notice()

    def _forget_notice(self) -> None:
        """A removal that is announced again gives its notice again."""
        self.remove_at = self.notice_at = None
        self.verdict = ""

    @move(
        state,
        source="scheduled",
        target="trashed",
        label="Move to the store's trash",
        by="system",
        reason=True,
    )
    def remove(self, *, at: datetime) -> None:
        self.trashed_at = at

    @move(
        state, source="trashed", target="copied", label="Restore from trash", by="system",
        reason=True,
    )  # fmt: skip
    def restore(self) -> None:
        self.trashed_at = None
        self._forget_notice()

    @move(state, source="trashed", target="removed", label="Remove for good", by="system")
    def purge(self, *, at: datetime) -> None:
        self.removed_at = at

    @move(
        state,
        source=["expected", "copying", "copied", "verified", "scheduled", "corrupt"],
        target="lost",
        label="Reported gone",
        by="report transfers",
        reason=True,
    )
    def report_lost(self, *, at: datetime) -> None:
        self.removed_at = at
