"""Programs that report the same thing at the same time, over the legacy API with real connections:
it is said once, the counts are right, and nobody meets a fault of the server."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from catalogue.ground.models import DataKind
from catalogue.ground.models.facility import KINDS
from runs.models import DataGroup, File, Replica, Run
from tests.catalogue.faces.mymdc.facts import file_of, group_of, made, register, run_of
from tests.catalogue.faces.mymdc.test_dataset_files import counts_are_right
from tests.factories import Facility
from tests.legacy import Legacy

pytestmark = pytest.mark.services
TOGETHER = 4


def _at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """What each act gave; all of them begin together, on connections of their own."""
    start, given = threading.Barrier(len(acts)), [None] * len(acts)

    def work(number: int) -> None:
        try:
            start.wait(10)
            given[number] = acts[number]()
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return given


def _statuses(answers: list[Any]) -> list[int]:
    codes = [answer.status_code for answer in answers]
    assert max(codes) < 500, [answer.content for answer in answers]
    return sorted(codes)


@pytest.fixture
def site(transactional_db: None, tmp_path: Path) -> Facility:
    """A facility whose rows other connections can see."""
    if connection.vendor != "postgresql":
        pytest.skip("needs DATABASE_URL on PostgreSQL (make test-services)")
    return Facility(tmp_path / "stores")


@pytest.fixture
def programs(site: Facility) -> list[Legacy]:
    for identifier, name in KINDS:  # gone with the rows of the test before
        DataKind.objects.get_or_create(identifier=identifier, defaults={"name": name})
    found = [Legacy(site) for _ in range(TOGETHER + 2)]
    for program in found:
        program._client.raise_request_exception = False
        program.get("me")
    return found


def test_the_same_files_are_registered_once(site: Facility, programs: list[Legacy]) -> None:
    _, group = register(programs[0], site, site.proposal(state="A"))
    files = [file_of(group, f"{n}.h5") for n in range(200)]

    def send(program: Legacy) -> Any:
        mixed = random.sample(files, len(files))
        return program.post("dataset_files/bulk_create", {"dataset_files": mixed})

    assert (
        _statuses(_at_once([lambda p=p: send(p) for p in programs[:TOGETHER]])) == [201] * TOGETHER
    )
    assert File.objects.count() == 200
    counts_are_right()


def test_files_of_several_groups_come_go_and_change(site: Facility, programs: list[Legacy]) -> None:
    proposal = site.proposal(state="A")
    groups = [register(programs[0], site, proposal, number)[1] for number in (1, 2, 3)]

    def work(program: Legacy, number: int) -> Any:
        for turn in range(6):
            mixed = random.sample(groups, len(groups))
            files = [file_of(g, f"{number}-{turn}-{n}.h5") for g in mixed for n in range(5)]
            rows = made_many(program.post("dataset_files/bulk_create", {"dataset_files": files}))
            told = [{"id": row["id"], "byte_size": 5} for row in rows[:7]]
            answers = [
                program.post("dataset_files/bulk_update", {"dataset_files": told}),
                program.put(f"data_groups/{mixed[0]['id']}", {"description": str(turn)}),
                program.post("dataset_files/bulk_delete",
                             {"dataset_files": {"ids": [row["id"] for row in rows[4:9]]}}),
            ]  # fmt: skip
            worst = max(answers, key=lambda answer: answer.status_code)
            if worst.status_code >= 400:
                return worst
        return worst

    found = _at_once([lambda p=p, n=n: work(p, n) for n, p in enumerate(programs[:TOGETHER])])
    assert max(_statuses(found)) < 300, [answer.content for answer in found]
    assert File.objects.count() == TOGETHER * 6 * 10
    counts_are_right()


def made_many(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 201, answer.content
    rows: list[dict[str, Any]] = answer.json()
    return rows


def test_a_run_is_made_closed_and_has_its_data_once(site: Facility, programs: list[Legacy]) -> None:
    proposal = site.proposal(state="A")
    site.experiment(proposal)
    sent = run_of(site, proposal)
    codes = _statuses(
        _at_once([lambda p=p: p.post("runs", {"run": sent}) for p in programs[:TOGETHER]])
    )
    assert codes == [201, *[422] * (TOGETHER - 1)]
    run = Run.objects.get()
    ended = {"flg_status": 2, "end_at": "2026-11-20T10:00:00Z", "last_train": 2000}
    codes = _statuses(
        _at_once([lambda p=p: p.put(f"runs/{run.pk}", ended) for p in programs[:TOGETHER]])
    )
    assert codes[0] == 200
    run.refresh_from_db()
    assert run.status == "closed"
    row = programs[0].get(f"runs/{run.pk}").json()
    group = group_of(programs[0], row)
    acts = [lambda p=p: p.post("data_groups", {"data_group": group}) for p in programs[:TOGETHER]]
    assert _statuses(_at_once(acts)) == [201] * TOGETHER
    assert sorted(DataGroup.objects.values_list("edition", flat=True)) == [1, 2, 3, 4]


def test_where_data_lie_is_said_once(site: Facility, programs: list[Legacy]) -> None:
    _, group = register(programs[0], site, site.proposal(state="A"))
    made(programs[0].post("dataset_files", file_of(group, "a.h5")))
    there = {"data_group_id": group["id"], "repository_id": site.stores["offline"].pk}
    path = "data_groups_repositories"
    acts = [lambda p=p: p.post(path, {"data_group_repository": there}) for p in programs[:TOGETHER]]
    _statuses(_at_once(acts))
    row = Replica.objects.get(store=site.stores["offline"])
    for turn in range(5):
        acts = [
            lambda p=p, n=n: p.put(f"{path}/{row.pk}", {"flg_available": n % 2 == 0})
            for n, p in enumerate(programs[:TOGETHER], turn)
        ]
        assert _statuses(_at_once(acts)) == [200] * TOGETHER
    assert Replica.objects.filter(store=site.stores["offline"]).count() == 1


def test_deleting_while_others_register(site: Facility, programs: list[Legacy]) -> None:
    proposal = site.proposal(state="A")
    for number in range(1, 11):
        run, group = register(programs[0], site, proposal, number)
        files = {"dataset_files": [file_of(group, f"{n}.h5") for n in range(50)]}
        acts = [
            lambda f=files: programs[0].post("dataset_files/bulk_create", f),
            lambda g=group: programs[1].delete(f"data_groups/{g['id']}"),
            lambda r=run: programs[2].delete(f"runs/{r['id']}"),
            lambda g=group: programs[3].put(f"data_groups/{g['id']}", {"description": "x"}),
            lambda g=group: programs[4].post(
                "data_files", {"data_group_id": g["id"], "files": "f" * 50}
            ),
            lambda f=files: programs[5].post("dataset_files/bulk_create", f),
        ]
        _statuses(_at_once(acts))
        counts_are_right()
