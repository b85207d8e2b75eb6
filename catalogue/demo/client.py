"""A client of the catalogue's REST API, as a program or a person at the facility would use it.

Calls that change something carry an Idempotency-Key and are sent again when the connection breaks:
the site answers the same call once.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

import requests

_TIMEOUT = (5.0, 60.0)  # seconds to connect, and to wait for an answer
_TRIES = 5
_BUSY = (429, 503)


class ProblemError(Exception):
    """The site refused a call: `status`, and the problem document as it came."""

    def __init__(self, method: str, url: str, answer: requests.Response) -> None:
        self.status = answer.status_code
        self.document = _document(answer)
        detail = self.document.get("detail") or answer.reason
        super().__init__(f"{method} {url} was answered {self.status}: {detail}")


class Caller:
    """Somebody who calls the API of one site, by token or in a session of the browser's kind."""

    def __init__(self, site: str, *, name: str = "visitor", token: str = "") -> None:
        self.site = site
        self.name = name
        self._http = requests.Session()
        self._http.trust_env = False
        if token:
            self._http.headers["Authorization"] = f"Bearer {token}"

    @classmethod
    def signed_in(cls, site: str, login: str, password: str) -> Caller:
        """A person, through the sign-in page."""
        caller = cls(site, name=login)
        page = f"{site}/sign-in"
        caller._http.get(page, timeout=_TIMEOUT).raise_for_status()
        form = {
            "username": login,
            "password": password,
            "csrfmiddlewaretoken": caller._http.cookies.get("csrftoken", ""),
        }
        answer = caller._http.post(
            page, data=form, headers={"Referer": page}, timeout=_TIMEOUT, allow_redirects=False
        )
        if answer.status_code != 302 or "sessionid" not in caller._http.cookies:
            raise ProblemError("POST", page, answer)
        return caller

    def get(self, path: str, **query: object) -> Any:
        """What is at `/api/v1/<path>`."""
        return self._call("GET", path, query=query)

    def all(self, path: str, **query: object) -> list[Any]:
        """A whole list, page after page."""
        found: list[Any] = []
        answer = self.get(path, page_size=1000, **query)
        while True:
            found += answer["results"]
            if not answer["next"]:
                return found
            answer = self._send("GET", str(answer["next"]), {}, None, {}).json()

    def post(self, path: str, *, key: str = "", **body: object) -> Any:
        """Make something; with the same `key` it is made once, however often it is asked for."""
        return self._call("POST", path, body=body, key=key or uuid.uuid4().hex)

    def patch(self, path: str, **body: object) -> Any:
        return self._call("PATCH", path, body=body)

    def download(self, url: str) -> bytes:
        """The bytes at an address that the API gave."""
        answer = self._send("GET", url, {}, None, {"Accept": "*/*"})
        if not answer.ok:
            raise ProblemError("GET", url, answer)
        return answer.content

    def page(self, path: str) -> requests.Response:
        """A page of the site, as the browser gets it."""
        return self._http.get(f"{self.site}{path}", timeout=_TIMEOUT)

    def elsewhere(self, url: str) -> requests.Response:
        """A page of another site, as the browser gets it."""
        return self._http.get(url, headers={"Accept": "text/html"}, timeout=_TIMEOUT)

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        key: str = "",
    ) -> Any:
        headers = {"Accept": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        if method != "GET" and "Authorization" not in self._http.headers:
            headers["X-CSRFToken"] = str(self._http.cookies.get("csrftoken", ""))
            headers["Referer"] = self.site
        url = f"{self.site}/api/v1/{path}"
        answer = self._send(method, url, query or {}, body, headers)
        if not answer.ok:
            raise ProblemError(method, url, answer)
        return answer.json()

    def _send(
        self,
        method: str,
        url: str,
        query: Mapping[str, Any],
        body: Any,
        headers: Mapping[str, str],
    ) -> requests.Response:
        """One call, repeated while the site cannot be reached or says that it is busy."""
        for left in range(_TRIES - 1, -1, -1):
            try:
                answer = self._http.request(
                    method, url, params=dict(query), json=body, headers=headers, timeout=_TIMEOUT
                )
            except requests.ConnectionError:
                if not left:
                    raise
            else:
                if answer.status_code not in _BUSY or not left:
                    return answer
            time.sleep(0.2 * (_TRIES - left))
        raise AssertionError("the last try returns or raises")


def _document(answer: requests.Response) -> dict[str, Any]:
    if "json" not in answer.headers.get("Content-Type", ""):
        return {"detail": answer.text[:300]}
    found = answer.json()
    return found if isinstance(found, dict) else {"detail": str(found)}
