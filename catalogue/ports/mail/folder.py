"""Letters as files in a folder, for a site on one machine: whoever tries it out can read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from catalogue.ports.mail.contract import Letter, Receipt
from catalogue.ports.outcome import Transient


@dataclass(frozen=True, slots=True)
class FolderPost:
    """One file a letter, which every mail program opens; the same letter twice is one file."""

    folder: Path
    sender: str

    def send(self, letter: Letter) -> Receipt:
        name = re.sub(r"[^A-Za-z0-9._-]", "-", letter.key)
        path = self.folder / f"{name}.eml"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(letter.as_message(self.sender).as_bytes())
        except OSError as problem:
            raise Transient(f"The letter cannot be written: {problem}", path=str(path)) from None
        return Receipt(f"Written to {path}; no mail server is configured (EMAIL_URL is empty).")
