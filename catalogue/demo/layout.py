"""Where the demo keeps what, all of it below one folder, and the settings its processes have."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from catalogue.demo import facility

# What a process needs of the machine; no setting of another site gets in.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TERM")
# oauthlib talks to an address without TLS only where it is told to: the programs that use
# `metadata_client`, and nobody else.
WITHOUT_TLS = {"OAUTHLIB_INSECURE_TRANSPORT": "1"}
REGISTRAR_USER, REGISTRAR_PASSWORD = "DEMO.LOCAL", "only-for-the-demo"


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one demo facility below `data`."""

    data: Path

    @property
    def stores(self) -> Path:
        return self.data / "stores"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def database(self) -> Path:
        return self.data / "catalogue.sqlite3"

    @property
    def temporary(self) -> Path:
        return self.data / "tmp"

    @property
    def tokens(self) -> Path:
        """The programs' tokens, as a facility would put them into its programs' configuration."""
        return self.data / "demo" / "tokens.json"

    @property
    def programs(self) -> Path:
        """Ids and secrets of the OAuth2 applications, for the programs that need one."""
        return self.data / "demo" / "programs.json"

    @property
    def way(self) -> str:
        """Which programs record and copy here; it is said once, when the facility is made."""
        said = self._way
        return said.read_text(encoding="utf-8").strip() if said.exists() else facility.NATIVE

    def settle(self, way: str | None) -> bool:
        """Say which programs record and copy (None: as it was said before, else the usual ones).
        False where the facility was made with others."""
        if way is None or way == self.way:
            return True
        if self.database.exists():
            return False
        self._way.write_text(f"{way}\n", encoding="utf-8")
        return True

    @property
    def _way(self) -> Path:
        return self.data / "demo" / "way"

    @property
    def story(self) -> Path:
        """What the scripted beamtime did, one JSON object a line."""
        return self.data / "demo" / "story.jsonl"

    @property
    def registrar(self) -> Path:
        """The file in which the local DataCite server keeps its DOIs."""
        return self.data / "registrar" / "dois.json"

    @property
    def beat(self) -> Path:
        return self.data / "tmp" / "beat-schedule"

    def make(self) -> None:
        """Make the folders that processes expect to find."""
        places = [self.logs, self.temporary, self.registrar.parent, self.tokens.parent]
        places += [self.data / name for name in ("broker", "broker-control", "broker-processed")]
        places += [self.stores / store.identifier for store in facility.STORES]
        places += [self.temporary / "matplotlib", self.temporary / "cache", self.temporary / "home"]
        for place in places:
            place.mkdir(parents=True, exist_ok=True)

    def environment(self, *, port: int, registrar_url: str) -> Mapping[str, str]:
        """The whole environment of the demo's processes."""
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {
            **kept,
            "DJANGO_SETTINGS_MODULE": "catalogue.settings",
            "PYTHONUNBUFFERED": "1",
            "HOME": str(self.temporary / "home"),
            "TMPDIR": str(self.temporary),
            "XDG_CACHE_HOME": str(self.temporary / "cache"),
            "MPLCONFIGDIR": str(self.temporary / "matplotlib"),
            "LIGHTKEEPER_DATA": str(self.data),
            "LIGHTKEEPER_DEMO": "true",
            "LIGHTKEEPER_DEMO_LOGINS": json.dumps(facility.logins()),
            "SITE_URL": site(port),
            "REGISTRAR_URL": registrar_url,
            "REGISTRAR_USER": REGISTRAR_USER,
            "REGISTRAR_PASSWORD": REGISTRAR_PASSWORD,
            "SWEEP_SECONDS": "0.5",
            "NOTICE_GATHER_SECONDS": "2",
            "JOB_LEASE_SECONDS": "15",
            "JOB_BACKOFF_SECONDS": "1",
            "SILENT_RUN_SECONDS": "60",
            "LOG_LEVEL": "INFO",
        }


def site(port: int) -> str:
    """The address under which the demo's site is seen."""
    return f"http://localhost:{port}"
