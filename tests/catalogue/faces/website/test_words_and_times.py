"""The glossary, the marks that lead to it, and times that name their zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template

from catalogue.faces.website import glossary
from tests.visiting import Visitor, sound

STATIC = Path(settings.BASE_DIR) / "catalogue/faces/website/static/lightkeeper"
TEMPLATES = sorted((Path(settings.BASE_DIR) / "templates").rglob("*.html"))


def shown(text: str) -> str:
    return Template("{% load lightkeeper %}" + text).render(
        Context({"t": datetime(2029, 12, 3, 13, 0, tzinfo=UTC)})
    )


def test_every_word_is_explained_once_and_leads_to_words_that_are_there() -> None:
    terms = glossary.in_order()
    assert len({t.anchor for t in terms}) == len(terms)
    for term in terms:
        assert set(term.more) <= set(glossary.TERMS)
        assert term.word not in term.more
        assert term.says.endswith(".")


def test_a_mark_explains_without_hover_and_without_a_script() -> None:
    html = shown('<p>{% help "verified" %} {% help "verified" %}</p>')
    seen = sound(html)
    assert 'aria-label="What is “verified”?"' in html
    assert html.count('type="button"') == 2
    for target in re.findall(r'popovertarget="([^"]+)"', html):
        assert f'popover id="{target}"' in html
    assert "/help#verified" in seen.links
    with pytest.raises(KeyError):
        shown('{% help "nonsense" %}')


def test_every_mark_in_a_template_names_a_word_of_the_glossary() -> None:
    named = {
        word
        for path in TEMPLATES
        for word in re.findall(r'{% help "([^"]+)"', path.read_text("utf-8"))
    }
    assert named
    assert named <= set(glossary.TERMS)


def test_the_page_of_words_has_an_anchor_for_each(db: None) -> None:
    seen = sound(Visitor().get("/help"))
    assert {t.anchor for t in glossary.in_order()} <= set(seen.ids)


def test_the_server_writes_the_facilitys_time_for_people_and_the_moment_for_programs() -> None:
    assert shown("{{ t|when }}") == (
        '<time datetime="2029-12-03T13:00:00+00:00" data-form="when">3 December 2029, 14:00</time>'
    )
    assert 'data-form="brief"' in shown("{{ t|brief }}")
    assert "data-form" not in shown("{{ t|day }}"), "a day is the facility's"


def test_the_choice_of_a_clock_is_kept(db: None) -> None:
    visitor = Visitor()
    assert 'data-zone="Europe/Berlin"' in visitor.get("/help")
    assert "data-zone-kept" not in visitor.get("/help")
    answer = visitor.post("/zone", zone="facility", next="/help")
    assert answer["Location"] == "/help"
    assert "data-zone-kept" in visitor.get("/help")
    visitor.post("/zone", zone="")
    assert "data-zone-kept" not in visitor.get("/help")
    visitor.post("/zone", zone="nonsense", next="https://elsewhere.example/")


def test_styles_of_this_part_have_no_colours_of_their_own() -> None:
    text = (STATIC / "everyone.css").read_text("utf-8")
    assert not re.search(r"#[0-9a-f]{3,8}\b|rgb|hsl", text)
