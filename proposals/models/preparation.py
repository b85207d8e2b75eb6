"""What a beamtime is prepared with: the template that staff edit, and how each proposal stands."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from catalogue.ground.inputs import Invalid
from catalogue.ground.models import Recorded, Store
from proposals import template
from proposals.models.content import Membership
from proposals.models.proposal import Proposal


def _said(field: str, parse: Any, value: Any) -> dict[str, str]:
    try:
        parse(value)
    except Invalid as problem:
        return {field: problem.rule}
    return {}


class GroupRule(Recorded):
    """A group that each proposal gets, and who of the team is in it."""

    name = models.CharField(
        max_length=64,
        unique=True,
        default=template.TEAM,
        help_text="With {number}, which becomes the six digits of the proposal; {instrument} may "
        "stand in it too.",
    )
    data_access = models.PositiveSmallIntegerField(
        choices=[c for c in Membership.DataAccess.choices if c[0]],
        default=Membership.DataAccess.READ,
        help_text="Who has at least this access to the data is in the group.",
    )

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        problems = _said("name", template.group_pattern, self.name)
        if problems:
            raise ValidationError(problems)


class FolderRule(Recorded):
    """A folder that each proposal gets in one store, or in every store that prepares folders."""

    store = models.ForeignKey(
        Store,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Empty: every store that prepares folders. A rule for one store goes first.",
    )
    path = models.CharField(
        max_length=200, blank=True, help_text="Below the proposal's folder; empty: that folder."
    )
    mode = models.CharField(max_length=4, default="2750", help_text="Four octal digits.")
    group = models.CharField(
        max_length=64,
        blank=True,
        default=template.TEAM,
        help_text="A group of the proposal, or any other. Empty: the folder's group stays.",
    )
    acl = models.TextField(
        "ACL",
        blank=True,
        help_text="Further entries, one a line, as setfacl has them: group:x{number}-dmgt:rwx, "
        "default:group:exfel-{instrument}:r-x.",
    )

    class Meta:
        ordering: ClassVar = ["path", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["store", "path"], name="folder_rule_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.store or 'every store'}: {self.path or 'the folder itself'}"

    def clean(self) -> None:
        problems: dict[str, str] = {}
        for field, parse in (
            ("path", template.folder_path), ("mode", template.folder_mode),
            ("group", template.any_group), ("acl", template.acl_lines),
        ):  # fmt: skip
            problems |= _said(field, parse, getattr(self, field))
        if problems:
            raise ValidationError(problems)


class Preparation(models.Model):
    """How groups and folders of one proposal stand: what was written last, what was found when
    somebody looked last, and what differs (`Drift`)."""

    proposal = models.OneToOneField(Proposal, on_delete=models.CASCADE, related_name="prepared")
    groups = models.JSONField(
        default=list, help_text="As they were written last: name, number, members."
    )
    written_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(
        null=True, blank=True, help_text="When the team was last compared with what was written."
    )
    looked_at = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True, help_text="Of the plan found then.")
    notes = models.JSONField(default=list, help_text="What could not be found out or done.")
    applied_at = models.DateTimeField(null=True, blank=True)
    not_done = models.JSONField(default=list, help_text="What the last application left undone.")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["checked_at"], name="preparation_checked"),
            models.Index(fields=["looked_at"], name="preparation_looked"),
        ]

    def __str__(self) -> str:
        return f"preparation of {self.proposal}"


class Drift(models.Model):
    """One difference between what should be there and what was found; the rows of a proposal are
    the plan that would put it right."""

    preparation = models.ForeignKey(Preparation, on_delete=models.CASCADE, related_name="drifts")
    order = models.PositiveIntegerField()
    place = models.CharField(max_length=120, help_text="“directory”, or a store's identifier.")
    thing = models.CharField(max_length=512, help_text="The group, or the folder's path.")
    what = models.CharField(max_length=16, help_text="missing, members, mode, group or acl.")
    found = models.TextField(blank=True)
    wanted = models.TextField(blank=True)
    act = models.TextField(help_text="What would be done about it.")
    since = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["order", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["preparation", "place", "thing", "what"], name="drift_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.thing}: {self.what}"
