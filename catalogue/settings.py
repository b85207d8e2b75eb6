"""All settings, from the environment (twelve-factor). Every variable stands in docs/settings.md.
With `_FILE` behind its name, a variable names a file that holds the value: so secrets are mounted.

The default profile is the embedded one: SQLite, folders as stores, the broker on the file system.
It is safe to show to a network only with LIGHTKEEPER_PROFILE=production.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.conf import global_settings
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()

PROFILE = env.str("LIGHTKEEPER_PROFILE", default="embedded")
DEMO = env.bool("LIGHTKEEPER_DEMO", default=False)
DATA = Path(env.str("LIGHTKEEPER_DATA", default=str(BASE_DIR / "var"))).resolve()
PRODUCTION = PROFILE == "production"
DEBUG = env.bool("LIGHTKEEPER_DEBUG", default=False)


def _embedded_secret() -> str:
    """A random key, kept beside the embedded database so that sign-ins outlive a restart."""
    path = DATA / "secret-key"
    if not path.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="ascii") as file:
                path.chmod(0o600)
                file.write(secrets.token_urlsafe(50))
        except FileExistsError:
            pass  # another process of this installation was first
    return path.read_text(encoding="ascii") or secrets.token_urlsafe(50)


SECRET_KEY = env.str("SECRET_KEY") if PRODUCTION else env.str("SECRET_KEY", default="")
SECRET_KEY = SECRET_KEY.strip() or _embedded_secret()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
if PRODUCTION and "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS names the hosts; with * anybody could choose one.")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SITE_URL = env.str("SITE_URL", default="http://localhost:8765").rstrip("/")

# The legacy face is a folder that may be taken away.
LEGACY_FACE = (BASE_DIR / "catalogue/faces/mymdc/__init__.py").is_file()

INSTALLED_APPS = [
    "catalogue.ground",
    "catalogue",
    "proposals",
    "runs",
    "policies",
    "catalogue.faces.api_root",
    "catalogue.faces.website",
    *(["catalogue.faces.mymdc"] if LEGACY_FACE else []),
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "oauth2_provider",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_tables2",
    "django_htmx",
    "simple_history",
    "csp",
    "axes",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "catalogue.faces.website.headers.SecurityHeaders",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "catalogue.faces.website.parts.Parts",
    "axes.middleware.AxesMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "catalogue.urls"
WSGI_APPLICATION = "catalogue.wsgi.application"
AUTH_USER_MODEL = "ground.User"
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "catalogue.faces.website.context.site",
            ],
        },
    }
]

# ---------------------------------------------------------------- database

DATABASES = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA / 'catalogue.sqlite3'}")
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Tests with several threads need a file: SQLite in memory knows no waiting for a lock.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
        ),
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # A list that is narrowed to what its reader may see looks costly to the planner, which then
    # compiles it for a second; asked as it is, it takes some milliseconds.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("options", "-c jit=off")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Going back to an older row would pass by the verbs that guard some columns.
SIMPLE_HISTORY_REVERT_DISABLED = True

# ---------------------------------------------------------------- workers

CELERY_BROKER_URL = env.str("BROKER_URL", default="")
if CELERY_BROKER_URL:
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, str | float] = {
        "socket_connect_timeout": 0.05,
        "socket_timeout": 5,
        "visibility_timeout": 3600,
        "max_retries": 0,
    }
else:
    CELERY_BROKER_URL = "folder://localhost//"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(DATA / "broker"),
        "data_folder_out": str(DATA / "broker"),
        "control_folder": str(DATA / "broker-control"),
        "processed_folder": str(DATA / "broker-processed"),
        "polling_interval": 0.02,
    }
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = env.str("QUEUE", default="lightkeeper")
CELERY_TIMEZONE = "UTC"
SWEEP_SECONDS = env.float("SWEEP_SECONDS", default=5.0)
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "catalogue.sweep",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": max(SWEEP_SECONDS, 1.0)},
    }
}
JOB_LEASE_SECONDS = env.float("JOB_LEASE_SECONDS", default=60.0)
JOB_ATTEMPTS = env.int("JOB_ATTEMPTS", default=8)
JOB_BACKOFF_SECONDS = env.float("JOB_BACKOFF_SECONDS", default=5.0)

# ---------------------------------------------------------------- the facility

FACILITY = env.str("FACILITY", default="European XFEL")
FACILITY_ROR = env.str("FACILITY_ROR", default="https://ror.org/01wp2jz98")
FACILITY_CONTACT = env.str("FACILITY_CONTACT", default="data@facility.example")
TIME_ZONE = env.str("FACILITY_TIME_ZONE", default="Europe/Berlin")
USE_TZ = True
LANGUAGE_CODE = "en-gb"
USE_I18N = False
EMBARGO_YEARS = env.int("EMBARGO_YEARS", default=3)
DATA_ROOT = env.str("DATA_ROOT", default="/gpfs/exfel/exp")
SHIFT_STARTS = env.list("SHIFT_STARTS", cast=int, default=[7, 15, 23])
SILENT_RUN_SECONDS = env.float("SILENT_RUN_SECONDS", default=300.0)
CLOSE_SILENT_RUN_SECONDS = env.float("CLOSE_SILENT_RUN_SECONDS", default=6 * 3600.0)
DOI_PREFIX = env.str("DOI_PREFIX", default="10.5072")
DOI_PATTERN = env.str("DOI_PATTERN", default="XFEL.EU-DATA-{number:06d}-00")
DATA_LICENSE = env.str("DATA_LICENSE", default="CC-BY-4.0")
REGISTRAR_URL = env.str("REGISTRAR_URL", default="")
REGISTRAR_USER = env.str("REGISTRAR_USER", default="")
REGISTRAR_PASSWORD = env.str("REGISTRAR_PASSWORD", default="")
ENGINE = env.str("CALIBRATION_ENGINE", default="embedded")
FILE_VIEWER = env.str("FILE_VIEWER", default="embedded")
CONSTANTS_STORE = env.str("CONSTANTS_STORE", default="constants")
ARTIFACT_STORE = env.str("ARTIFACT_STORE", default="artifacts")
EXPORT_STORE = env.str("EXPORT_STORE", default="export")
DIRECTORY = env.str("DIRECTORY", default="")
DIRECTORY_COMMAND = env.list("DIRECTORY_COMMAND", default=[])
DIRECTORY_TIMEOUT = env.float("DIRECTORY_TIMEOUT", default=10.0)
DIRECTORY_LDAP_URI = env.str("DIRECTORY_LDAP_URI", default="")
DIRECTORY_LDAP_BIND_DN = env.str("DIRECTORY_LDAP_BIND_DN", default="")
DIRECTORY_LDAP_PASSWORD = env.str("DIRECTORY_LDAP_PASSWORD", default="")
DIRECTORY_LDAP_START_TLS = env.bool("DIRECTORY_LDAP_START_TLS", default=False)
DIRECTORY_LDAP_CA_FILE = env.str("DIRECTORY_LDAP_CA_FILE", default="")
DIRECTORY_LDAP_GROUPS = env.str("DIRECTORY_LDAP_GROUPS", default="")
DIRECTORY_LDAP_PEOPLE = env.str("DIRECTORY_LDAP_PEOPLE", default="")
DIRECTORY_GID_FIRST = env.int("DIRECTORY_GID_FIRST", default=600_000)
DIRECTORY_GID_LAST = env.int("DIRECTORY_GID_LAST", default=899_999)
PREPARATION_INCOMPLETE = env.str("PREPARATION_INCOMPLETE", default="continue")
DRIFT_HOURS = env.float("DRIFT_HOURS", default=24.0)
DEMO_LOGINS = env.json("LIGHTKEEPER_DEMO_LOGINS", default=[]) if DEMO else []

# ---------------------------------------------------------------- who signs in, and how

LOCAL_SIGN_IN = env.bool("LOCAL_SIGN_IN", default=True)
LDAP = {
    "url": env.str("LDAP_URL", default="").strip(),
    "start_tls": env.bool("LDAP_START_TLS", default=True),
    "ca_file": env.str("LDAP_CA_FILE", default=""),
    "seconds": env.float("LDAP_SECONDS", default=5.0),
    "bind_dn": env.str("LDAP_BIND_DN", default=""),
    "bind_password": env.str("LDAP_BIND_PASSWORD", default="").strip(),
    "user_dn": env.str("LDAP_USER_DN", default=""),
    "user_base": env.str("LDAP_USER_BASE", default=""),
    "user_filter": env.str("LDAP_USER_FILTER", default="(objectClass=person)"),
    "login": env.str("LDAP_LOGIN_ATTRIBUTE", default="uid"),
    "key": env.str("LDAP_KEY_ATTRIBUTE", default="entryUUID"),
    "attributes": env.json("LDAP_ATTRIBUTES", default={}),
    "group_base": env.str("LDAP_GROUP_BASE", default=""),
    "group_filter": env.str("LDAP_GROUP_FILTER", default="(objectClass=groupOfNames)"),
    "member": env.str("LDAP_GROUP_MEMBER_ATTRIBUTE", default="member"),
    "roles": env.json("LDAP_ROLES", default={}),
    "sync_minutes": env.float("LDAP_SYNC_MINUTES", default=15.0),
}
OIDC = {
    "issuer": env.str("OIDC_ISSUER", default="").strip(),
    "name": env.str("OIDC_NAME", default="OpenID"),
    "client_id": env.str("OIDC_CLIENT_ID", default=""),
    "client_secret": env.str("OIDC_CLIENT_SECRET", default="").strip(),
    "scopes": env.str("OIDC_SCOPES", default="openid profile email"),
    "seconds": env.float("OIDC_SECONDS", default=5.0),
    "skew": env.float("OIDC_SKEW_SECONDS", default=60.0),
    "claims": env.json("OIDC_CLAIMS", default={}),
    "roles": env.json("OIDC_ROLES", default={}),
    "role_days": env.int("OIDC_ROLE_DAYS", default=30),
    "session_hours": env.float("OIDC_SESSION_HOURS", default=12.0),
    "opens_accounts": env.bool("OIDC_OPENS_ACCOUNTS", default=True),
}
OIDC_ORIGINS = env.list("OIDC_ORIGINS", default=[])
if OIDC["issuer"] and not OIDC_ORIGINS:
    OIDC_ORIGINS = ["/".join(OIDC["issuer"].split("/")[:3])]
# Local accounts first: a dead directory must not keep the administrator out.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "catalogue.ground.identity.local.LocalBackend",
    *(["catalogue.ground.identity.ldap_backend.DirectoryBackend"] if LDAP["url"] else []),
    *(["catalogue.ground.identity.openid_backend.OpenIDBackend"] if OIDC["issuer"] else []),
]
# What mozilla-django-oidc reads; the rest is in catalogue/ground/identity/provider.py.
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_USE_PKCE = True
OIDC_PKCE_CODE_CHALLENGE_METHOD = "S256"
OIDC_MAX_STATES = 10
OIDC_AUTHENTICATION_CALLBACK_URL = "openid-return"
# Who guesses: counted by login and address, and by address for who tries many logins.
SIGN_IN_ATTEMPTS = env.int("SIGN_IN_ATTEMPTS", default=5)
SIGN_IN_ATTEMPTS_OF_ADDRESS = env.int("SIGN_IN_ATTEMPTS_OF_ADDRESS", default=100)
PROXIES = env.int("PROXIES", default=1 if PRODUCTION else 0)
AXES_FAILURE_LIMIT = SIGN_IN_ATTEMPTS
AXES_COOLOFF_TIME = timedelta(minutes=env.float("SIGN_IN_WAIT_MINUTES", default=15.0))
AXES_HANDLER = "catalogue.ground.identity.throttle.Attempts"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address"]
AXES_USERNAME_CALLABLE = "catalogue.ground.identity.throttle.login_of"
AXES_CLIENT_IP_CALLABLE = "catalogue.ground.identity.throttle.address_of"
AXES_WHITELIST_CALLABLE = "catalogue.ground.identity.throttle.guesses_nothing"
AXES_LOCKOUT_CALLABLE = "catalogue.faces.website.views.sign_in.too_many"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # waiting is not prolonged by others
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# ---------------------------------------------------------------- mail

MAIL_SERVER = bool(env.str("EMAIL_URL", default=""))
if MAIL_SERVER:
    _mail = env.email_url("EMAIL_URL")
    vars().update(_mail, EMAIL_PORT=_mail["EMAIL_PORT"] or 25)
EMAIL_TIMEOUT = 10
MAIL_FROM = env.str("MAIL_FROM", default=f"Lightkeeper <{FACILITY_CONTACT}>")
MAIL_FOLDER = None if PRODUCTION else DATA / "mail"
NOTICE_GATHER_SECONDS = env.float("NOTICE_GATHER_SECONDS", default=300.0)

# ---------------------------------------------------------------- API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "catalogue.faces.api_root.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["catalogue.faces.api_root.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "catalogue.faces.api_root.problems.handler",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_VERSIONING_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Lightkeeper",
    "VERSION": "1",
    "DESCRIPTION": "The data-management catalogue of a light or neutron source.",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [],  # choices stand where they are used
    "PATH_CONVERTER_OVERRIDES": {
        "proposal_number": {"type": "integer", "minimum": 0, "maximum": 999_999},
        "run_number": {"type": "integer", "minimum": 1, "maximum": 9_999},
        "row_id": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
    },
}
# Its own token table is swapped for ours; its migrations would make it all the same.
MIGRATION_MODULES: dict[str, str | None] = {"knox": None}
KNOX_TOKEN_MODEL = "ground.Token"
OAUTH2_PROVIDER_APPLICATION_MODEL = "ground.Program"
OAUTH2_PROVIDER = {
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",  # client credentials only
    "OAUTH2_VALIDATOR_CLASS": "catalogue.ground.oauth.ProgramValidator",
    "SCOPES_BACKEND_CLASS": "catalogue.ground.oauth.ProgramScopes",
    "CLIENT_SECRET_HASHER": "program_sha256",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 7200,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,  # kept is a token's checksum, not the token
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
}
REST_KNOX = {"TOKEN_TTL": None, "AUTH_HEADER_PREFIX": "Bearer", "TOKEN_PREFIX": "lk-"}
BULK_FILES_MAX = env.int("BULK_FILES_MAX", default=5000)
STREAM_BYTES_MAX = env.int("STREAM_BYTES_MAX", default=4 * 1024**3)
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
# Django's limit leaves the bytes of files out; here they count as well.
FILE_UPLOAD_HANDLERS = ["catalogue.ground.uploads.Limit", *global_settings.FILE_UPLOAD_HANDLERS]

# ---------------------------------------------------------------- static files, security

STATIC_URL = "static/"
STATIC_ROOT = DATA / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = False

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # Linking and signing out are forms that lead on to the provider.
        "form-action": [SELF, *OIDC_ORIGINS],
    }
}
CSRF_FAILURE_VIEW = "catalogue.faces.website.views.errors.form_expired"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
if PRODUCTION:
    # Browsers take a cookie of such a name from this host alone, over TLS.
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    if PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

PASSWORD_HASHERS = [
    *global_settings.PASSWORD_HASHERS,
    "catalogue.ground.program_secrets.ProgramSecretHasher",  # never chosen for passwords
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"celery": {"level": "WARNING"}, "axes": {"level": "WARNING"}},
}
