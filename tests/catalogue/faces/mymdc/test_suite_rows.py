"""The rows that the clients' suites presuppose: entered whole or not at all."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from catalogue.faces.mymdc.suites import entering
from catalogue.ground.models import Entry, Program, Technique, Unit, User
from proposals.models import Proposal
from runs.models import Replica, Run
from tests.catalogue.faces.mymdc.conftest import PROGRAM
from tests.factories import Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.django_db


def enter() -> str:
    out = StringIO()
    call_command("enter_suite_rows", stdout=out)
    return out.getvalue()


def test_the_ids_are_those_of_the_suites() -> None:
    enter()
    assert sorted(Proposal.objects.values_list("pk", flat=True)) == [-3, -2, -1]
    assert sorted(Technique.objects.values_list("pk", flat=True)) == [-2, -1]
    assert Legacy.of(*PROGRAM).get("runs/-1").json()["run_number"] == 1


def test_states_come_by_moves_and_are_told() -> None:
    enter()
    run = Run.objects.get(pk=-1)
    assert (run.status, run.quality) == ("closed", "good")
    assert Replica.objects.get(pk=1).state == "copied"
    assert Proposal.objects.get(pk=-2).state == "R"
    told = Entry.objects.filter(subject_type="runs.run", subject_id=-1)
    assert sorted(told.values_list("move", flat=True)) == ["adopt_status", "assess", "enter"]
    assert set(Entry.objects.values_list("actor_name", flat=True)) == {entering.LOADER.name}


def test_the_program_acts_for_the_suites_person_only() -> None:
    enter()
    [program] = Program.objects.all()
    assert [user.email for user in program.acts_for.all()] == ["suite.user@example.org"]
    assert "local-ci-secret" not in program.client_secret
    assert not User.objects.get(pk=1).has_usable_password()


def test_entering_again_changes_nothing() -> None:
    assert "Entered 0 rows" not in enter()
    rows, told = Run.objects.count(), Entry.objects.count()
    assert "Entered 0 rows" in enter()
    assert (Run.objects.count(), Entry.objects.count()) == (rows, told)


def test_what_was_deleted_comes_back() -> None:
    enter()
    Technique.objects.filter(pk=-2).delete()
    assert "Entered 1 rows" in enter()


def test_new_rows_get_ids_above_those_of_the_suites() -> None:
    enter()
    kept = Unit.objects.create(name="After", identifier="AFTER", symbol="a", origin="Other")
    assert kept.pk > 1
    assert Technique.objects.create(identifier="AFTER", name="After").pk > 0


@pytest.mark.parametrize("what", ["id", "unique", "program"])
def test_other_rows_in_the_way_are_listed_and_nothing_is_entered(what: str) -> None:
    if what == "id":
        Unit.objects.create(pk=1, name="Mine", identifier="MINE", symbol="m", origin="Other")
        awaited = "ground.unit 1: name is 'Mine', not 'Number'"
    elif what == "unique":
        Technique.objects.create(identifier="TECHNIQUE-TEST-1", name="Mine")
        awaited = "ground.technique -1: Technique with this Identifier already exists."
    else:
        enter()
        Program.objects.update(name="Mine")
        awaited = "program 'Mine': has the client id 'local-ci-client'"
    before = Entry.objects.count()
    with pytest.raises(CommandError) as refused:
        enter()
    assert awaited in str(refused.value)
    assert "Nothing was entered" in str(refused.value)
    assert Entry.objects.count() == before


def test_a_catalogue_in_use_is_refused(facility: Facility) -> None:
    with pytest.raises(CommandError):
        enter()
    assert not Proposal.objects.filter(pk__lt=0).exists()


def test_a_row_that_breaks_a_rule_takes_all_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(told: object) -> None:
        raise IntegrityError("as if somebody had been faster")

    monkeypatch.setattr(entering, "_enter_program", broken)
    with transaction.atomic(), pytest.raises(IntegrityError):
        enter()
    assert not Proposal.objects.exists()
    assert not Entry.objects.exists()
