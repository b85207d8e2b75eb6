"""The page of the OpenAPI document in a real browser, under the site's content security policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_it_shows_every_operation_without_a_complaint(open_page: Callable[..., Any]) -> None:
    page = open_page("/api/v1/docs")
    page.wait_for_selector(".opblock")
    shown = page.locator(".opblock").count()
    page.locator(".opblock-summary").first.click()
    page.wait_for_selector(".opblock-body")
    document = SchemaGenerator().get_schema(request=None, public=True)
    assert shown == sum(len(methods) for methods in document["paths"].values())
