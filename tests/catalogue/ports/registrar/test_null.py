from __future__ import annotations

import pytest

from catalogue.ports.outcome import Permanent
from catalogue.ports.registrar import DataCiteRegistrar, NullRegistrar, registrar_from


def test_without_an_address_there_is_no_registrar():
    assert isinstance(registrar_from("", "u", "p", "10.5072"), NullRegistrar)
    named = registrar_from("https://api.datacite.example", "u", "secret", "10.5072")
    assert isinstance(named, DataCiteRegistrar)
    assert "secret" not in repr(named)


def test_no_registrar_pretends_nothing():
    nothing = NullRegistrar()
    assert nothing.state("10.5072/1") is None
    for verb in (
        lambda: nothing.register("10.5072/1", {}, ""),
        lambda: nothing.publish("10.5072/1", {}, ""),
        lambda: nothing.update("10.5072/1", {}, ""),
        lambda: nothing.hide("10.5072/1"),
    ):
        with pytest.raises(Permanent, match="REGISTRAR_URL") as refusal:
            verb()
        assert refusal.value.evidence == {"doi": "10.5072/1"}
