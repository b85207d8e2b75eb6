"""The legacy face can be taken away as a whole: in a copy of the tree without it and its tests the
site starts, the layers hold and a part of the tests of every app passes.

    python tests/contracts/without_legacy_face.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
TAKEN_AWAY = (
    "catalogue/faces/mymdc",
    "tests/catalogue/faces/mymdc",
    "tests/clients",
    "tests/legacy.py",
    # These hold all faces, that one too.
    "tests/contracts/permission_",
    "tests/contracts/test_leaks.py",
    "tests/contracts/test_permissions.py",
    "tests/contracts/test_rule_mutants.py",
)
QUICK = (
    "tests/contracts",
    "tests/catalogue/faces/api/test_programs.py",
    "tests/catalogue/faces/api/test_access.py",
    "tests/catalogue/faces/website/test_looks.py",
)


def main() -> int:
    """0 if nothing of the rest needs the face."""
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory(prefix="lightkeeper-without-") as folder:
        copy = Path(folder, "copy")
        copy.mkdir()
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=TOP, check=True, capture_output=True, text=True
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (TOP / name).is_file() and not name.startswith(TAKEN_AWAY):
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(TOP / name, copy / name)
        subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)
        subprocess.run(["git", "add", "--all"], cwd=copy, check=True)
        environment = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": folder,
                       "LIGHTKEEPER_DATA": f"{folder}/data"}  # fmt: skip
        for command in (
            [sys.executable, "manage.py", "check"],
            [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
            [str(programs / "lint-imports"), "--no-cache"],
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *QUICK],
        ):
            print(f"== {' '.join(command[1:])}", flush=True)
            done = subprocess.run(command, cwd=copy, env=environment, check=False)
            if done.returncode:
                return 1
    print("Nothing needs the legacy face.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
