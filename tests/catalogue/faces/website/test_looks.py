"""Every state has a look, every job has words, the icons are there, and the style sheet is the only
place where colours are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from catalogue.faces.website import states
from catalogue.ground import lifecycle, telling
from catalogue.ground.lifecycle.work import performers
from catalogue.ground.models import Entry

STATIC = Path(settings.BASE_DIR) / "catalogue/faces/website/static/lightkeeper"
STYLE = (STATIC / "style.css").read_text(encoding="utf-8")
ICONS = set(re.findall(r'<symbol id="([a-z]+)"', (STATIC / "icons.svg").read_text("utf-8")))
TEMPLATES = sorted((Path(settings.BASE_DIR) / "templates").rglob("*.html"))


@pytest.mark.parametrize(("model", "field"), sorted(states.LOOKS))
def test_every_state_has_a_tone_and_an_icon_of_its_own(model: str, field: str) -> None:
    choices = dict(apps.get_model(model)._meta.get_field(field).flatchoices)
    looks = states.LOOKS[model, field]
    assert set(looks) == set(choices)
    for look in looks.values():
        assert look.icon in ICONS
        assert f'[data-tone="{look.tone}"]' in STYLE or look.tone == "quiet"
    told = {(look.icon, choices[value]) for value, look in looks.items()}
    assert len(told) == len(choices), "a colour is never all that tells two states apart"


def test_every_icon_that_a_template_names_is_drawn() -> None:
    named = {
        name
        for path in TEMPLATES
        for name in re.findall(r'{% (?:icon|labelled) "([a-z]+)"', path.read_text("utf-8"))
    }
    assert named
    assert named <= ICONS


def test_every_job_has_words() -> None:
    assert set(performers()) == set(telling.JOBS)
    assert telling.job_words("something.unknown") == "something.unknown"


def test_no_template_has_style_or_script_of_its_own() -> None:
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=", text), path
        for script in re.findall(r"<script[^>]*>", text):
            assert "src=" in script or "application/ld+json" in script, path
        assert "|safe" not in text, path
        assert "autoescape off" not in text, path
        elsewhere = re.findall(r'(?:src|href)="(https?://[^/"]+)', text)
        assert set(elsewhere) <= {"https://orcid.org"}, path


def _luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


COLOURS = dict(re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}, #[0-9a-f]{6})\)", STYLE))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read_and_lines_can_be_seen(scheme: int) -> None:
    colour = {name: pair.split(", ")[scheme] for name, pair in COLOURS.items()}
    for ground in ("paper", "rail", "raised"):
        for ink in ("ink", "soft", "accent", "good", "warn", "bad", "busy"):
            assert _contrast(colour[ink], colour[ground]) >= 4.5, (ink, ground)
    for tone in ("good", "warn", "bad", "busy"):
        assert _contrast(colour[tone], colour[f"{tone}-wash"]) >= 4.5, tone
        assert _contrast(colour["ink"], colour[f"{tone}-wash"]) >= 4.5, tone
    assert _contrast(colour["accent-ink"], colour["accent"]) >= 4.5
    for line in ("edge", "focus", "accent"):
        assert _contrast(colour[line], colour["paper"]) >= 3, line


def test_an_entry_is_told_in_words() -> None:
    entry = Entry(
        subject_type="proposals.proposal", move="activate", before="R", after="A",
        facts={"at": "2026-11-22T10:00:00+00:00", "bytes": 1_200_000, "until":
               "2026-11-22T10:00:00+00:00", "automatic": True, "names": ["a", "b"], "none": ""},
    )  # fmt: skip
    told = telling.told(entry)
    assert (told.act, told.before, told.after) == ("Activate", "Ready", "Active")
    assert told.facts == (
        ("bytes", "1.2 MB"),
        ("until", "22 November 2026, 11:00"),
        ("automatic", "yes"),
        ("names", "a, b"),
    )
    gone = telling.told(Entry(subject_type="gone.model", move="vanish", before="x", after="y"))
    assert (gone.act, gone.before, gone.after) == ("Vanish", "x", "y")


def test_every_move_can_be_told() -> None:
    for model in lifecycle.moves.lifecycles():
        for move in lifecycle.moves.all_moves(model):
            entry = Entry(subject_type=model._meta.label_lower, move=move.name,
                          before=move.sources[0], after=move.targets[0])  # fmt: skip
            assert telling.told(entry).act == move.spec.label
