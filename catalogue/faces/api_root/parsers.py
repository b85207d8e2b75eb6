"""Bodies: strict JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

from catalogue.ground import strict_json

# Not imported here: catalogue.ground.endpoints, whose base class asks the settings for this module.


class TooLarge(APIException):
    """The body is longer than the site accepts in one piece."""

    status_code = 413
    default_detail = "The body is too large."
    default_code = "too_large"


class JSONParser(BaseParser):
    """JSON as `strict_json` reads it, of at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(most + 1)
        if len(body) > most:
            raise TooLarge(f"A JSON body has at most {most} bytes; send more as a stream.")
        view: Any = (parser_context or {}).get("view")
        if view is not None:
            view.body_sha256 = hashlib.sha256(body).hexdigest()
        try:
            return strict_json.loads(body)
        except strict_json.NotJson as problem:
            raise ParseError(f"The body is not JSON: {problem}") from None
