"""Letters: one line stays one line, the same letter is the same, and a failure says who acts."""

from __future__ import annotations

import smtplib
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from hypothesis import given
from hypothesis import strategies as st

from catalogue.ports.mail import FolderPost, Letter, NullPost, SmtpPost, post_from
from catalogue.ports.outcome import Permanent, Transient

SENDER = "Lightkeeper <data@facility.example>"


def letter(**facts: Any) -> Letter:
    given_facts: dict[str, Any] = {
        "to": "ada@example.org", "subject": "3 jobs are held", "text": "They are.\n",
        "key": "notice-7-held", "site": "localhost",
        "stop_url": "https://localhost/notices/stop/x", **facts,
    }  # fmt: skip
    return Letter(**given_facts)


def test_the_same_letter_twice_is_one_file_that_a_mail_program_opens(tmp_path: Path) -> None:
    post = FolderPost(tmp_path / "mail", SENDER)
    receipt = post.send(letter())
    post.send(letter())
    [path] = (tmp_path / "mail").iterdir()
    read = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert read["To"] == "ada@example.org"
    assert read["Message-ID"] == "<notice-7-held@localhost>"
    assert read["List-Unsubscribe"] == "<https://localhost/notices/stop/x>"
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert read.get_content().strip() == "They are."
    assert str(path) in receipt.says
    assert receipt.sent


def test_a_key_with_a_path_stays_in_the_folder(tmp_path: Path) -> None:
    FolderPost(tmp_path, SENDER).send(letter(key="../../out"))
    assert [p.name for p in tmp_path.iterdir()] == ["..-..-out.eml"]


@given(st.text(max_size=400))
def test_whatever_a_subject_holds_it_is_one_line_and_begins_no_header(text: str) -> None:
    made = letter(subject=text)
    assert len(made.heading.splitlines()) <= 1
    assert len(made.heading) <= 200
    raw = made.as_message(SENDER).as_bytes()
    read = message_from_bytes(raw, policy=policy.default)
    assert "Bcc" not in read
    assert read["To"] == "ada@example.org"


def test_a_line_end_in_a_subject_reaches_nobody_else() -> None:
    SmtpPost(SENDER).send(letter(subject="hello\r\nBcc: everybody@example.org"))
    [sent] = mail.outbox
    assert sent.subject == "hello Bcc: everybody@example.org"
    assert sent.recipients() == ["ada@example.org"]
    assert b"\nBcc:" not in sent.message().as_bytes()


def test_a_line_end_in_an_address_is_refused_for_good() -> None:
    with pytest.raises(Permanent):
        SmtpPost(SENDER).send(letter(to="ada@example.org\nBcc: b@example.org"))


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (OSError("refused"), Transient),
        (smtplib.SMTPServerDisconnected("gone"), Transient),
        (smtplib.SMTPDataError(451, b"later"), Transient),
        (smtplib.SMTPDataError(552, b"too big"), Permanent),
        (smtplib.SMTPAuthenticationError(535, b"who?"), Permanent),
        (smtplib.SMTPRecipientsRefused({"a": (550, b"no such user")}), Permanent),
        (smtplib.SMTPRecipientsRefused({"a": (450, b"busy")}), Transient),
    ],
)
def test_a_failure_says_who_acts_next(
    problem: Exception, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr(mail.EmailMessage, "send", fail)
    with pytest.raises(kind):
        SmtpPost(SENDER).send(letter())


def test_without_a_server_and_a_folder_it_says_that_nothing_was_sent() -> None:
    receipt = NullPost().send(letter())
    assert not receipt.sent
    assert "nothing was sent" in receipt.says


def test_the_server_goes_before_the_folder(tmp_path: Path) -> None:
    assert isinstance(post_from(server=True, sender=SENDER, folder=tmp_path), SmtpPost)
    assert isinstance(post_from(server=False, sender=SENDER, folder=tmp_path), FolderPost)
    assert isinstance(post_from(server=False, sender=SENDER, folder=None), NullPost)
