"""The embedded broker: kombu's file-system transport, with messages that appear whole.

Kombu writes a message under its final name, so a reader that looks in between finds it empty and
stops. Here a message is written aside and renamed into place.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from time import time_ns
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """The channel of kombu's transport, with an atomic put."""

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        for folder in (self.data_folder_in, self.data_folder_out, self.processed_folder):
            Path(folder).mkdir(parents=True, exist_ok=True)

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        name = f"{time_ns()}_{uuid.uuid4()}.{queue}.msg"
        aside = folder / f"{name}.part"
        aside.write_bytes(dumps(payload).encode())
        aside.rename(folder / name)


class Transport(filesystem.Transport):
    """`BROKER_URL` is empty: messages are files below LIGHTKEEPER_DATA."""

    Channel = Channel
