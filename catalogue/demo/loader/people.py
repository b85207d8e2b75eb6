"""Demo logins, and the tokens of the demo's programs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from knox.crypto import hash_token

from catalogue.demo import facility
from catalogue.demo.loader.by import LOADER
from catalogue.ground import programs
from catalogue.ground.models import Appointment, Instrument, Token, User


def enter_people() -> None:
    """Everybody with their office; all have the published demo password, hashed once: the slow
    hasher is there to slow down who does not know it."""
    password = make_password(facility.PASSWORD)
    for one in facility.PEOPLE:
        user, made = User.objects.get_or_create(
            username=one.login,
            defaults={
                "first_name": one.first,
                "last_name": one.last,
                "email": one.email,
                "orcid": one.orcid,
                "affiliation": facility.AFFILIATION,
                "affiliation_ror": facility.AFFILIATION_ROR,
            },
        )
        if made:
            user.password = password
            user.save(update_fields=["password"])
        if one.office:
            instrument = Instrument.objects.get(identifier=one.at) if one.at else None
            Appointment.objects.get_or_create(user=user, role=one.office, instrument=instrument)


def enter_programs(tokens: Path) -> None:
    """Service accounts, each with one token. The catalogue keeps a hash only, so a token that the
    file does not hold is made anew and the old one is ended."""
    kept = json.loads(tokens.read_text()) if tokens.exists() else {}
    with transaction.atomic():
        for program in facility.PROGRAMS:
            user, made = User.objects.get_or_create(
                username=program.login,
                defaults={
                    "first_name": program.name,
                    "email": program.email,
                    "is_service": True,
                },
            )
            if made:
                user.set_unusable_password()
                user.save(update_fields=["password"])
            if not _is_good(kept.get(program.login, ""), user):
                user.auth_token_set.all().delete()
                _, kept[program.login] = Token.objects.create(
                    user=user, name="demo", scopes=list(program.scopes)
                )
        _write(tokens, kept)


def enter_applications(secrets: Path) -> None:
    """An OAuth2 application for each program that uses `metadata_client`; it acts for the service
    account of that program and nobody else. The catalogue keeps a hash of the secret only, so one
    that the file does not hold is made anew."""
    kept = json.loads(secrets.read_text()) if secrets.exists() else {}
    with transaction.atomic():
        there = {row.name: row for row in programs.listed(LOADER)}
        for program in facility.CLIENT_PROGRAMS:
            row = there.get(program.name)
            if row is not None and kept.get(program.login, {}).get("id") == row.client_id:
                continue
            account = User.objects.get(username=program.login)
            if row is None:
                row, secret = programs.create(
                    name=program.name, scopes=program.scopes, acts_for=[account],
                    account=account, by=LOADER,
                )  # fmt: skip
            else:
                secret = programs.rotate(row, by=LOADER, end_tokens=True)
            kept[program.login] = {
                "id": row.client_id, "secret": secret, "email": program.email,
            }  # fmt: skip
        _write(secrets, kept)


def _is_good(token: str, user: User) -> bool:
    return bool(token) and Token.objects.filter(digest=hash_token(token), user=user).exists()


def _write(path: Path, kept: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(kept, file, indent=1)
