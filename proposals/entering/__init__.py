"""Entering proposals, one by the form or many from a sheet: read (pure), tried, entered.

The form, its check while somebody types, the dry run of an import and the import itself all end in
`enter`, and so in the verbs: what one of them says is what the others do.
"""

from proposals.entering.enter import Entered, Report, enter, line_of, may_create
from proposals.entering.sheet import COLUMNS, LARGEST, MOST_ROWS, Line, Sheet, read, template

__all__ = [
    "COLUMNS",
    "LARGEST",
    "MOST_ROWS",
    "Entered",
    "Line",
    "Report",
    "Sheet",
    "enter",
    "line_of",
    "may_create",
    "read",
    "template",
]
