"""How our modules are built, each rule first with a planted breach."""

from __future__ import annotations

import pytest

from tests.contracts.lints import shape
from tests.contracts.lints.source import PACKAGES, ROOT, Source, modules, told


def readmes() -> dict[str, str]:
    return {
        path.parent.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in (ROOT / package).rglob("README.md")
    }


@pytest.mark.parametrize(
    "path",
    [
        "runs/views.py",
        "runs/api/views.py",
        "catalogue/faces/website/pages.py",
        "runs/views/list.py",
    ],
)
def test_a_query_in_a_face_is_seen(path: str) -> None:
    assert shape.queries_in_views([Source(path, "x = Run.objects.filter(a=1)")])
    assert shape.queries_in_views([Source(path, "x = Run._default_manager")])


def test_a_query_in_queries_is_left_alone() -> None:
    assert shape.queries_in_views([Source("runs/queries.py", "x = Run.objects.all()")]) == []
    assert shape.queries_in_views([Source("runs/api/files.py", "rows = body.objects()")]) == []


def test_no_face_of_ours_queries() -> None:
    found = shape.queries_in_views(modules())
    assert not found, told(found)


@pytest.mark.parametrize(
    ("path", "planted"),
    [
        ("runs/models.py", "class Run(Model):\n    def save(self): pass"),
        ("catalogue/ground/models/doi.py", "class Doi(Model):\n    def delete(self): pass"),
        ("runs/apps.py", "from django.db.models.signals import post_save"),
        ("runs/apps.py", "from django.dispatch import receiver"),
        ("runs/apps.py", "import django.dispatch as d"),
    ],
)
def test_an_override_or_a_signal_is_seen(path: str, planted: str) -> None:
    assert shape.overrides([Source(path, planted)])


def test_a_form_may_save() -> None:
    assert (
        shape.overrides([Source("runs/forms.py", "class F(Form):\n    def save(self): pass")]) == []
    )


def test_no_model_of_ours_overrides_save_and_nothing_listens_to_signals() -> None:
    found = shape.overrides(modules())
    assert not found, told(found)


def test_a_long_module_needs_a_reason() -> None:
    source = Source("runs/big.py", "x = 1\n" * 401)
    assert shape.too_long([source], {})
    assert shape.too_long([source], {"runs": "There is big.py."})
    assert shape.too_long([source], {"policies": "big.py has 401 lines: one table."})
    assert shape.too_long([source], {"runs": "big.py has 401 lines: it is one table."}) == []
    assert shape.too_long([Source("runs/a.py", "x = 1\n" * 400)], {}) == []


def test_no_module_of_ours_is_long_without_a_reason() -> None:
    found = shape.too_long(modules(), readmes())
    assert not found, told(found)


def test_an_import_inside_a_function_needs_a_reason() -> None:
    assert shape.imports_inside([Source("a.py", "def f():\n    import os\n")])
    assert shape.imports_inside([Source("a.py", "def f():\n    if x:\n        from a import b\n")])
    assert shape.imports_inside([Source("a.py", "def f():\n    import os  # why: rare\n")]) == []
    assert (
        shape.imports_inside([Source("a.py", "def f():\n    # why: rare\n    import os\n")]) == []
    )
    assert shape.imports_inside([Source("a.py", "import os\n")]) == []
    block = "def f():\n    # why: rare,\n    # very\n    import os\n    from a import b\n"
    assert shape.imports_inside([Source("a.py", block)]) == []
    assert shape.imports_inside([Source("a.py", block + "    x = 1\n    import c\n")])


def test_no_function_of_ours_imports_without_a_reason() -> None:
    found = shape.imports_inside(modules())
    assert not found, told(found)


def test_names_say_something() -> None:
    assert shape.nameless([Source("runs/utils.py", "")])
    assert shape.nameless([Source("runs/helpers/a.py", "")])
    found = shape.nameless(modules())
    assert not found, told(found)


def test_each_package_has_its_page() -> None:
    packages = [
        *PACKAGES,
        *("catalogue/ground", "catalogue/demo", "catalogue/publication", "catalogue/constants"),
        *("catalogue/faces", "catalogue/ports"),
        *(p.relative_to(ROOT).as_posix() for p in (ROOT / "catalogue/ports").glob("[a-z]*/")),
    ]
    missing = [package for package in packages if not (ROOT / package / "README.md").is_file()]
    assert missing == []


LAYERS_BEYOND_IMPORT_LINTER = [
    # The legacy face is translation only: the address table includes it by name, nobody imports it.
    (PACKAGES, "catalogue.faces.mymdc", ("catalogue/faces/mymdc", "catalogue/urls")),
    # import-linter sees a foreign package as one thing; these two need a finer view.
    (("catalogue/ports", "catalogue/publication", "catalogue/constants"), "django.db", ()),
    (("catalogue/demo",), "django.db", ("catalogue/demo/loader",)),
    (PACKAGES, "extra_data.tests", ()),
]


@pytest.mark.parametrize(("within", "what", "except_in"), LAYERS_BEYOND_IMPORT_LINTER)
def test_layers_that_import_linter_cannot_say(
    within: tuple[str, ...], what: str, except_in: tuple[str, ...]
) -> None:
    planted = Source(f"{within[0]}/planted.py", f"from {what} import x")
    assert shape.imports_of([planted], within=within, what=what, except_in=except_in)
    found = shape.imports_of(modules(), within=within, what=what, except_in=except_in)
    assert not found, told(found)
