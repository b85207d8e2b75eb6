"""Files over REST: bulk registration, streams in and out, downloads."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalogue.ground import clock
from catalogue.ground.actor import WORKER
from catalogue.ground.endpoints import streams
from catalogue.ground.lifecycle import advance
from catalogue.ground.models import Doi, Entry
from proposals.models import Proposal
from runs.models import DataGroup, File, Replica, Run
from tests.calling import Caller, Callers, done, refused
from tests.factories import Facility

LINES = "application/x-ndjson"
SHA = "ab" * 32


@pytest.fixture
def opened(facility: Facility, proposal: Proposal) -> Run:
    return facility.run(proposal, files=0, closed=False)


@pytest.fixture
def path(opened: Run, proposal: Proposal) -> str:
    return f"proposals/{proposal.number}/runs/{opened.number}/files"


def _file(name: str = "RAW-R0001-DA01-S00000.h5", **change: Any) -> dict[str, Any]:
    return {"name": name, "bytes": 10, "sha256": SHA} | change


def _many(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [
        _file(f"RAW-R0001-DA01-S{n:05d}.h5", sha256=f"{n:064x}")
        for n in range(start, start + count)
    ]


def _body(*files: Any) -> dict[str, Any]:
    return {"kind": "RAW", "files": list(files)}


def _lines(rows: list[Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def _stream(caller: Caller, path: str, body: bytes, **headers: str) -> Any:
    return caller.post(f"{path}?kind=RAW", body, content_type=LINES, **headers)


class TestBulk:
    def test_files_are_counted_where_they_belong(
        self, callers: Callers, opened: Run, path: str
    ) -> None:
        rows = [*_many(3), _file("notes.txt", adler32="0A1b2C3d")]
        told = done(callers.daq.post(path, _body(*rows)), 201)
        assert told == {"created": 4, "known": 0, "bytes": 40}
        opened.refresh_from_db()
        assert (opened.file_count, opened.bytes) == (4, 40)
        replica = Replica.objects.get()
        assert (replica.state, replica.file_count, replica.bytes) == ("copied", 4, 40)
        assert replica.store.identifier == "online"
        assert File.objects.get(name="notes.txt").adler32 == "0a1b2c3d"

    def test_the_same_file_makes_no_second_row(self, callers: Callers, path: str) -> None:
        done(callers.daq.post(path, _body(*_many(3))), 201)
        told = done(callers.daq.post(path, _body(*_many(4))), 201)
        assert told == {"created": 1, "known": 3, "bytes": 10}
        again = _body(_file(sha256="0" * 64), _file(sha256="0" * 64))
        assert done(callers.daq.post(path, again)) == {"created": 0, "known": 2, "bytes": 0}

    @pytest.mark.parametrize(
        ("change", "field"), [({"bytes": 11}, "bytes"), ({"sha256": "cd" * 32}, "sha256")]
    )
    def test_another_size_or_checksum_is_a_conflict(
        self, callers: Callers, opened: Run, path: str, change: dict[str, Any], field: str
    ) -> None:
        done(callers.daq.post(path, _body(_file())), 201)
        before = (File.objects.count(), Entry.objects.count())
        body = _body(_file("new-1.h5"), _file(**change), _file("new-2.h5"))
        problem = refused(callers.daq.post(path, body), 409, field)
        assert problem["errors"][0]["row"] == 1
        assert "RAW-R0001-DA01-S00000.h5" in problem["errors"][0]["rule"]
        assert (File.objects.count(), Entry.objects.count()) == before
        opened.refresh_from_db()
        assert opened.file_count == 1

    def test_a_call_that_contradicts_itself_is_a_conflict(
        self, callers: Callers, path: str
    ) -> None:
        body = _body(_file(), _file(bytes=11))
        assert refused(callers.daq.post(path, body), 409, "bytes")["errors"][0]["row"] == 1
        assert not File.objects.exists()

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": None}, "name"),
            ({"name": 5}, "name"),
            ({"name": "."}, "name"),
            ({"name": ".."}, "name"),
            ({"name": "../../etc/passwd"}, "name"),
            ({"name": "a/b"}, "name"),
            ({"name": "a\\b"}, "name"),
            ({"name": "a\x00b"}, "name"),
            ({"name": "a\nb"}, "name"),
            ({"name": "a\u202egnp.h5"}, "name"),
            ({"name": "e\u0301"}, "name"),
            ({"name": "x" * 256}, "name"),
            ({"name": "ä" * 128}, "name"),
            ({"bytes": -1}, "bytes"),
            ({"bytes": 2**63}, "bytes"),
            ({"bytes": 10**50}, "bytes"),
            ({"bytes": 1.0}, "bytes"),
            ({"bytes": True}, "bytes"),
            ({"bytes": "10"}, "bytes"),
            ({"bytes": None}, "bytes"),
            ({"sha256": "ab" * 31}, "sha256"),
            ({"sha256": "zz" * 32}, "sha256"),
            ({"sha256": " " + "ab" * 31 + " "}, "sha256"),
            ({"sha256": None}, "sha256"),
            ({"sha256": ""}, "sha256"),
            ({"adler32": "123"}, "adler32"),
            ({"adler32": 0}, "adler32"),
            ({"adler32": ""}, "adler32"),
            ({"md5": "ab"}, "md5"),
        ],
    )
    @pytest.mark.parametrize("stream", [False, True])
    def test_a_bad_row_is_named_and_nothing_is_written(
        self, callers: Callers, path: str, stream: bool, change: dict[str, Any], field: str
    ) -> None:
        rows = [*_many(2), _file("x.h5") | change, _file("y.h5")]
        answer = (
            _stream(callers.daq, path, _lines(rows))
            if stream
            else callers.daq.post(path, _body(*rows))
        )
        problem = refused(answer, 422, field)
        assert [e["row"] for e in problem["errors"]] == [2]
        assert not File.objects.exists()
        assert not DataGroup.objects.exists()

    def test_many_faults_are_told_together_but_not_without_end(
        self, callers: Callers, path: str
    ) -> None:
        rows = [_file(f"f{n}", bytes=-1) for n in range(100)]
        problem = refused(callers.daq.post(path, _body(*rows)), 422, "bytes")
        assert [e["row"] for e in problem["errors"]] == list(range(20))

    @pytest.mark.parametrize("row", [1, "x", None, [], [1]])
    def test_a_row_is_an_object(self, callers: Callers, path: str, row: Any) -> None:
        refused(callers.daq.post(path, _body(row)), 422, "files")
        refused(_stream(callers.daq, path, _lines([row])), 422, "files")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "kind"),
            ({"kind": "RAW"}, "files"),
            ({"kind": "raw", "files": []}, "kind"),
            ({"kind": 1, "files": []}, "kind"),
            ({"kind": "RAW", "files": {}}, "files"),
            ({"kind": "RAW", "files": "x"}, "files"),
            ({"kind": "RAW", "files": [], "store": "none such"}, "store"),
            ({"kind": "RAW", "files": [], "store": 1}, "store"),
            ({"kind": "RAW", "files": [], "run": 1}, "run"),
        ],
    )
    def test_a_bad_call_is_named(
        self, callers: Callers, path: str, body: dict[str, Any], field: str
    ) -> None:
        refused(callers.daq.post(path, body), 422, field)

    def test_no_more_than_the_setting_says(
        self, callers: Callers, path: str, settings: Any
    ) -> None:
        settings.BULK_FILES_MAX = 5
        problem = refused(callers.daq.post(path, _body(*_many(6))), 422, "files")
        assert "application/x-ndjson" in problem["detail"]
        done(callers.daq.post(path, _body(*_many(5))), 201)

    def test_nothing_at_all_is_accepted(self, callers: Callers, path: str) -> None:
        nothing = {"created": 0, "known": 0, "bytes": 0}
        assert done(callers.daq.post(path, _body())) == nothing
        assert done(_stream(callers.daq, path, b"\n")) == nothing
        client = Client(headers=callers.daq.headers)
        address = f"/api/v1/{path}?kind=RAW"
        assert done(client.generic("POST", address, b"", CONTENT_TYPE=LINES)) == nothing

    def test_people_do_not_register(self, callers: Callers, path: str) -> None:
        refused(callers.staff.post(path, _body(_file())), 403)

    def test_files_that_come_after_the_copy_are_refused(
        self, callers: Callers, facility: Facility, run: Run, proposal: Proposal
    ) -> None:
        store = facility.stores["offline"]
        group = run.data_groups.get()
        there = Replica.objects.create(data_group=group, store=store, created_at=run.created_at)
        advance(there.report_copied, by=WORKER)
        path = f"proposals/{proposal.number}/runs/{run.number}/files"
        problem = refused(callers.daq.post(path, _body(_file("late.h5"))), 409)
        assert problem["details"]["store"] == "offline"


class TestStream:
    def test_as_many_lines_as_one_likes(
        self, callers: Callers, opened: Run, path: str, settings: Any
    ) -> None:
        settings.BULK_FILES_MAX = 10
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
        body = _lines(_many(6000))
        assert done(_stream(callers.daq, path, body), 201)["created"] == 6000
        opened.refresh_from_db()
        assert (opened.file_count, opened.bytes) == (6000, 60_000)

    def test_a_bad_line_takes_back_all_before_it(self, callers: Callers, path: str) -> None:
        rows = [*_many(5500), _file("x.h5", bytes="many")]
        problem = refused(_stream(callers.daq, path, _lines(rows)), 422, "bytes")
        assert problem["errors"][0]["row"] == 5500
        assert not File.objects.exists()
        assert not Replica.objects.exists()

    @pytest.mark.parametrize(
        "line", [b"{", b"\xff", b'{"a":1,"a":2}', b"[" * 5000, b"NaN", b"{}{}", b"x" * 70_000]
    )
    def test_a_line_that_is_not_json_is_told_by_number(
        self, callers: Callers, path: str, line: bytes
    ) -> None:
        body = _lines(_many(2)) + line + b"\n" + _lines(_many(1, 2))
        assert "Line 3" in refused(_stream(callers.daq, path, body), 400)["detail"]
        assert not File.objects.exists()

    def test_empty_lines_and_a_missing_last_end_are_fine(self, callers: Callers, path: str) -> None:
        body = b"\n\r\n" + _lines(_many(2)) + b"  \n" + _lines(_many(1, 2)).rstrip(b"\n")
        assert done(_stream(callers.daq, path, body), 201)["created"] == 3

    def test_the_kind_stands_in_the_query(self, callers: Callers, path: str) -> None:
        for query, field in (("", "kind"), ("?kind=X", "kind"), ("?kind=RAW&x=1", "x"),
                             ("?kind=RAW&store=none", "store")):  # fmt: skip
            answer = callers.daq.post(path + query, _lines(_many(1)), content_type=LINES)
            refused(answer, 422, field)
        query = "?kind=CAL&store=constants"
        done(callers.daq.post(path + query, _lines(_many(1)), content_type=LINES), 201)
        replica = Replica.objects.get()
        assert (replica.data_group.kind, replica.store.identifier) == ("CAL", "constants")

    def test_no_stream_fills_the_disk(self, callers: Callers, path: str, settings: Any) -> None:
        body = _lines(_many(10))
        settings.STREAM_BYTES_MAX = len(body) - 1
        refused(_stream(callers.daq, path, body), 413)
        assert not File.objects.exists()
        settings.STREAM_BYTES_MAX = len(body)
        done(_stream(callers.daq, path, body), 201)

    def test_sent_again_with_its_key_it_is_answered_as_before(
        self, callers: Callers, path: str
    ) -> None:
        body = _lines(_many(10))
        first = _stream(callers.daq, path, body, idempotency_key="a")
        again = _stream(callers.daq, path, body, idempotency_key="a")
        assert done(first, 201) == done(again, 201)
        assert again["Idempotent-Replayed"] == "true"
        refused(_stream(callers.daq, path, body + b"\n", idempotency_key="a"), 422)

    def test_nobody_s_stream_is_received_who_may_not_register(
        self, callers: Callers, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def never(*_: Any, **__: Any) -> None:
            raise AssertionError("the body was received")

        monkeypatch.setattr(streams.NDJSONParser, "parse", never)
        refused(_stream(callers.leader, path, b"{}"), 403)
        refused(_stream(callers.stranger, path, b"{}", idempotency_key="a"), 404)
        refused(_stream(callers.visitor, path, b"{}"), 401)

    def test_no_transaction_waits_for_a_slow_client(
        self, callers: Callers, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        received = streams.NDJSONParser.parse
        outside = len(connection.savepoint_ids)

        def looking(self: Any, *args: Any, **kwargs: Any) -> streams.Spooled:
            assert len(connection.savepoint_ids) == outside
            return received(self, *args, **kwargs)

        monkeypatch.setattr(streams.NDJSONParser, "parse", looking)
        done(_stream(callers.daq, path, _lines(_many(1)), idempotency_key="a"), 201)

    @pytest.mark.parametrize("kind", [LINES, "application/json"])
    def test_a_body_in_chunks_needs_no_length(self, callers: Callers, path: str, kind: str) -> None:
        body = _lines(_many(3)) if kind == LINES else json.dumps(_body(*_many(3))).encode()
        answer = Client(headers=callers.daq.headers).generic(
            "POST",
            f"/api/v1/{path}" + ("?kind=RAW" if kind == LINES else ""),
            content_type=kind,
            **{
                "HTTP_TRANSFER_ENCODING": "chunked",
                "wsgi.input": io.BytesIO(body),
                "wsgi.input_terminated": True,
                "CONTENT_TYPE": kind,
            },
        )
        assert done(answer, 201)["created"] == 3

    @pytest.mark.parametrize("kind", [LINES, "application/json"])
    def test_a_body_whose_chunks_break_off_is_the_callers_fault(
        self, callers: Callers, path: str, kind: str
    ) -> None:
        class Broken(io.RawIOBase):
            def read(self, size: int = -1) -> bytes:
                raise RuntimeError("Invalid chunk size")  # each server has its own errors

        answer = Client(headers=callers.daq.headers).generic(
            "POST",
            f"/api/v1/{path}" + ("?kind=RAW" if kind == LINES else ""),
            content_type=kind,
            **{
                "HTTP_TRANSFER_ENCODING": "chunked",
                "wsgi.input": Broken(),
                "wsgi.input_terminated": True,
                "CONTENT_TYPE": kind,
            },
        )
        assert "broke off" in refused(answer, 400)["detail"]
        assert not File.objects.exists()


class TestListing:
    def test_pages_and_stream_tell_the_same(self, callers: Callers, opened: Run, path: str) -> None:
        done(callers.daq.post(path, _body(*_many(7))), 201)
        done(callers.daq.post(path, {"kind": "UNK", "files": [_file("a.txt")]}), 201)
        found, following = [], f"{path}?page_size=3"
        while following:
            page = done(callers.leader.get(following))
            found += page["results"]
            following = page["next"]
        assert [f["name"] for f in found] == [r["name"] for r in _many(7)] + ["a.txt"]
        stream = callers.leader.get(path, accept=LINES)
        assert stream["Content-Type"] == LINES
        lines = [json.loads(line) for line in b"".join(stream.streaming_content).splitlines()]
        assert lines == found
        only = done(callers.leader.get(f"{path}?kind=UNK"))["results"]
        assert [f["kind"] for f in only] == ["UNK"]
        refused(callers.leader.get(f"{path}?kind=all"), 422, "kind")

    def test_the_stream_holds_few_rows_at_a_time(self, callers: Callers, path: str) -> None:
        done(_stream(callers.daq, path, _lines(_many(5000))), 201)
        with CaptureQueriesContext(connection):
            stream = callers.leader.get(path, accept=LINES)
            pieces = list(stream.streaming_content)
        assert len(pieces) >= 5000 / streams.LINES_AT_ONCE
        assert sum(piece.count(b"\n") for piece in pieces) == 5000


class TestDownload:
    @pytest.fixture
    def file(self, run: Run) -> File:
        return File.objects.filter(data_group__run=run).order_by("name")[0]

    @pytest.fixture
    def address(self, run: Run, proposal: Proposal, file: File) -> str:
        return f"proposals/{proposal.number}/runs/{run.number}/files/{file.name}"

    def test_a_file_comes_whole_with_its_checksum(
        self, callers: Callers, address: str, file: File
    ) -> None:
        got = callers.leader.get(address)
        content = b"".join(got.streaming_content)
        digest = hashlib.sha256(content)
        assert digest.hexdigest() == file.sha256
        said = base64.b64encode(digest.digest()).decode()
        assert got["Repr-Digest"] == f"sha-256=:{said}:"
        assert got["Content-Length"] == str(file.bytes)
        assert f'filename="{file.name}"' in got["Content-Disposition"]
        assert got["Content-Type"] == "application/x-hdf5"
        assert got["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize(
        "name",
        ["none.h5", "..", "../../secret", "%2e%2e/%2e%2e/etc/passwd", "a%00b", "x" * 3000, "%ff"],
    )
    def test_other_names_are_not_found(self, callers: Callers, address: str, name: str) -> None:
        refused(callers.leader.get(f"{address.rpartition('/')[0]}/{name}"), 404)

    def test_the_kind_tells_which_of_two(
        self, callers: Callers, address: str, facility: Facility, run: Run
    ) -> None:
        got = callers.leader.get(f"{address}?kind=RAW")
        assert b"".join(got.streaming_content)
        refused(callers.leader.get(f"{address}?kind=PROC"), 404)

    def test_what_is_never_open_stays_with_those_who_see_the_data(
        self, callers: Callers, address: str, facility: Facility, proposal: Proposal, run: Run,
        file: File,
    ) -> None:  # fmt: skip
        """An auditor and the user office know of every file; of an open run they may read what
        everybody may, and no more."""
        done(
            callers.staff.post(address.replace(f"files/{file.name}", "assess"), {"quality": "good"})
        )
        doi = Doi.objects.create(name="10.5072/x", proposal=proposal.number, state="findable")
        Proposal.objects.filter(pk=proposal.pk).update(
            doi=doi, state="FR", access="open", released_at=clock.now()
        )
        auditor = Caller(facility.person("auditor"))
        assert b"".join(auditor.get(address).streaming_content)
        DataGroup.objects.filter(run=run).update(kind="REDU")
        raw = facility.raw_folder(run)
        reduced = raw.parent.parent / "red" / raw.name
        reduced.parent.mkdir(exist_ok=True)
        raw.rename(reduced)
        assert b"".join(callers.leader.get(address).streaming_content)
        refused(auditor.get(address), 403)
        refused(Caller(facility.person("user_office")).get(address), 403)
        refused(callers.stranger.get(address), 404)

    @pytest.mark.parametrize("damage", ["gone", "shorter", "a link"])
    def test_a_copy_that_is_not_as_known_is_not_sent(
        self, callers: Callers, address: str, facility: Facility, run: Run, file: File, damage: str
    ) -> None:
        path: Path = facility.raw_folder(run) / file.name
        content = path.read_bytes()
        path.unlink()
        if damage == "shorter":
            path.write_bytes(content[:-1])
        elif damage == "a link":
            secret = facility.folder / "secret"
            secret.write_bytes(content)
            path.symlink_to(secret)
        problem = refused(callers.leader.get(address), 503)
        assert str(facility.folder) not in json.dumps(problem)

    def test_what_was_removed_everywhere_says_so(
        self, callers: Callers, address: str, run: Run
    ) -> None:
        Replica.objects.update(state="lost")
        problem = refused(callers.leader.get(address), 503)
        assert "No store holds a copy" in problem["detail"]
