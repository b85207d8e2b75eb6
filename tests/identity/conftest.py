"""A directory and a provider of the run's own. A test that needs them is skipped with the reason
where they are missing; under --require-services that is a failure."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import accessible, chromium, open_page, watch
from tests.conftest import free_port, provider_folder
from tests.identity import slapd as directories
from tests.identity.slapd import Slapd

__all__ = ["accessible", "chromium", "open_page", "watch"]
PROVIDER = Path(__file__).parent / "provider" / "provider.mjs"
SPB = "urn:geant:facility.example:group:spb:role=scientist"
BACKENDS = {
    "ldap": "catalogue.ground.identity.ldap_backend.DirectoryBackend",
    "oidc": "catalogue.ground.identity.openid_backend.OpenIDBackend",
}


@pytest.fixture(scope="session")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """A slapd that runs, for all tests of the run."""
    server = Slapd(tmp_path_factory.mktemp("slapd"), free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def directory(slapd: Slapd, settings: Any) -> Slapd:
    """The slapd with nobody in it, and a site that searches it over StartTLS."""
    slapd.fill()
    configured(settings, slapd)
    return slapd


def configured(settings: Any, slapd: Slapd, **more: Any) -> None:
    """Point the site at a slapd."""
    settings.LDAP = settings.LDAP | {
        "url": slapd.url, "ca_file": str(slapd.folder / "ca.pem"), "seconds": 5.0,
        "bind_dn": directories.READER, "bind_password": directories.READER_PASSWORD,
        "user_base": directories.PEOPLE, "group_base": directories.GROUPS, **more,
    }  # fmt: skip
    with_backend(settings, "ldap")


def with_backend(settings: Any, name: str) -> None:
    """Ask this one too who signs in."""
    if BACKENDS[name] not in settings.AUTHENTICATION_BACKENDS:
        settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, BACKENDS[name]]


# ---------------------------------------------------------------- the provider


class People:
    """Who is known to the provider, and what it says of them: a file that it reads each time."""

    def __init__(self, issuer: str, path: Path) -> None:
        self.issuer = issuer
        self._path = path
        self.known({})

    def known(self, people: dict[str, dict[str, Any]]) -> None:
        self._path.write_text(json.dumps(people))


@pytest.fixture(scope="session")
def provider_process(
    live_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[People]:
    """The certified provider, for all tests of the run."""
    port = free_port()
    people = People(f"http://127.0.0.1:{port}", tmp_path_factory.mktemp("provider") / "people.json")
    command = [
        *("node", "--input-type=module", "--eval", PROVIDER.read_text(), "--"),
        *(str(port), str(people._path), live_server.url),
    ]
    process = subprocess.Popen(
        command, cwd=provider_folder(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"listening"
    yield people
    process.terminate()
    process.wait()
    process.stdout.close()


@pytest.fixture
def provider(provider_process: People, settings: Any, live_server: Any) -> People:
    """The provider with nobody in it, and a site that is configured for it."""
    provider_process.known({})
    settings.SITE_URL = live_server.url
    settings.OIDC = settings.OIDC | {
        "issuer": provider_process.issuer, "name": "Test AAI", "client_id": "lightkeeper",
        "client_secret": "a-secret-of-tests", "roles": {SPB: "instrument_scientist@SPB"},
    }  # fmt: skip
    policy = copy.deepcopy(settings.CONTENT_SECURITY_POLICY)
    policy["DIRECTIVES"]["form-action"] = ["'self'", provider_process.issuer]
    settings.CONTENT_SECURITY_POLICY = policy
    with_backend(settings, "oidc")
    return provider_process
