"""The environment of a test run, made before the settings read it (`-p` in pyproject.toml).

Data lie in a folder of this run alone, so that no test meets what `make run` left in var/, nor its
broker. Where the database and the broker are is the caller's to say (`make test-services`).
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_KEPT = {
    *("DATABASE_URL", "BROKER_URL", "LIGHTKEEPER_TEST_POSTGRES", "LIGHTKEEPER_TEST_REDIS"),
    "LIGHTKEEPER_TEST_PROVIDER",
}

for name in [name for name in os.environ if name.startswith("LIGHTKEEPER_") and name not in _KEPT]:
    del os.environ[name]

folder = tempfile.mkdtemp(prefix="lightkeeper-tests-")
Path(folder, "static").mkdir()  # WhiteNoise warns where it is missing
atexit.register(shutil.rmtree, folder, ignore_errors=True)

os.environ["LIGHTKEEPER_DATA"] = folder
os.environ["FILE_VIEWER"] = "null"  # a process for each run; tests that want it say so
os.environ["SECRET_KEY"] = "only-for-tests-and-the-same-in-every-process-of-a-run"
# A live server answers each request in a thread of its own; kept open, its connection would be
# nobody's, and the database could not be dropped at the end.
os.environ["CONN_MAX_AGE"] = "0"
