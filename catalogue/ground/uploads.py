"""How much may be sent to the site in one body, files included."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler


class Limit(FileUploadHandler):
    """Refuses a form that is too large before its first byte is read. Django counts the fields of
    a form, not its files, and would write those to the disk before any view is asked."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 - Django's name for it
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        longest = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if content_length > longest:
            raise RequestDataTooBig(f"A form must be at most {longest} bytes long.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """On to the handlers behind this one."""
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Kept by the handlers behind this one."""
