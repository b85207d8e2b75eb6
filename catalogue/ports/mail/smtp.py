"""Letters over SMTP, by Django's e-mail backend (settings EMAIL_*)."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass

from django.core import mail

from catalogue.ports.mail.contract import Letter, Receipt
from catalogue.ports.outcome import Permanent, PortError, Transient

# Replies to say that the same letter may go later (RFC 5321, 4.2.1) begin with 4.
_FOR_GOOD = range(500, 600)


@dataclass(frozen=True, slots=True)
class SmtpPost:
    """Hands each letter to the facility's server on a connection of its own."""

    sender: str

    def send(self, letter: Letter) -> Receipt:
        message = mail.EmailMessage(
            subject=letter.heading,
            body=letter.text,
            from_email=self.sender,
            to=[letter.to],
            headers=dict(letter.headers),
        )
        try:
            message.send(fail_silently=False)
        except (mail.BadHeaderError, UnicodeError, ValueError) as problem:
            reason = f"This is no letter that can be sent: {problem}"
            raise Permanent(reason, to=letter.to) from None
        except smtplib.SMTPException as problem:
            raise _sorted(problem, letter) from None
        except OSError as problem:
            raise Transient(f"The mail server does not answer: {problem}") from None
        return Receipt("The mail server has taken it.")


def _sorted(problem: smtplib.SMTPException, letter: Letter) -> PortError:
    """What the server said, by who acts next."""
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        code, said = _reply(next(iter(problem.recipients.values()), (450, b"")))
    elif isinstance(problem, smtplib.SMTPResponseException):
        code, said = _reply((problem.smtp_code, problem.smtp_error))
    else:
        return Transient(f"The mail server broke off: {problem}")
    if code in _FOR_GOOD:
        return Permanent(f"The mail server refuses it ({code} {said}).", to=letter.to, code=code)
    return Transient(f"The mail server cannot take it now ({code} {said}).", code=code)


def _reply(answer: tuple[int, bytes | str]) -> tuple[int, str]:
    code, said = answer
    return code, said.decode("utf-8", "replace") if isinstance(said, bytes) else said
