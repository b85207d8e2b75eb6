"""The reference tables remember: who changed a row, when, and what stood there before."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client

from catalogue.ground import reference
from catalogue.ground.admin import Kept
from catalogue.ground.models import Cycle, DataKind, Instrument, Store
from catalogue.ground.models.recorded import Recorded
from runs.models import CauseTag, File
from tests.factories import Facility


@pytest.fixture
def client(facility: Facility) -> Client:
    user = facility.staff.user
    user.is_staff = user.is_superuser = True
    user.save()
    client = Client()
    client.force_login(user)
    return client


def _kept() -> list[type[models.Model]]:
    return [model for model, shown in admin.site._registry.items() if isinstance(shown, Kept)]


def test_reference_tables_have_a_history_and_files_have_none() -> None:
    tables = _kept()
    assert {Store, Instrument, Cycle, CauseTag} <= set(tables)
    assert all(hasattr(table, "history") for table in tables)
    assert not hasattr(File, "history")
    assert not hasattr(Recorded, "history")


def test_a_change_in_the_admin_tells_who_when_and_what_it_was(
    client: Client, facility: Facility
) -> None:
    cycle = facility.cycle
    path = f"/admin/ground/cycle/{cycle.pk}"
    answer = client.post(
        f"{path}/change/", {"identifier": "202602", "available": "on", "description": "<b>late</b>"}
    )
    assert answer.status_code == 302, answer.content[-2000:]
    html = client.get(f"{path}/history/").content.decode()
    assert facility.staff.user.full_name in html
    assert "202601 → 202602" in html
    assert "&lt;b&gt;late&lt;/b&gt;" in html
    assert "style=" not in html.partition('id="change-history"')[2]
    row = cycle.history.first()
    seen = client.get(f"{path}/history/{row.pk}/").content.decode()
    assert "The row as it was then" in seen
    assert 'value="Revert"' not in seen


def test_every_history_opens_under_the_policy_of_the_site(client: Client) -> None:
    CauseTag.objects.create(name="beam lost")
    for table in _kept():
        row = table._base_manager.first()
        if row is None:
            continue
        base = f"/admin/{table._meta.app_label}/{table._meta.model_name}/{row.pk}"
        answer = client.get(f"{base}/history/")
        assert answer.status_code == 200, base
        assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]


def test_the_verbs_of_programs_are_remembered_too(facility: Facility) -> None:
    store = facility.stores["online"]
    reference.change(store, {"quota_bytes": 10**12}, by=facility.staff)
    newest, before = store.history.all()[:2]
    assert (before.quota_bytes, newest.quota_bytes) == (None, 10**12)
    assert [c.field for c in newest.diff_against(before).changes] == ["quota_bytes"]


def test_which_techniques_an_instrument_had_is_remembered(facility: Facility) -> None:
    technique = reference.enter(
        reference_table(), {"identifier": "PaNET01", "name": "x"}, by=facility.staff
    )
    reference.relate(facility.instrument, "techniques", [technique], by=facility.staff)
    newest = facility.instrument.history.first()
    assert [row.technique for row in newest.techniques.all()] == [technique]


def reference_table() -> type[Recorded]:
    return Instrument.techniques.rel.model


def test_a_kind_of_data_that_the_code_knows_stays(client: Client) -> None:
    raw = DataKind.objects.get(identifier="RAW")
    assert (
        client.post(f"/admin/ground/datakind/{raw.pk}/delete/", {"post": "yes"}).status_code == 403
    )
    client.post(f"/admin/ground/datakind/{raw.pk}/change/", {"name": "Raw", "identifier": "OTHER"})
    raw.refresh_from_db()
    assert raw.identifier == "RAW"


def test_a_row_that_is_gone_still_tells_who_removed_it(client: Client, facility: Facility) -> None:
    tag = CauseTag.objects.create(name="beam lost")
    client.post(f"/admin/runs/causetag/{tag.pk}/delete/", {"post": "yes"})
    told = CauseTag.history.filter(id=tag.pk).first()
    assert (told.history_type, told.history_user) == ("-", facility.staff.user)
