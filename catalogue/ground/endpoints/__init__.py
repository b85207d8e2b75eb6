"""What every endpoint of the native REST API is made of: the request's actor, strict input, pages
by cursor, answers that are given once. The router and the problem documents are the face's
(`catalogue.faces.api_root`); each app brings its endpoints in its `api/`."""

from catalogue.ground.endpoints.answers import Foretold, foretold
from catalogue.ground.endpoints.description import page_answer, pages_by
from catalogue.ground.endpoints.endpoint import Endpoint, named
from catalogue.ground.endpoints.etags import Stale, tagged, unless_changed
from catalogue.ground.endpoints.faults import Faults
from catalogue.ground.endpoints.fields import (
    Choice,
    Day,
    Flag,
    Moment,
    Names,
    Parsed,
    Text,
    Time,
    Tree,
)
from catalogue.ground.endpoints.idempotency import KeyInUse, KeyReused, once
from catalogue.ground.endpoints.input import Input, Nothing, Reason
from catalogue.ground.endpoints.pages import ORDERED, Order, filtered, page, refuse_unknown

__all__ = [
    "ORDERED",
    "Choice",
    "Day",
    "Endpoint",
    "Faults",
    "Flag",
    "Foretold",
    "Input",
    "KeyInUse",
    "KeyReused",
    "Moment",
    "Names",
    "Nothing",
    "Order",
    "Parsed",
    "Reason",
    "Stale",
    "Text",
    "Time",
    "Tree",
    "filtered",
    "foretold",
    "named",
    "once",
    "page",
    "page_answer",
    "pages_by",
    "refuse_unknown",
    "tagged",
    "unless_changed",
]
