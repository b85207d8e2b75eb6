"""What every answer of the site tells browsers: each address of the URL configuration is asked, by
a visitor and by somebody who is signed in; errors and static files too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from catalogue.faces.website.headers import SecurityHeaders
from catalogue.ground import tokens
from catalogue.ground.models import Entry, User
from tests.contracts.lints.source import ROOT
from tests.factories import Facility

pytestmark = pytest.mark.django_db

# Of every answer, whatever it is.
ALWAYS = {
    "X-Content-Type-Options": r"nosniff",
    "Referrer-Policy": r"same-origin",
    "X-Frame-Options": r"DENY",
    "Cross-Origin-Opener-Policy": r"same-origin",
    "Cross-Origin-Resource-Policy": r"same-origin",
    "Cross-Origin-Embedder-Policy": r"require-corp",
    "Permissions-Policy": r"(?=.*camera=\(\))(?=.*geolocation=\(\))(?=.*usb=\(\)).*",
    "Content-Security-Policy": (
        r"(?=.*default-src 'self')(?=.*frame-ancestors 'none')(?=.*object-src 'none')"
        r"(?=.*base-uri 'none')(?=.*form-action 'self')(?!.*unsafe)(?!.*\*).*"
    ),
}
VALUES = {
    "proposal": "900100", "run": "1", "number": "1", "pk": "1", "id": "1", "object_id": "1",
}  # fmt: skip


def addresses(patterns: Any = None, before: str = "") -> Iterator[str]:
    """An address for each pattern, with something for each of its variables."""
    for entry in patterns if patterns is not None else get_resolver().url_patterns:
        path = before + _filled(str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from addresses(entry.url_patterns, path)
        elif isinstance(entry, URLPattern):
            yield "/" + path.lstrip("/")


def _filled(pattern: str) -> str:
    """`<proposal:number>` and `(?P<id>[0-9]+)` with a value, without the marks of an expression."""
    named = re.sub(r"\(\?P<(\w+)>[^()]*(?:\([^()]*\)[^()]*)*\)", r"<\1>", pattern)
    text = re.sub(r"<(?:(\w+):)?(\w+)>", _value, named)
    text = re.sub(r"\(\?:([\w/]+)[^)]*\)", r"\1", text)
    return re.sub(r"[\^$?*+\\]|\\Z", "", text).replace("//", "/")


def _value(variable: re.Match[str]) -> str:
    return VALUES.get(variable[1] or variable[2], VALUES.get(variable[2], "1"))


@pytest.fixture
def staff(facility: Facility) -> User:
    facility.run(facility.proposal(state="A"))
    user = facility.staff.user
    assert user is not None
    user.is_staff = user.is_superuser = True
    user.save()
    return user


def judged(answer: Any, path: str, *, private: bool) -> list[str]:
    """What is missing or wrong."""
    found = []
    for name, wanted in ALWAYS.items():
        if not re.fullmatch(wanted, answer.headers.get(name, "")):
            found.append(f"{path} {answer.status_code}: {name}: {answer.headers.get(name)}")
    kept = answer.headers.get("Cache-Control", "")
    if private and not ("no-store" in kept or "private" in kept):
        found.append(f"{path} {answer.status_code}: may be kept: {kept!r}")
    if answer.streaming:
        b"".join(answer.streaming_content)
    return found


def test_every_address_of_the_site_sends_the_headers(staff: User, capsys: Any) -> None:
    visitor, member = Client(raise_request_exception=False), Client(raise_request_exception=False)
    member.force_login(staff)
    paths = sorted(set(addresses()))
    wrong: list[str] = []
    kinds: Counter[tuple[int, str]] = Counter()
    for path in paths:
        for client, private in ((visitor, False), (member, True)):
            if path == "/sign-out":
                continue
            answer = client.get(path)
            kind = answer.headers.get("Content-Type", "").partition(";")[0]
            kinds[answer.status_code, kind] += 1
            wrong += judged(answer, path, private=private)
    assert not wrong, "\n".join(wrong[:40])
    assert len(paths) > 200
    assert kinds[200, "text/html"] > 20
    assert {status for status, _ in kinds} >= {200, 302, 401, 403, 404, 405}
    with capsys.disabled():
        sys.stdout.write(f"\n{len(paths)} addresses, {sum(kinds.values())} answers:\n")
        for (status, kind), count in sorted(kinds.items()):
            sys.stdout.write(f"  {count:5} × {status} {kind}\n")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nowhere", 404), ("/static/lightkeeper/style.css", 200), ("/static/nothing.css", 404),
     ("/api/v1/nowhere", 404), ("/metadata/api/nowhere", 404), ("/admin/nowhere/", 302)],
)  # fmt: skip
def test_errors_and_static_files_send_them_too(
    db: None, settings: Any, path: str, status: int
) -> None:
    settings.WHITENOISE_USE_FINDERS = True  # off in other tests, see tests/conftest.py
    answer = Client().get(path)
    assert answer.status_code == status
    assert judged(answer, path, private=False) == []


# What programs and mail programs send to, which come without a form of ours: with a token, or by a
# signed link in a letter.
WITHOUT_A_MARK = ("/api/", "/metadata/", "/calibration/", "/notices/stop/")
# ("/1/api/" is what is left of an address that stands for both trees of the legacy API.)


def test_no_form_of_another_site_is_taken(staff: User) -> None:
    """Every address that reads the session's cookie wants the form's mark before it looks at
    anything else."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(staff)
    paths = {p for p in addresses() if not p.startswith((*WITHOUT_A_MARK, "/1/api/"))}
    assert len(paths) > 150
    before = Entry.objects.count()
    taken = {path: code for path in sorted(paths) if (code := client.post(path).status_code) != 403}
    assert not taken
    assert Entry.objects.count() == before
    assert client.get("/tokens").status_code == 200, "still signed in: what was asked had a session"


def test_no_program_s_address_takes_a_cookie_without_the_mark(staff: User) -> None:
    """The API takes a session too; what changes something then wants the mark as well."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(staff)
    before, taken = Entry.objects.count(), []
    for path in sorted({p for p in addresses() if p.startswith(WITHOUT_A_MARK[:3])}):
        for method in ("post", "put", "patch", "delete"):
            status = getattr(client, method)(path).status_code
            if status not in {400, 401, 403, 404, 405}:
                taken.append((method, path, status))
    assert not taken
    assert Entry.objects.count() == before


def test_a_host_that_is_not_ours_is_refused(db: None) -> None:
    for host in ("evil.example", "localhost.evil.example", "localhost:80@evil.example", "a b"):
        answer = Client(headers={"Host": host}).get("/sign-in")
        assert answer.status_code == 400, host
        assert "evil" not in answer.content.decode()
        assert judged(answer, host, private=False) == []


def test_what_a_token_gets_is_kept_by_nobody(staff: User) -> None:
    _, text = tokens.issue(staff, name="t", scopes=["read"])
    answer = Client(headers={"Authorization": f"Bearer {text}"}).get("/api/v1/proposals")
    assert judged(answer, "token", private=True) == []


def test_what_a_view_says_of_itself_stays() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Cache-Control": "private, max-age=5"})

    request = RequestFactory(headers={"Authorization": "Bearer x"}).get("/")
    assert SecurityHeaders(view)(request)["Cache-Control"] == "private, max-age=5"


@pytest.mark.parametrize("odd", ["a\r\nSet-Cookie: x=1", "a\nb", "%0d%0aSet-Cookie:x=1", "\u2028"])
def test_nothing_typed_gets_into_a_header(staff: User, odd: str) -> None:
    client = Client()
    client.force_login(staff)
    answers = [
        client.post("/scheme", {"scheme": "dark", "next": f"/{odd}"}),
        client.get("/sign-in", {"next": odd}),
        Client().get(f"/tokens?x={odd}"),
        client.get("/data", {"page": odd}),
        Client().get("/admin/", {"next": odd}),
    ]
    for answer in answers:
        assert answer.status_code < 500
        assert "x" not in answer.cookies
        assert not any("\n" in value or "\r" in value for value in answer.headers.values())


# ---------------------------------------------------------------- what is sent to the site


def test_a_form_with_large_files_is_refused_before_it_is_read(db: None, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 5000
    body = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + b"x" * 6000
    kind = "multipart/form-data; boundary=b"
    for client in (Client(), Client(enforce_csrf_checks=True)):
        answer = client.post("/sign-in", body + b"\r\n--b--\r\n", content_type=kind)
        assert answer.status_code in {400, 403, 413}  # without its cookie it is not even measured
    assert Client().post("/sign-in", {"username": "x" * 100}).status_code == 200


# ---------------------------------------------------------------- the production profile

PRODUCTION = {
    "LIGHTKEEPER_PROFILE": "production", "ALLOWED_HOSTS": "catalogue.example",
    "SITE_URL": "https://catalogue.example", "BROKER_URL": "redis://127.0.0.1/0",
    "DATABASE_URL": "sqlite:////nonexistent/x",
}  # fmt: skip


def production(code: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    """Run a line with the settings of production."""
    wanted = {**os.environ, "DJANGO_SETTINGS_MODULE": "catalogue.settings", **PRODUCTION}
    wanted |= environment
    return subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{code}"],
        env={name: value for name, value in wanted.items() if value is not None},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


SHOW = """
from django.conf import settings as s
from django.test import RequestFactory
from django.middleware.security import SecurityMiddleware
from django.http import HttpResponse
request = RequestFactory().get('/', secure=True)
print(SecurityMiddleware(lambda r: HttpResponse())(request)['Strict-Transport-Security'])
print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE)
print(s.SESSION_COOKIE_DOMAIN, s.SESSION_COOKIE_PATH, s.SESSION_COOKIE_HTTPONLY)
print(s.SECURE_SSL_REDIRECT, s.DEBUG, s.SECRET_KEY)
"""


def test_production_insists_on_tls_and_cookies_of_this_host(tmp_path: Any) -> None:
    secret = tmp_path / "key"
    secret.write_text("k" * 60 + "\n")
    shown = production(SHOW, SECRET_KEY="", SECRET_KEY_FILE=str(secret))
    assert shown.stdout.splitlines() == [
        "max-age=31536000; includeSubDomains; preload",
        "__Host-session __Host-csrf True True",
        "None / True",
        f"True False {'k' * 60}",
    ], shown.stderr[-2000:]


def test_production_takes_no_host_that_anybody_may_choose() -> None:
    refused = production("", SECRET_KEY="k" * 60, ALLOWED_HOSTS="*")
    assert ImproperlyConfigured.__name__ in refused.stderr
    assert refused.returncode


def test_production_names_its_secret_or_does_not_start() -> None:
    refused = production("", SECRET_KEY=None)
    assert "SECRET_KEY" in refused.stderr
    assert refused.returncode


def test_the_headers_that_are_asked_for_are_those_of_the_settings() -> None:
    names = [name.rpartition(".")[2] for name in settings.MIDDLEWARE]
    assert names[:3] == ["SecurityMiddleware", "SecurityHeaders", "CSPMiddleware"]
