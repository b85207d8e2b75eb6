"""Tests that call the published clients. They run in the clients' environments (make test-clients);
the site's own test run, which has Django, leaves them alone."""

import time
from importlib.util import find_spec

import pytest

collect_ignore_glob = ["test_*_compound.py", "plugins/*"] if find_spec("django") else []


@pytest.fixture(scope="session")
def metadata():
    """A `MetadataClient` of the suites' program, acting for the suites' person."""
    from metadata_client.metadata_client import MetadataClient  # why: not in both environments

    return _made(MetadataClient, "metadata")


@pytest.fixture(scope="session")
def calibration():
    """A `CalibrationClient` of the suites' program, acting for the suites' person."""
    from calibration_client.calibration_client import (  # why: not in both environments
        CalibrationClient,
    )

    return _made(CalibrationClient, "calibration")


@pytest.fixture
def unlike():
    """Makes texts and numbers that no earlier test or run has used."""
    return Unlike()


class Unlike:
    def __init__(self):
        self._number = time.time_ns() // 1000

    def number(self, below=10**9):
        """A number from 1 to `below`."""
        self._number += 1
        return self._number % (below - 1) + 1

    def name(self, what):
        """A text that begins with `what`."""
        return f"{what} {self.number(10**12)}"


def _made(client, tree):
    import suite_secrets  # why: a plugin, which is there in the clients' environments only

    info = suite_secrets.client(tree)
    return client(
        client_id=info["CLIENT_ID"],
        client_secret=info["CLIENT_SECRET"],
        token_url=info["TOKEN_URL"],
        refresh_url=info["REFRESH_URL"],
        auth_url=info["AUTH_URL"],
        scope=info["SCOPE"],
        user_email=info["EMAIL"],
        base_api_url=suite_secrets.base(tree),
    )
