"""The embedded broker: messages appear whole, and lie where the installation keeps its data."""

from __future__ import annotations

from pathlib import Path

from kombu import Connection

from catalogue.celery import TRANSPORT_ALIASES


def test_a_message_is_put_whole_and_got_once(tmp_path: Path, monkeypatch) -> None:
    assert TRANSPORT_ALIASES["folder"] == "catalogue.ground.jobs.folder_broker:Transport"
    options = {
        "data_folder_in": str(tmp_path / "broker"),
        "data_folder_out": str(tmp_path / "broker"),
        "control_folder": str(tmp_path / "control"),
        "processed_folder": str(tmp_path / "processed"),
        "store_processed": True,
    }
    seen: list[str] = []
    rename = Path.rename

    def look(self: Path, target: Path) -> Path:
        seen.extend(p.name for p in (tmp_path / "broker").glob("*.msg"))
        assert self.read_bytes().endswith(b"}"), "whole before it has its name"
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", look)
    with Connection("folder://localhost//", transport_options=options) as connection:
        queue = connection.SimpleQueue("work")
        queue.put({"id": 7})
        assert seen == []
        assert len(list((tmp_path / "broker").glob("*.msg"))) == 1
        message = queue.get(timeout=2)
        assert message.payload == {"id": 7}
        message.ack()
        assert not list((tmp_path / "broker").glob("*.msg"))
        queue.close()
