"""What the house asks of whatever sends its mail."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Protocol

from catalogue.ground import clock

LONGEST_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Letter:
    """One plain letter to one address.

    `key` tells it from every other one of this site and becomes its Message-ID: a letter that is
    sent again after a crash is the same letter, and mail systems that know one drop the second.
    `stop_url` ends letters of its kind in one click (RFC 8058).
    """

    to: str
    subject: str
    text: str
    key: str
    site: str
    stop_url: str = ""

    @property
    def heading(self) -> str:
        """The subject as one line: what a name may hold of line ends and other characters that
        are not seen would begin headers of its own."""
        seen = "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in self.subject)
        return " ".join(seen.split())[:LONGEST_SUBJECT]

    @property
    def message_id(self) -> str:
        return f"<{self.key}@{self.site}>"

    @property
    def headers(self) -> Mapping[str, str]:
        """What mail programs read. RFC 3834: no machine shall answer."""
        named = {
            "Message-ID": self.message_id,
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        }
        if self.stop_url:
            named["List-Unsubscribe"] = f"<{self.stop_url}>"
            named["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return named

    def as_message(self, sender: str) -> EmailMessage:
        """The whole letter, as it lies in a mailbox."""
        message = EmailMessage(policy=SMTP.clone(cte_type="8bit"))
        message["From"] = sender
        message["To"] = self.to
        message["Subject"] = self.heading
        message["Date"] = format_datetime(clock.now())
        for name, value in self.headers.items():
            message[name] = value
        message.set_content(self.text)
        return message


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a letter, in a sentence; `sent` is False where nobody will get it."""

    says: str
    sent: bool = True


class Post(Protocol):
    """Takes letters. Raises Transient where the same letter may go later (the server does not
    answer, or is busy), and Permanent where a person must act (it refuses the address, or us)."""

    def send(self, letter: Letter) -> Receipt:
        """The letter is on its way."""
        ...
