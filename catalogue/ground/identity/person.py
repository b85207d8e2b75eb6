"""What is taken over of a person from outside, whatever brought it: cleaned, or left out. Pure."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from idutils import is_orcid, normalize_orcid

log = logging.getLogger(__name__)

_LONGEST = {"first_name": 150, "last_name": 150, "email": 254, "affiliation": 255,
            "affiliation_ror": 200, "nickname": 60, "contact_email": 254}  # fmt: skip


def cleaned(found: Mapping[str, object]) -> dict[str, str]:
    """Of the fields found those that can be kept. A name is cut to its column, an address or an
    identifier that is none is left out: half of one would be somebody else's."""
    kept = {name: _clean(name, value) for name, value in found.items()}
    return {name: value for name, value in kept.items() if value}


def _clean(name: str, value: object) -> str:
    if isinstance(value, list | tuple):
        value = value[0] if value else ""
    if not isinstance(value, str):
        return ""
    text = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    if name == "orcid":
        return orcid(text)
    if name in {"email", "contact_email"}:
        return text if len(text) <= _LONGEST[name] and _valid(validate_email, text) else ""
    if name == "affiliation_ror":
        return text if len(text) <= _LONGEST[name] and _valid(URLValidator(["https"]), text) else ""
    return text[: _LONGEST.get(name, 150)]


def _valid(rule: object, text: str) -> bool:
    try:
        rule(text)  # type: ignore[operator]  # a validator of Django's
    except ValidationError:
        return False
    return True


def orcid(text: str) -> str:
    """The ORCID in `text`, bare or as an address, if its checksum is right; else nothing."""
    if len(text) > 60 or not is_orcid(text):
        if text:
            log.warning("left out, no ORCID: %r", text[:60])
        return ""
    return str(normalize_orcid(text)).upper()
