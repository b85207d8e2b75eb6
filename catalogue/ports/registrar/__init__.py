"""Registrars: where DOIs are registered and published."""

from __future__ import annotations

from catalogue.ports.registrar.contract import DoiState, Receipt, Registrar
from catalogue.ports.registrar.datacite_rest import TIMEOUT, DataCiteRegistrar
from catalogue.ports.registrar.null import NullRegistrar

__all__ = [
    "DataCiteRegistrar",
    "DoiState",
    "NullRegistrar",
    "Receipt",
    "Registrar",
    "registrar_from",
]


def registrar_from(
    url: str,
    username: str,
    password: str,
    prefix: str,
    *,
    timeout: tuple[float, float] = TIMEOUT,
) -> Registrar:
    """The registrar at `url`, which speaks DataCite's REST API; none where `url` is empty.

    `prefix` is the facility's DOI prefix; `timeout` is (connect, read) in seconds.
    """
    if not url:
        return NullRegistrar()
    return DataCiteRegistrar(url, username, password, prefix, timeout=timeout)
