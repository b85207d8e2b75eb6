"""What programs read of runs across a proposal, what they change of one, and what they compare."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.ground import clock, lifecycle
from catalogue.ground.endpoints import ranges
from catalogue.ground.models import Entry, Technique
from runs.models import DataGroup, Replica, Run
from tests.calling import Caller, Callers, callers, done, proposal, refused, run
from tests.factories import Facility

__all__ = ["callers", "proposal", "run"]


@pytest.fixture
def one(run: Run) -> str:
    return f"proposals/{run.proposal.number}"


class TestChanging:
    def test_what_is_not_given_stays_and_null_takes_away(
        self, callers: Callers, one: str, run: Run
    ) -> None:
        Technique.objects.create(identifier="PaNET01188", name="SAXS")
        done(callers.leader.post(f"{one}/samples", {"name": "salt"}), 201)
        path = f"{one}/runs/1"
        changes = {"alias": "the good one", "sample": "salt", "techniques": ["PaNET01188"]}
        told = done(callers.leader.patch(path, changes))
        assert {name: told[name] for name in changes} == changes
        assert told["experiment"] == "LCP SFX"
        told = done(callers.leader.patch(path, {"sample": None, "techniques": []}))
        assert (told["sample"], told["techniques"]) == (None, [])
        assert told["alias"] == "the good one"
        done(callers.leader.patch(path, {"alias": ""}))
        entries = Entry.objects.filter(move="edit").order_by("id").values_list("facts", flat=True)
        assert entries[0]["techniques"] == ["PaNET01188"]
        assert len(entries) == 3

    @pytest.mark.parametrize(
        "change",
        [{"alias": "a\nb"}, {"alias": None}, {"sample": "nothing"}, {"techniques": ["x"]},
         {"techniques": None}, {"experiment": ""}, {"quality": "good"}],
    )  # fmt: skip
    def test_bad_values_are_named(self, callers: Callers, one: str, change: dict[str, Any]) -> None:
        refused(callers.leader.patch(f"{one}/runs/1", change), 422, next(iter(change)))

    def test_withdrawn_with_a_reason(self, callers: Callers, one: str) -> None:
        path = f"{one}/runs/1/withdraw"
        refused(callers.leader.post(path, {}), 422)
        assert done(callers.leader.post(path, {"reason": "a test"}))["withdrawn_at"]


def test_runs_are_ordered_and_narrowed(
    facility: Facility, callers: Callers, one: str, run: Run
) -> None:
    facility.run(run.proposal, files=1)
    facility.run(run.proposal, files=2, type_name="Dark")

    def numbers(query: str) -> list[int]:
        return [r["number"] for r in done(callers.leader.get(f"{one}/runs?{query}"))["results"]]

    assert numbers("") == [3, 2, 1]
    assert numbers("order=number") == [1, 2, 3]
    assert numbers("order=bytes") == [2, 3, 1]
    assert numbers("order=-file_count") == [1, 3, 2]
    assert numbers("type=Dark") == [3]
    assert numbers("until=2020-01-01T00:00:00Z") == []
    assert numbers("since=2020-01-01T00:00:00Z&order=-begin_at") == [3, 2, 1]
    refused(callers.leader.get(f"{one}/runs?since=yesterday"), 422, "since")
    refused(callers.leader.get(f"{one}/runs?order=comment"), 422, "order")
    page = done(callers.leader.get(f"{one}/runs?order=bytes&page_size=1"))
    assert done(callers.leader.get(page["next"]))["results"][0]["number"] == 3
    turned = page["next"].replace("order=bytes", "order=-bytes")
    refused(callers.leader.get(turned), 422, "cursor")


class TestReplicas:
    @pytest.fixture
    def copied(self, facility: Facility, callers: Callers, one: str, run: Run) -> None:
        """Two runs; the first is marked Good and copied to two more stores."""
        facility.run(run.proposal)
        done(callers.leader.post(f"{one}/runs/1/assess", {"quality": "good"}))
        lifecycle.perform_due()

    def test_all_of_a_proposal_and_of_a_run(self, callers: Callers, one: str, copied: None) -> None:
        told = done(callers.leader.get(f"{one}/replicas"))["results"]
        assert len(told) == Replica.objects.count()
        assert {(r["run"], r["store"]) for r in told} >= {
            (1, "online"), (1, "offline"), (1, "mass_storage"), (2, "online"),
        }  # fmt: skip
        of_one = done(callers.leader.get(f"{one}/runs/1/replicas"))["results"]
        assert of_one == [r for r in told if r["run"] == 1]
        for row in told:
            assert done(callers.leader.get(row["url"])) == row
        refused(callers.leader.get(f"{one}/runs/2/replicas/{of_one[0]['id']}"), 404)

    @pytest.mark.parametrize(
        ("query", "keeps"),
        [("runs=1", lambda r: r["run"] == 1),
         ("store=offline", lambda r: r["store"] == "offline"),
         ("tier=online&tier=offline", lambda r: r["tier"] in ("online", "offline")),
         ("state=verified", lambda r: r["state"] == "verified"),
         ("kind=RAW", lambda r: r["kind"] == "RAW"), ("kind=PROC", lambda r: r["kind"] == "PROC")],
    )  # fmt: skip
    def test_narrowed(
        self, callers: Callers, one: str, copied: None, query: str,
        keeps: Callable[[dict[str, Any]], bool],
    ) -> None:  # fmt: skip
        everything = done(callers.leader.get(f"{one}/replicas"))["results"]
        told = done(callers.leader.get(f"{one}/replicas?{query}"))["results"]
        assert told == [r for r in everything if keeps(r)]

    def test_data_of_no_run_are_told_too(
        self, facility: Facility, callers: Callers, one: str, run: Run
    ) -> None:
        group = DataGroup.objects.create(
            experiment=facility.experiment(run.proposal), kind="UNK", created_at=clock.now()
        )
        row = Replica.objects.create(
            data_group=group, store=facility.stores["offline"], created_at=clock.now()
        )
        told = done(callers.leader.get(f"{one}/replicas"))["results"]
        mine = next(r for r in told if r["id"] == row.pk)
        assert (mine["run"], mine["url"], mine["proposal"]) == (None, None, run.proposal.number)
        other = f"proposals/{facility.proposal().number}/replicas"
        assert done(callers.staff.get(other))["results"] == []


class TestReporting:
    @pytest.fixture
    def transfer(self, facility: Facility) -> Caller:
        program = facility.person()
        program.is_service = True
        program.save()
        return Caller(program, scopes=["read", "transfer"])

    def test_a_transfer_program_says_what_lies_where(
        self, facility: Facility, callers: Callers, transfer: Caller, one: str
    ) -> None:
        path = f"{one}/runs/1/replicas"
        copied = {"kind": "RAW", "store": "offline", "state": "copied"}
        told = done(transfer.post(path, copied), 201)
        assert (told["store"], told["state"]) == ("offline", "copied")
        assert done(transfer.post(path, copied))["id"] == told["id"]
        gone = {"kind": "RAW", "store": "offline", "state": "lost", "reason": "disk broke"}
        assert done(transfer.post(path, gone))["state"] == "lost"
        assert Entry.objects.filter(move="report_lost", reason="disk broke").exists()
        refused(callers.leader.post(path, copied), 403)
        refused(callers.daq.post(path, copied), 403)

    @pytest.mark.parametrize(
        "change", [{"kind": "PROC"}, {"store": "nowhere"}, {"state": "verified"}, {"state": None}]
    )
    def test_bad_reports_are_named(
        self, transfer: Caller, one: str, change: dict[str, Any]
    ) -> None:
        body = {"kind": "RAW", "store": "offline", "state": "copied"} | change
        refused(transfer.post(f"{one}/runs/1/replicas", body), 422, next(iter(change)))


def test_the_data_groups_of_a_proposal(
    facility: Facility, callers: Callers, one: str, run: Run
) -> None:
    facility.run(run.proposal, files=1)
    DataGroup.objects.create(
        experiment=facility.experiment(run.proposal), kind="UNK", created_at=clock.now()
    )
    told = done(callers.leader.get(f"{one}/data-groups"))["results"]
    assert [(g["run"], g["kind"], g["file_count"]) for g in told] == [
        (None, "UNK", 0), (2, "RAW", 1), (1, "RAW", 3),
    ]  # fmt: skip
    assert told[1]["stores"] == [{"store": "online", "state": "copied"}]

    def numbers(query: str) -> list[int | None]:
        found = done(callers.leader.get(f"{one}/data-groups?{query}"))["results"]
        return [g["run"] for g in found]

    assert numbers("runs=1") == [1]
    assert numbers("store=online&order=file_count") == [2, 1]
    assert numbers("store=offline") == []
    assert numbers("kind=UNK&kind=RAW&order=-file_count") == [1, 2, None]
    refused(callers.stranger.get(f"{one}/data-groups"), 404)


def test_files_are_found_by_name_and_checksum(callers: Callers, one: str) -> None:
    path = f"{one}/runs/1/files"
    files = done(callers.leader.get(path))["results"]
    for query in (f"name={files[1]['name']}", f"sha256={files[1]['sha256']}", "q=S00001"):
        assert done(callers.leader.get(f"{path}?{query}"))["results"] == [files[1]]
        stream = callers.leader.get(f"{path}?{query}", accept="application/x-ndjson")
        assert len(b"".join(stream.streaming_content).splitlines()) == 1
    refused(callers.leader.get(f"{path}?sha256=1"), 422, "sha256")
    refused(callers.leader.get(f"{path}?kind=XYZ"), 422, "kind")


class TestCalibrations:
    def test_of_all_runs_of_the_proposal_and_one_by_one(
        self, facility: Facility, callers: Callers, one: str, run: Run
    ) -> None:
        facility.detector()
        facility.run(run.proposal)
        facility.run(run.proposal, type_name="Dark")
        for number in (1, 2):
            done(callers.leader.post(f"{one}/runs/{number}/calibrations", {}), 201)
        done(callers.leader.post(f"{one}/runs/3/dark-requests", {}), 201)
        told = done(callers.leader.get(f"{one}/calibrations"))["results"]
        assert [c["run"] for c in told] == [2, 1]
        assert done(callers.leader.get(f"{one}/runs/2/calibrations/{told[0]['id']}")) == told[0]
        refused(callers.leader.get(f"{one}/runs/1/calibrations/{told[0]['id']}"), 404)
        narrowed = done(callers.leader.get(f"{one}/calibrations?runs=1&state=requested"))
        assert narrowed["results"] == told[1:]
        assert done(callers.leader.get(f"{one}/calibrations?state=failed"))["results"] == []
        darks = done(callers.leader.get(f"{one}/dark-requests?detector=SPB_DET_AGIPD1M-1"))
        assert [d["run"] for d in darks["results"]] == [3]
        path = f"{one}/runs/3/dark-requests/{darks['results'][0]['id']}"
        assert done(callers.leader.get(path)) == darks["results"][0]


class TestComparing:
    @pytest.fixture
    def path(self, one: str) -> str:
        return f"{one}/runs/1/files/check"

    @pytest.fixture
    def known(self, callers: Callers, one: str) -> list[dict[str, Any]]:
        told = done(callers.leader.get(f"{one}/runs/1/files"))["results"]
        return [{k: f[k] for k in ("name", "bytes", "sha256")} for f in told]

    def test_what_is_registered_missing_and_otherwise(
        self, callers: Callers, path: str, known: list[dict[str, Any]]
    ) -> None:
        asked = [
            *known,
            {"name": known[0]["name"]},
            {"name": "new.h5", "bytes": 1},
            known[0] | {"bytes": 1},
            known[1] | {"sha256": "0" * 64, "adler32": "00000000"},
            {"name": "a/b"},
            known[2] | {"bytes": -1},
            {"name": "x", "size": 3},
            7,
        ]
        told = done(callers.leader.post(path, {"kind": "RAW", "files": asked}))
        counts = {k: told[k] for k in ("registered", "missing", "conflicting", "invalid")}
        assert counts == {"registered": 4, "missing": 1, "conflicting": 2, "invalid": 4}
        assert [(f["row"], f["state"], f["field"]) for f in told["files"]] == [
            (4, "missing", None), (5, "conflicting", "bytes"), (6, "conflicting", "sha256"),
            (7, "invalid", "name"), (8, "invalid", "bytes"), (9, "invalid", "size"),
            (10, "invalid", "files"),
        ]  # fmt: skip
        assert told["files"][1]["registered"]["bytes"] == known[0]["bytes"]
        assert not told["more"]
        told = done(callers.leader.post(path, {"kind": "PROC", "files": known}))
        assert told["missing"] == len(known)

    def test_a_stream_of_any_length_and_an_answer_that_is_not(
        self, callers: Callers, path: str, known: list[dict[str, Any]], settings: Any
    ) -> None:
        settings.BULK_FILES_MAX = 10
        rows = [*known, *({"name": f"new{n}.h5"} for n in range(2000))]
        body = "\n".join(json.dumps(r) for r in rows).encode()
        stream = "application/x-ndjson"
        told = done(callers.leader.post(f"{path}?kind=RAW", body, content_type=stream))
        assert (told["registered"], told["missing"], told["more"]) == (3, 2000, True)
        assert [f["row"] for f in told["files"]] == list(range(3, 13))
        refused(callers.leader.post(path, body, content_type=stream), 422, "kind")

    def test_it_writes_nothing_and_is_for_those_who_see_the_run(
        self, callers: Callers, path: str, run: Run
    ) -> None:
        before = Entry.objects.count()
        done(callers.leader.post(path, {"kind": "RAW", "files": [{"name": "new.h5"}]}))
        run.refresh_from_db()
        assert (run.file_count, Entry.objects.count()) == (3, before)
        refused(callers.stranger.post(path, {"kind": "RAW", "files": []}), 404)

    def test_a_file_called_check_is_given_out(
        self, callers: Callers, path: str, facility: Facility, run: Run
    ) -> None:
        refused(callers.leader.get(path), 404)


class TestRanges:
    @pytest.fixture
    def whole(self, facility: Facility, run: Run) -> bytes:
        return (facility.raw_folder(run) / "RAW-R0001-DA01-S00000.h5").read_bytes()

    @pytest.fixture
    def path(self, one: str) -> str:
        return f"{one}/runs/1/files/RAW-R0001-DA01-S00000.h5"

    @pytest.mark.parametrize(
        ("header", "first", "last"),
        [("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), ("bytes=990-", 990, 999),
         ("bytes=-10", 990, 999), ("bytes=0-99999", 0, 999), ("bytes=-99999", 0, 999)],
    )  # fmt: skip
    def test_a_part_is_sent(
        self, callers: Callers, path: str, whole: bytes, header: str, first: int, last: int
    ) -> None:
        answer = callers.leader.get(path, range=header)
        assert answer.status_code == 206
        assert b"".join(answer.streaming_content) == whole[first : last + 1]
        assert answer["Content-Range"] == f"bytes {first}-{last}/1000"
        assert answer["Content-Length"] == str(last - first + 1)

    @pytest.mark.parametrize("header", ["bytes=1-2,5-6", "lines=1-2", "bytes=5-2", "bytes=-", "x"])
    def test_what_is_no_range_gives_the_whole(
        self, callers: Callers, path: str, whole: bytes, header: str
    ) -> None:
        answer = callers.leader.get(path, range=header)
        assert answer.status_code == 200
        assert answer["Accept-Ranges"] == "bytes"
        assert b"".join(answer.streaming_content) == whole

    def test_beyond_the_end_there_is_nothing(self, callers: Callers, path: str) -> None:
        for header in ("bytes=1000-", "bytes=-0"):
            answer = callers.leader.get(path, range=header)
            refused(answer, 416)
            assert answer["Content-Range"] == "bytes */1000"

    def test_a_download_goes_on_only_with_the_same_file(
        self, callers: Callers, path: str, whole: bytes
    ) -> None:
        first = callers.leader.get(path)
        assert b"".join(first.streaming_content) == whole
        tag = first["ETag"]
        for known, status in ((tag, 206), ('"other"', 200)):
            answer = callers.leader.get(path, range="bytes=500-", if_range=known)
            sent = whole[500:] if status == 206 else whole
            assert (answer.status_code, b"".join(answer.streaming_content)) == (status, sent)

    @given(st.integers(0, 50), st.none() | st.integers(0, 60), st.none() | st.integers(0, 60))
    def test_any_range_lies_within_the_file(
        self, size: int, first: int | None, last: int | None
    ) -> None:
        header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
        try:
            found = ranges.asked(header, size)
        except ranges.NoSuchRange:
            assert (first is not None and first >= size) or (first is None and not (last and size))
            return
        if found is not None:
            assert 0 <= found[0] <= found[1] < size
            if first is not None:
                assert found[0] == first
                assert last is None or found[1] == min(last, size - 1)
            elif last is not None:
                assert found == (max(size - last, 0), size - 1)
