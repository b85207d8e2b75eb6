"""Entity tags: what has not changed is not sent again, and nobody overwrites what they have not
seen."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from catalogue.ground.endpoints import etags
from catalogue.ground.models import DetectorUnit
from proposals.models import Proposal
from runs.api.constants_entered import OneUnit
from runs.models import Run
from tests.calling import Callers, done, refused
from tests.factories import Facility


@pytest.fixture
def items(facility: Facility, run: Run, callers: Callers) -> list[tuple[str, dict[str, Any]]]:
    """Every kind of thing that is changed, with a change."""
    one = f"proposals/{run.proposal.number}"
    sample = done(callers.leader.post(f"{one}/samples", {"name": "salt"}), 201)
    member = facility.person().username
    done(callers.leader.post(f"{one}/members", {"login": member}), 201)
    experiment = done(callers.staff.get(f"{one}/experiments"))["results"][0]
    beamtime = done(callers.staff.get(f"{one}/beamtimes"))[0]
    return [
        (one, {"keywords": "ice"}),
        (f"{one}/runs/1", {"comment": "new"}),
        (f"{one}/samples/{sample['id']}", {"description": "new"}),
        (f"{one}/experiments/{experiment['id']}", {"description": "new"}),
        (f"{one}/members/{member}", {"role": "deputy"}),
        (f"{one}/beamtimes/{beamtime['id']}", {"end_at": "2027-02-01T08:00:00Z"}),
    ]


def test_a_tag_is_strong_and_of_the_content(
    items: list[tuple[str, dict[str, Any]]], callers: Callers
) -> None:
    for path, change in items:
        first = callers.staff.get(path)
        assert first["ETag"].startswith('"')
        assert callers.staff.get(path)["ETag"] == first["ETag"]
        changed = callers.staff.patch(path, change)
        assert changed["ETag"] != first["ETag"]
        assert callers.staff.get(path)["ETag"] == changed["ETag"]


def test_what_has_not_changed_is_not_sent_again(
    items: list[tuple[str, dict[str, Any]]], callers: Callers
) -> None:
    for path, change in items:
        known = callers.staff.get(path)["ETag"]
        for header in (known, f'"other", {known}', f"W/{known}", f'W/"other",W/{known}', "*"):
            again = callers.staff.get(path, if_none_match=header)
            assert (again.status_code, again.content) == (304, b"")
            assert again["ETag"] == known
        for header in ('"other"', "nonsense", known.strip('"')):
            assert callers.staff.get(path, if_none_match=header).status_code == 200
        done(callers.staff.patch(path, change))
        assert callers.staff.get(path, if_none_match=known).status_code == 200


def test_of_two_who_saw_the_same_one_is_refused(
    items: list[tuple[str, dict[str, Any]]], callers: Callers
) -> None:
    for path, change in items:
        seen = callers.staff.get(path)["ETag"]
        first = callers.staff.patch(path, change, if_match=seen)
        done(first)
        problem = refused(callers.staff.patch(path, change, if_match=seen), 412)
        assert problem["type"].endswith("/changed-meanwhile")
        assert problem["etag"] == first["ETag"]
        done(callers.staff.patch(path, change, if_match=problem["etag"]))
        done(callers.staff.patch(path, change, if_match="*"))
        done(callers.staff.patch(path, change))


def test_what_is_taken_out_meanwhile_is_found_no_more(
    facility: Facility, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading the row and waiting for its lock."""
    unit = facility.detector().units.first()
    assert unit is not None
    read = OneUnit.held

    def held(self: OneUnit, name: str) -> DetectorUnit:
        row = read(self, name)
        DetectorUnit.objects.filter(pk=row.pk).delete()
        return row

    monkeypatch.setattr(OneUnit, "held", held)
    body = {"description": "mine"}
    refused(callers.staff.patch(f"detector-units/{unit.physical_name}", body, if_match="*"), 404)


def test_a_weak_or_unreadable_tag_changes_nothing(run: Run, callers: Callers) -> None:
    path = f"proposals/{run.proposal.number}/runs/1"
    seen = callers.staff.get(path)["ETag"]
    refused(callers.staff.patch(path, {"comment": "x"}, if_match=f"W/{seen}"), 412)
    for header in (seen.strip('"'), "", '"a" "b"'):
        refused(callers.staff.patch(path, {"comment": "x"}, if_match=header), 422, "If-Match")
    run.refresh_from_db()
    assert run.comment == ""


def test_a_thing_is_not_removed_that_was_changed_meanwhile(run: Run, callers: Callers) -> None:
    one = f"proposals/{run.proposal.number}"
    sample = done(callers.leader.post(f"{one}/samples", {"name": "salt"}), 201)
    path = f"{one}/samples/{sample['id']}"
    seen = callers.leader.get(path)["ETag"]
    changed = callers.leader.patch(path, {"description": "NaCl"})
    refused(callers.leader.send("delete", path, if_match=seen), 412)
    gone = callers.leader.send("delete", path, if_match=changed["ETag"])
    assert gone.status_code == 204
    refused(callers.leader.send("delete", path, if_match="*"), 404)


def test_it_does_not_tell_whether_there_is_one(run: Run, callers: Callers) -> None:
    path = f"proposals/{run.proposal.number}/runs/1"
    refused(callers.stranger.patch(path, {"comment": "x"}, if_match='"x"'), 404)
    refused(callers.stranger.patch(path, {"comment": "x"}, if_match="*"), 404)


def test_the_order_of_members_does_not_matter() -> None:
    assert etags.tag({"a": 1, "b": [2]}) == etags.tag({"b": [2], "a": 1})
    assert etags.tag({"a": 1}) != etags.tag({"a": "1"})


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_time_one_passes(
    transactional_db: None, facility: Facility, proposal: Proposal, callers: Callers
) -> None:
    """All saw the same; each writes something else, at once, over connections of their own."""
    facility.run(proposal)
    path = f"proposals/{proposal.number}/runs/1"
    seen = callers.staff.get(path)["ETag"]
    ready = threading.Barrier(5)
    answers: list[Any] = []

    def write(number: int) -> None:
        ready.wait()
        try:
            answers.append(callers.staff.patch(path, {"comment": str(number)}, if_match=seen))
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=[n]) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(a.status_code for a in answers)
    assert statuses == [200, 412, 412, 412, 412]
    passed = next(a for a in answers if a.status_code == 200)
    assert done(callers.staff.get(path))["comment"] == passed.json()["comment"]
