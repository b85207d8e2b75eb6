"""Endpoints of the files of a run: registering them in bulk, listing them, getting one."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from django.conf import settings
from django.http import FileResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from catalogue.ground import access as words
from catalogue.ground import inputs
from catalogue.ground.endpoints import (
    Choice,
    filtered,
    named,
    once,
    page,
    page_answer,
    pages_by,
    ranges,
    refuse_unknown,
)
from catalogue.ground.endpoints.fields import moment
from catalogue.ground.endpoints.streams import (
    MEDIA_TYPE,
    NDJSONParser,
    NDJSONRenderer,
    Spooled,
    lines,
)
from proposals import access as proposals
from runs import checking, queries, reading, registration
from runs.api import serializers as shapes
from runs.api.views import RunEndpoint
from runs.filters import FileFilter
from runs.models import File

KIND = OpenApiParameter("kind", {"type": "string", "enum": shapes.KIND_NAMES})
RANGE = OpenApiParameter(
    "Range", str, OpenApiParameter.HEADER, description="One range of bytes: bytes=1000-1999."
)
STREAM_KIND = OpenApiParameter(
    "kind",
    {"type": "string", "enum": shapes.KIND_NAMES},
    description="Of a stream; a JSON body names it itself.",
)
STREAM_STORE = OpenApiParameter("store", str, description="Of a stream: the store's identifier.")


def _kind_asked(request: Request) -> str | None:
    kind = request.query_params.get("kind")
    return None if kind is None else str(Choice(shapes.KIND_NAMES).parse(kind, "kind"))


class Files(RunEndpoint):
    visitors = True
    parser_classes = [*RunEndpoint.parser_classes, NDJSONParser]
    renderer_classes = [JSONRenderer, NDJSONRenderer]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nobody's stream is received who may not register."""
        super().initial(request, *args, **kwargs)
        if request.method == "POST":
            self._target = self.own(kwargs["number"], kwargs["run"])
            proposals.require(self.actor, words.DAQ, self._target.proposal)

    @extend_schema(
        parameters=pages_by(FileFilter, q="Part of the name."),
        responses={
            (200, "application/json"): page_answer(shapes.FileAnswer),
            (200, "application/x-ndjson"): shapes.FileAnswer,
        },
    )
    def get(self, request: Request, number: int, run: int) -> HttpResponseBase:
        """The registered files, in pages; for `Accept: application/x-ndjson` all, a line each."""
        rows = queries.files_shown(self.actor, self.run(number, run))
        found = filtered(request, FileFilter, rows)
        if isinstance(request.accepted_renderer, NDJSONRenderer):
            return lines(_streamed(found))
        return page(request, found, "data_group_id", "name", show=lambda rows: map(_shown, rows))

    @extend_schema(
        parameters=[STREAM_KIND, STREAM_STORE],
        request={
            "application/json": shapes.NewFiles,
            "application/x-ndjson": shapes.FILE,
        },
        responses={201: shapes.RegisteredAnswer, 200: shapes.RegisteredAnswer},
    )
    @once
    def post(self, request: Request, number: int, run: int) -> Response:
        """Register files in one transaction: all or none.

        The same file with the same size and checksum is accepted and makes no second row; with
        another size or checksum the call is refused as a conflict.
        """
        body = request.data
        if isinstance(body, Spooled):
            return self._register(_of_query(request), body.objects())
        if (request.content_type or "").startswith(MEDIA_TYPE):
            return self._register(_of_query(request), ())  # nothing was sent
        refuse_unknown(request, ())
        given = self.given(shapes.NewFiles)
        return self._register(given, given["files"])

    def _register(self, given: dict[str, Any], files: Iterable[Any]) -> Response:
        store = given.get("store")
        if store is not None:
            store = named(queries.store, store, "store", "a store")
        done = registration.register(
            self._target, kind=given["kind"], files=files, by=self.actor, store=store
        )
        status = 201 if done.created else 200
        return Response(shapes.RegisteredAnswer(done).data, status=status)


def _of_query(request: Request) -> dict[str, Any]:
    """Kind and store of a stream, whose body is files only."""
    refuse_unknown(request, ("kind", "store"))
    if "kind" not in request.query_params:
        raise inputs.Invalid("kind", "is required in the query of a stream", None)
    return {"kind": _kind_asked(request), "store": request.query_params.get("store")}


def _shown(file: File) -> dict[str, Any]:
    return {
        "kind": file.data_group.kind,
        "name": file.name,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "adler32": file.adler32,
        "registered_at": moment(file.registered_at),
    }


def _streamed(found: Any) -> Iterator[dict[str, Any]]:
    """The same as `_shown`, from the database to the wire without rows in between."""
    columns = ("data_group__kind", "name", "bytes", "sha256", "adler32", "registered_at")
    names = ("kind", *columns[1:])
    for values in found.values_list(*columns).iterator(chunk_size=2000):
        yield dict(zip(names, values, strict=True))


class Bytes(BaseRenderer):
    """Whatever a file holds."""

    media_type = "*/*"
    format = "bytes"
    charset = None
    render_style = "binary"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        return data


class Download(RunEndpoint):
    """An endpoint that answers with a file."""

    visitors = True
    renderer_classes = [Bytes]

    def send(self, file: BinaryIO, *, name: str, size: int, sha256: str, type: str) -> FileResponse:
        """The file as it is or the part that is asked for, with the checksum of the whole (RFC
        9530) for whoever receives it."""
        tag = f'"{sha256}"' if re.fullmatch("[0-9a-f]{64}", sha256) else ""
        try:
            part = self._part(size, tag)
        except ranges.NoSuchRange:
            file.close()
            raise
        first, last = part or (0, size - 1)
        answer = FileResponse(
            ranges.Part(file, first, last - first + 1) if part else file,
            as_attachment=True, filename=name.rpartition("/")[2], content_type=type,
            status=206 if part else 200,
        )  # fmt: skip
        answer.block_size = 1024 * 1024
        answer["Content-Length"] = str(last - first + 1)
        answer["Accept-Ranges"] = "bytes"
        if part:
            answer["Content-Range"] = f"bytes {first}-{last}/{size}"
        if tag:
            answer["ETag"] = tag
            digest = base64.b64encode(bytes.fromhex(sha256)).decode()
            answer["Repr-Digest"] = f"sha-256=:{digest}:"
        return answer

    def _part(self, size: int, tag: str) -> tuple[int, int] | None:
        """First and last byte that are asked for; None for all of them."""
        headers = self.request.headers
        if "Range" not in headers or headers.get("If-Range", tag) != tag:
            return None
        return ranges.asked(headers["Range"], size)


class OneFile(Download):
    @extend_schema(
        parameters=[KIND, RANGE],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, number: int, run: int, name: str) -> FileResponse:
        """One file, from the best copy, or a range of its bytes."""
        refuse_unknown(request, ("kind",))
        found = self.run(number, run)
        try:
            inputs.relative_path(name)
        except inputs.Invalid:
            raise NotFound("No file is called so.") from None
        file = self.find(queries.one_file, self.actor, found, name, _kind_asked(request))
        reading.require_file(self.actor, file)
        return self.send(
            reading.open_file(file),
            name=name,
            size=file.bytes,
            sha256=file.sha256,
            type="application/x-hdf5" if name.endswith(".h5") else "application/octet-stream",
        )


class CheckFiles(OneFile):
    """Compares what is sent; getting a file that happens to be called "check" works as ever."""

    visitors = False
    parser_classes = [*RunEndpoint.parser_classes, NDJSONParser]

    def get_renderers(self) -> list[Any]:
        return [JSONRenderer()] if self.request.method == "POST" else super().get_renderers()

    @extend_schema(exclude=True)
    def get(self, request: Request, number: int, run: int) -> FileResponse:  # type: ignore[override]
        return super().get(request, number, run, "check")

    @extend_schema(
        parameters=[STREAM_KIND],
        request={"application/json": shapes.ListedFiles, "application/x-ndjson": shapes.LISTED},
        responses=shapes.ComparedAnswer,
    )
    def post(self, request: Request, number: int, run: int) -> Response:
        """Which of these files are registered, missing, or registered otherwise; nothing is
        changed. What is not given of a file is not compared."""
        found = self.own(number, run)
        body = request.data
        if isinstance(body, Spooled) or (request.content_type or "").startswith(MEDIA_TYPE):
            refuse_unknown(request, ("kind",))
            kind = _of_query(request)["kind"]
            files: Iterable[Any] = body.objects() if isinstance(body, Spooled) else ()
        else:
            refuse_unknown(request, ())
            given = self.given(shapes.ListedFiles)
            kind, files = given["kind"], given["files"]
        most = settings.BULK_FILES_MAX
        compared = checking.compare(found, kind=kind, files=files, most=most)
        return Response(shapes.ComparedAnswer(compared).data)


class DataGroups(RunEndpoint):
    @extend_schema(responses=shapes.GroupWithReplicasAnswer(many=True))
    def get(self, request: Request, number: int, run: int) -> Response:
        """The data of the run by kind, and where they are. What the policy says of each copy is
        told by `verdicts`."""
        refuse_unknown(request, ())
        found = queries.groups(self.own(number, run))
        return Response(shapes.GroupWithReplicasAnswer(found, many=True).data)
