"""The reference tables: each opens, and nothing with a lifecycle can be changed there."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client

from catalogue.ground.models import Entry, Thing
from tests.factories import Facility


@pytest.fixture
def client(facility: Facility) -> Client:
    facility.policy()
    user = facility.staff.user
    user.is_staff = user.is_superuser = True
    user.save()
    client = Client()
    client.force_login(user)
    return client


def test_every_table_opens_with_its_rows(client: Client) -> None:
    assert client.get("/admin/").status_code == 200
    for model in admin.site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        answer = client.get(path)
        assert answer.status_code == 200, path
        row = model._base_manager.first()
        if row is not None:
            assert client.get(f"{path}{row.pk}/change/").status_code == 200, path


@pytest.mark.parametrize(
    ("thing", "column", "value"),
    [("store", "mount", "/elsewhere"), ("instrument", "identifier", "SPB2"),
     ("cycle", "identifier", "202699")],
)  # fmt: skip
def test_what_the_data_lie_below_stays(
    facility: Facility, client: Client, thing: str, column: str, value: str
) -> None:
    """Paths follow from it: changed, nothing would be found any more, nor be known as ours."""
    rows = {"store": facility.stores["online"], "instrument": facility.instrument}
    row = rows.get(thing, facility.cycle)
    path = f"/admin/ground/{thing}/{row.pk}/change/"
    form = client.get(path).context["adminform"].form
    known = {name: form[name].value() for name in form.fields}
    given = {n: told for n, told in known.items() if told is not None and told is not False}
    for name in ("begin_at", "end_at", "call_begin_at", "call_end_at"):
        given.pop(name, None)
    changed = {**given, column: value}
    answer = client.post(path, changed)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert client.post(path, given).status_code == 302
    row.refresh_from_db()  # as it was: what the facility writes goes there
    facility.run(facility.proposal(state="A"))
    refused = client.post(path, changed)
    assert refused.status_code == 200
    assert column in refused.context["adminform"].form.errors
    row.refresh_from_db()
    assert getattr(row, column) == given[column]
    assert client.post(path, {**given, "description": "new"}).status_code == 302


def test_states_and_the_journal_are_not_among_them() -> None:
    for model in admin.site._registry:
        assert not issubclass(model, Thing), model
        assert model is not Entry


def test_others_do_not_come_in(facility: Facility) -> None:
    client = Client()
    client.force_login(facility.person("data_manager"))
    assert client.get("/admin/").status_code == 302


def test_staff_who_are_no_superusers_cannot_change_accounts_and_offices(
    facility: Facility,
) -> None:
    """Even with every permission of Django's own: they could make themselves superusers."""
    clerk = facility.person()
    clerk.is_staff = True
    clerk.save()
    clerk.user_permissions.set(Permission.objects.all())
    client = Client()
    client.force_login(clerk)
    for path in (f"user/{clerk.pk}/change/", "user/add/", "appointment/add/"):
        answer = client.post(f"/admin/ground/{path}", {"is_superuser": "on", "username": "me"})
        assert answer.status_code == 403, path
    clerk.refresh_from_db()
    assert not clerk.is_superuser


def test_the_flag_and_django_s_permissions_open_nothing(facility: Facility) -> None:
    """Who may see and change a table is asked of the rules, with each click anew."""
    clerk = facility.person()
    clerk.is_staff = True
    clerk.save()
    clerk.user_permissions.set(Permission.objects.all())
    client = Client()
    client.force_login(clerk)
    store = facility.stores["online"]
    paths = ("instrument/", "store/", f"store/{store.pk}/change/", "user/", "appointment/add/")
    for path in paths:
        assert client.get(f"/admin/ground/{path}").status_code == 403, path
    assert store.mount not in client.get("/admin/").content.decode()
    assert (
        client.post(f"/admin/ground/store/{store.pk}/delete/", {"post": "yes"}).status_code == 403
    )
    office = clerk.appointments.create(role="user_office")
    assert client.get("/admin/ground/cycle/").status_code == 200
    assert client.get("/admin/ground/store/").status_code == 403
    office.role = "data_manager"
    office.save()
    assert client.get("/admin/ground/store/").status_code == 200
    office.delete()
    assert client.get("/admin/ground/store/").status_code == 403


def test_a_superuser_gives_offices_and_nothing_else_and_it_is_told(facility: Facility) -> None:
    boss = facility.person()
    boss.is_staff = boss.is_superuser = True
    boss.save()
    client = Client()
    client.force_login(boss)
    assert client.get("/admin/ground/store/").status_code == 403
    given = {"user": boss.pk, "role": "data_manager", "instrument": "", "until": ""}
    assert client.post("/admin/ground/appointment/add/", given).status_code == 302
    told = Entry.objects.get(subject_type="ground.appointment")
    assert (told.move, told.actor, told.face) == ("enter", boss, "admin")
    assert told.facts["role"] == "data_manager"
    assert client.get("/admin/ground/store/").status_code == 200
