"""Cells of a table that are written as a template."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.template import Context, Template
from django_tables2 import TemplateColumn


@cache
def _compiled(code: str) -> Template:
    return Template(code)


class Cell(TemplateColumn):  # type: ignore[misc] # django-tables2 has no types
    """A column of template cells whose template is read once, not anew for each row: that took most
    of the time of a page of fifty."""

    def render(self, record: Any, table: Any, value: Any, bound_column: Any, **named: Any) -> str:
        context = getattr(table, "context", None) or Context()
        known = self.get_context_data(
            record=record, table=table, value=value, bound_column=bound_column, **named
        )
        with context.update({**known, "table": table}):
            return _compiled(self.template_code).render(context)
