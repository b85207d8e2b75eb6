"""What rows have in common that are told of in the journal, or that say when they were entered."""

from __future__ import annotations

from django.db import models

from catalogue.ground import clock


class Recorded(models.Model):
    """A row that the journal can tell of."""

    class Meta:
        abstract = True

    @property
    def label(self) -> str:
        """What people call this row, e.g. "run 0082 of p900054"."""
        return str(self)

    @property
    def proposal_number(self) -> int | None:
        """The proposal it belongs to, or None; decides who may read of it in journal and jobs."""
        return None


class Entered(Recorded):
    """A row of a reference table that says when it was entered and when it was changed last."""

    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
