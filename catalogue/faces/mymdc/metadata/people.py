"""People: who calls, whom they may read of, and what takes a directory or a browser."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import URLPattern

from catalogue.faces.mymdc import wire
from catalogue.faces.mymdc.call import Answer, Call
from catalogue.faces.mymdc.columns import moment, shown, text
from catalogue.faces.mymdc.errors import Missing, Wrong
from catalogue.faces.mymdc.resource import Resource, at
from catalogue.ground.actor import Actor
from catalogue.ground.identity import directory as identities
from proposals import listings

UID = r"(?P<uid>[^/]{1,255})"
NO_SESSION = "Programs come with an OAuth2 token; with a password people sign in on the site."


class Users(Resource):
    """Accounts are opened on the site; here they are read."""

    path, wrapper = "users", "user"
    verbs = frozenset({"index", "show"})
    columns = (
        text("email", lookup="email__iexact"),
        shown("created_at", "date_joined"),
        text("provider", lookup="provider"),
        text("uid", read=lambda user: user.uid or None, lookup="uid"),
        shown("name", "full_name"),
        text("first_name", lookup="first_name"),
        text("last_name", lookup="last_name"),
        text("nickname", read=lambda user: user.nickname or None),
        shown("contact_email", lambda user: user.contact_email or user.email),
        moment("ldap_synced_at", read="directory_synced_at"),
        shown("flg_ldap_account_valid", "is_active"),
        shown("current_sign_in_at", "last_login"),
        shown("flg_service_account", "is_service"),
    )

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return listings.people(actor)

    def more(self) -> list[URLPattern]:
        return [
            at("me", get=self.me),
            at(f"{self.path}/{UID}/proposals", get=self.proposals),
            at("sessions", post=self.open_session, delete=self.close_session),
            at("ldap_import", post=self.import_person),
        ]

    def me(self, call: Call) -> Answer:
        """The person who is acted for."""
        if call.actor.user is None:
            raise Missing
        return Answer(self.one(call, call.actor.user.pk))

    def proposals(self, call: Call, uid: str) -> Answer:
        """Whose team the person with this uid is in."""
        person = self.rows(call.actor).filter(uid=uid).order_by("pk").first()
        if person is None:
            raise Missing
        found = listings.proposals_of(call.actor, person).values_list("pk", "number")
        return Answer([{"proposal_id": pk, "proposal_number": n} for pk, n in found])

    def open_session(self, call: Call) -> Answer:
        """Refused: a password is asked for by the site alone, which counts the attempts."""
        raise Wrong(NO_SESSION)

    def close_session(self, call: Call) -> Answer:
        """There never is one."""
        raise Missing

    def import_person(self, call: Call) -> Answer:
        """Take an account over from the facility's directory: by `uid` if it is there, else by
        `email`, wrapped in `user` or not."""
        attributes = call.attributes(self.wrapper)
        uid, email = (_readable(attributes.get(name), name) for name in ("uid", "email"))
        if not uid and not email:
            raise Wrong({"email": ["can't be blank"]})
        user = identities.import_person(by=call.actor, login=uid, email=email)
        return Answer(self.one(call, user.pk), 201)


def _readable(value: Any, name: str) -> str:
    try:
        return wire.text(value) or ""
    except wire.Unreadable as error:
        raise Wrong({name: [str(error)]}) from None


RESOURCES: tuple[type[Resource], ...] = (Users,)
