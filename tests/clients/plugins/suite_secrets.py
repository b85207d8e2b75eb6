"""What the suites look for in their `tests/common/secrets.py`, without touching what was installed.

LIGHTKEEPER_SUITE_SITE is the address of the server, e.g. http://127.0.0.1:8990.
"""

import os
import sys
import types

SITE = os.environ["LIGHTKEEPER_SUITE_SITE"].rstrip("/")
EMAIL = "suite.user@example.org"
PERSON = {
    "EMAIL": EMAIL,
    "FIRST_NAME": "Suite",
    "LAST_NAME": "User",
    "NAME": "Suite User",
    "NICKNAME": "suiteuser",
    "PROVIDER": "ldap",
    "UID": "suiteuser",
}


def client(tree):
    """The OAuth2 client of the rows, for one of the two trees."""
    token = f"{SITE}/{tree}/oauth/token"
    return {
        "EMAIL": EMAIL,
        "CLIENT_ID": "local-ci-client",
        "CLIENT_SECRET": "local-ci-secret",
        "AUTH_URL": f"{SITE}/{tree}/oauth/authorize",
        "TOKEN_URL": token,
        "REFRESH_URL": token,
        "SCOPE": "",
    }


def base(tree):
    """Where the addresses of one tree begin."""
    return f"{SITE}/{tree}/api/"


for package, tree in (("metadata_client", "metadata"), ("calibration_client", "calibration")):
    name = f"{package}.tests.common.secrets"
    module = types.ModuleType(name)
    module.CLIENT_OAUTH2_INFO = client(tree)
    module.USER_INFO = PERSON
    module.BASE_API_URL = base(tree)
    sys.modules[name] = module
