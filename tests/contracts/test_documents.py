"""What the documents promise is there, and what is there is documented."""

from __future__ import annotations

from tests.contracts.lints import documents
from tests.contracts.lints.source import ROOT, Source, modules, told

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def texts() -> list[str]:
    paths = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [path.read_text(encoding="utf-8") for path in paths if path.is_file()]


def test_an_undocumented_target_is_seen() -> None:
    makefile = ".DEFAULT_GOAL := help\nhelp:\nrun: x ## a\ntest-all: y ## b\nX := 1\n"
    assert documents.undocumented_targets(makefile, ["`make test`, `make run`"]) == {"test-all"}


def test_every_make_target_is_documented() -> None:
    assert documents.undocumented_targets(MAKEFILE, texts()) == set()


def test_every_make_target_has_its_line_in_the_list() -> None:
    bare = [
        line for line in MAKEFILE.splitlines() if documents.TARGET.match(line) and "## " not in line
    ]
    assert bare == []


def test_an_undocumented_variable_is_seen() -> None:
    text = (
        "import os\nimport environ\nenv = environ.Env(ZERO=(bool, True))\n"
        "a = env('ONE')\nb = env.bool('TWO', default=False)\nc = os.environ.get('THREE')\n"
        "d = os.environ['FOUR']\ne = os.getenv('FIVE')\nf = env.db_url(var='SIX')\n"
        "os.environ['SET'] = '1'\n"
    )
    source = Source("catalogue/settings.py", text)
    assert set(documents.environment_variables([source])) == {
        *("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX"),
    }
    table = (
        "| `ZERO` | a |\n| `ONE` | a |\n|`TWO`|b|\n| `THREE` | c |\n| `FOUR` | d |\n| `FIVE` |\n"
    )
    missing = documents.undocumented_variables([source], [table])
    assert [breach.what for breach in missing] == ["SIX is not documented"]
    assert documents.unread_variables([source], ["| `GONE` | x |"]) == {"GONE"}


def test_every_variable_is_documented() -> None:
    found = documents.undocumented_variables(modules(), texts())
    assert not found, told(found)


def test_every_documented_variable_is_read() -> None:
    assert documents.unread_variables(modules(), texts()) == set()
    assert documents.environment_variables(modules()), "the settings read no variable at all"


def test_the_readme_shows_commands_that_can_be_run() -> None:
    """`.ci/run` runs them in a newcomer's clone; here: they exist, and name targets that exist."""
    shown = documents.commands((ROOT / "README.md").read_text(encoding="utf-8"))
    assert shown
    targets = documents.make_targets(MAKEFILE)
    for command in shown:
        words = command.split()
        if words[0] == "make":
            assert {word for word in words[1:] if "=" not in word} <= targets, command


def test_commands_are_read_from_sh_fences_only() -> None:
    text = "```sh\n# note\n$ make run\nmake demo\n```\n```python\nmake x\n```\n```\nmake y\n```\n"
    assert documents.commands(text) == ["make run", "make demo"]
    assert documents.commands("no fence") == []
