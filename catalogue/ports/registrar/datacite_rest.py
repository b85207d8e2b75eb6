"""DataCite's REST API, through the `datacite` package's client.

The client (1.4) leaves gaps that are closed here, in the request it makes and in what it is handed:
it does not percent-encode a DOI in a path, sends no `"type": "dois"`, takes only 200 as an answer
to PUT (one that creates answers 201), has one error class for 422, 429 and 5xx, and no time-out.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from datacite import DataCiteRESTClient, schema45
from datacite.errors import HttpError
from datacite.request import DataCiteRequest

from catalogue.ports.outcome import Permanent, PortError, Transient
from catalogue.ports.registrar.contract import DoiState, Receipt

TIMEOUT = (10.0, 60.0)  # seconds to connect, and to wait for an answer
_PASSING = {408, 425, 429}  # of the client errors, those that are nobody's mistake
_TOLD = 2000  # characters of a server's text that are kept as evidence


class DataCiteRegistrar:
    """A Registrar that writes by PUT alone, which creates or changes as needed: so a call may be
    repeated after any interruption, and none can meet "this DOI is taken"."""

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        prefix: str,
        *,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:
        if not _is_web_address(url):
            raise Permanent("The registrar's address is not one of the web.", url=url)
        self._client = _Client(username, password, prefix, url=url, timeout=timeout)
        self._prefix = prefix
        self._url = url

    def __repr__(self) -> str:
        return f"DataCiteRegistrar({self._url!r}, prefix={self._prefix!r})"

    def register(self, doi: str, metadata: Mapping[str, Any], url: str) -> Receipt:
        attributes = self._attributes(doi, metadata, url)
        receipt = self._put(doi, attributes | {"event": "register"})
        if receipt.state is DoiState.FINDABLE:
            # A findable DOI ignores `register`; `hide` is the way from there.
            receipt = self._put(doi, attributes | {"event": "hide"})
        return _reached(receipt, DoiState.REGISTERED)

    def publish(self, doi: str, metadata: Mapping[str, Any], url: str) -> Receipt:
        attributes = self._attributes(doi, metadata, url)
        receipt = self._put(doi, attributes | {"event": "publish"})
        return _reached(receipt, DoiState.FINDABLE)

    def update(self, doi: str, metadata: Mapping[str, Any], url: str) -> Receipt:
        attributes = self._attributes(doi, metadata, url)
        state = self.state(doi)
        if state is None:
            raise _unknown(doi)
        return _reached(self._put(doi, attributes), state)

    def hide(self, doi: str) -> Receipt:
        state = self.state(doi)
        if state is None:
            raise _unknown(doi)
        if state is DoiState.DRAFT:
            raise Permanent("A draft DOI cannot be hidden; it was never public.", doi=doi)
        return _reached(self._put(doi, {"event": "hide"}), DoiState.REGISTERED)

    def state(self, doi: str) -> DoiState | None:
        try:
            return _receipt(doi, _answer(self._client.get_metadata, self._path(doi))).state
        except Permanent as refusal:
            if refusal.evidence.get("status") == HTTPStatus.NOT_FOUND:
                return None
            raise

    def _put(self, doi: str, attributes: Mapping[str, Any]) -> Receipt:
        data = {"type": "dois", "attributes": attributes}
        return _receipt(doi, _answer(self._client.put_doi, self._path(doi), data))

    def _path(self, doi: str) -> str:
        prefix, slash, suffix = doi.partition("/")
        if prefix != self._prefix or not slash or not suffix:
            raise Permanent(f"{doi} is not under the facility's prefix {self._prefix}.", doi=doi)
        return quote(doi, safe="")

    def _attributes(self, doi: str, metadata: Mapping[str, Any], url: str) -> dict[str, Any]:
        """What is sent, after the checks that need no server."""
        self._path(doi)
        said = metadata.get("doi")
        if said is not None and str(said).lower() != doi.lower():
            raise Permanent("The metadata are of another DOI.", doi=doi, said=said)
        if not _is_web_address(url):
            raise Permanent("A DOI needs the http address of its page.", doi=doi, url=url)
        document = {**metadata, "doi": doi, "url": url}
        problems = [
            f"{error.json_path}: {error.message}"[:_TOLD]
            for error in schema45.validator.iter_errors(document)
        ]
        if problems:
            raise Permanent(
                "The metadata break DataCite's schema 4.5; nothing was sent.",
                doi=doi,
                problems=problems,
            )
        return document


class _Client(DataCiteRESTClient):  # type: ignore[misc]  # the package has no types
    """The package's client, making requests that sort their errors."""

    def _create_request(self) -> _Request:
        return _Request(
            base_url=self.api_url,
            username=self.username,
            password=self.password,
            timeout=self.timeout,
        )


class _Request(DataCiteRequest):  # type: ignore[misc]  # the package has no types
    """One request: raises Transient or Permanent unless the server did as asked."""

    def request(self, url: str, method: str = "GET", **more: Any) -> requests.Response:
        try:
            response: requests.Response = super().request(url, method=method, **more)
        except HttpError as error:
            raise _sorted_failure(error) from error
        if response.status_code not in (HTTPStatus.OK, HTTPStatus.CREATED):
            raise _sorted_answer(response)
        response.status_code = HTTPStatus.OK  # the client knows no other success of GET and PUT
        return response


def _answer(call: Any, *arguments: Any) -> Mapping[str, Any]:
    """The attributes in the server's answer; one that is not DataCite's comes from something else
    on the way (a proxy's page), which passes."""
    try:
        attributes = call(*arguments)
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise Transient("The registrar's answer was not DataCite's JSON.") from error
    if not isinstance(attributes, Mapping):
        raise Transient("The registrar's answer was not DataCite's JSON.")
    return attributes


def _receipt(doi: str, attributes: Mapping[str, Any]) -> Receipt:
    try:
        state = DoiState(str(attributes.get("state")))
    except ValueError as error:
        raise Transient("The registrar's answer names no state of a DOI.", doi=doi) from error
    return Receipt(doi=doi, state=state, url=str(attributes.get("url") or ""))


def _reached(receipt: Receipt, wanted: DoiState) -> Receipt:
    if receipt.state is not wanted:
        raise Permanent(
            f"The registrar left the DOI {receipt.state} where {wanted} was asked.",
            doi=receipt.doi,
            state=str(receipt.state),
        )
    return receipt


def _unknown(doi: str) -> Permanent:
    return Permanent("The registrar does not know this DOI.", doi=doi)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _sorted_failure(error: HttpError) -> PortError:
    """A request without an answer: no connection, a bad certificate, a time-out, a bad address."""
    cause = error.args[0] if error.args else error
    passing = (
        requests.ConnectionError,
        requests.Timeout,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
        ssl.SSLError,
    )
    if isinstance(cause, requests.Timeout):
        return Transient("The registrar did not answer in time.", error=str(cause))
    if isinstance(cause, passing):
        return Transient("The registrar cannot be reached.", error=str(cause))
    return Permanent("The registrar's address cannot be used.", error=str(cause))


def _sorted_answer(response: requests.Response) -> PortError:
    """An answer that is an error, with the server's text."""
    status = response.status_code
    text = _server_text(response)
    evidence: dict[str, object] = {"status": status, "answer": response.text[:_TOLD]}
    if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        said = f"The registrar is not available for now ({status}): {text}"
        return Transient(said, retry_after=_retry_after(response), **evidence)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Permanent(f"The registrar refuses our account ({status}): {text}", **evidence)
    return Permanent(f"The registrar refuses ({status}): {text}", **evidence)


def _server_text(response: requests.Response) -> str:
    """`creators: can't be blank; …` from a JSON:API error, else the reason phrase."""
    try:
        errors = response.json()["errors"]
        told = [
            ": ".join(str(error[key]) for key in ("source", "title") if error.get(key))
            for error in errors
        ]
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
        return response.reason or "no text"
    return "; ".join(told) or response.reason or "no text"


def _retry_after(response: requests.Response) -> float | None:
    """Seconds that the server asks for; a time of day is counted from the server's own clock."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isdigit():
        return float(said)
    try:
        until = parsedate_to_datetime(said)
        now = parsedate_to_datetime(response.headers["Date"])
    except (ValueError, KeyError):
        return None
    return max(0.0, (until - now).total_seconds())
