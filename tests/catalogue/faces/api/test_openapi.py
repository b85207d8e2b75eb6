"""The OpenAPI document is valid 3.1 and true; its page needs nothing from another site."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from drf_spectacular.validation import validate_schema

from catalogue.faces.api_root import schema
from tests.calling import Caller, done
from tests.catalogue.faces.api.test_access import OPEN, ROUTES, _short


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate_schema(document)


def test_it_is_made_without_a_warning(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    schema.document.cache_clear()
    done(Caller().get("openapi.json"))
    assert "Warning" not in capsys.readouterr().err


def test_it_is_made_once(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Caller().get("openapi.json").content
    monkeypatch.setattr(schema.SchemaGenerator, "parse", None)  # calling it would fail
    assert Caller().get("openapi.json").content == first


def test_it_tells_every_address(document: dict[str, Any]) -> None:
    told = {re.sub(r"{\w+}", "{}", p.removeprefix("/api/v1/")) for p in document["paths"]}
    awaited = {re.sub(r"{\w+}", "{}", _short(r)) for r in [*ROUTES, *OPEN]}
    assert told == awaited - {"openapi.json", "docs", ""}


def test_every_operation_is_told_in_words_with_its_problems(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation.get("summary"), (method, path)
            assert "422" in operation["responses"], (method, path)
            if method == "post" and not path.endswith(("heartbeat", "check", "select")):
                names = [p["name"] for p in operation["parameters"]]
                assert "Idempotency-Key" in names, (method, path)


def test_a_body_s_fields_are_all_there_are(document: dict[str, Any]) -> None:
    shapes = document["components"]["schemas"]
    bodies = [s for name, s in shapes.items() if name.endswith("Request")]
    assert len(bodies) > 15
    assert all(shape["additionalProperties"] is False for shape in bodies)


class TestPage:
    def test_it_holds_no_script_and_no_style_of_its_own(self, db: None) -> None:
        answer = Caller().get("docs", accept="text/html")
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert "<style" not in page
        assert "style=" not in page
        assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []

    def test_what_it_needs_is_ours(self, db: None) -> None:
        page = Caller().get("docs", accept="text/html").content.decode()
        needed = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert len(needed) == 5
        for address in needed:
            assert address.startswith("/"), address
            if address.startswith("/static/"):
                assert finders.find(address.removeprefix("/static/")), address
            else:
                script = Caller().get(address.replace("&amp;", "&"), accept="*/*")
                assert script["Content-Type"].startswith("application/javascript")
                assert "/api/v1/openapi.json" in script.content.decode().replace("\\u002D", "-")
