"""Mail: how letters to people leave the house."""

from __future__ import annotations

from pathlib import Path

from catalogue.ports.mail.contract import Letter, Post, Receipt
from catalogue.ports.mail.folder import FolderPost
from catalogue.ports.mail.null import NullPost
from catalogue.ports.mail.smtp import SmtpPost

__all__ = ["FolderPost", "Letter", "NullPost", "Post", "Receipt", "SmtpPost", "post_from"]


def post_from(*, server: bool, sender: str, folder: Path | None) -> Post:
    """A mail server where one is configured (Django's EMAIL_* settings), else a folder in which
    the letters can be read, else nothing, which says so."""
    if server:
        return SmtpPost(sender)
    return FolderPost(folder, sender) if folder is not None else NullPost()
