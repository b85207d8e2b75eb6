"""Who acts, and through which face."""

from __future__ import annotations

from dataclasses import dataclass

from catalogue.ground.models import Program, User


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a change.

    `user` is None for the catalogue's own workers and for a visitor without an account;
    `scopes` is None where everything the user may do is meant (a person in the browser), else the
    scopes of the token. `through` is the program that acts for `user`, or in the name of its own
    account. `system` marks the catalogue itself.
    """

    user: User | None
    name: str
    face: str
    scopes: frozenset[str] | None = None
    on_behalf: User | None = None
    through: Program | None = None
    system: bool = False

    @classmethod
    def of(cls, user: User, *, face: str, scopes: frozenset[str] | None = None) -> Actor:
        """The actor for a signed-in user."""
        return cls(user=user, name=user.full_name, face=face, scopes=scopes)


WORKER = Actor(user=None, name="Catalogue worker", face="worker", system=True)
SCHEDULE = Actor(user=None, name="Catalogue schedule", face="schedule", system=True)
COMMAND = Actor(user=None, name="Administrator at the console", face="command", system=True)
VISITOR = Actor(user=None, name="Visitor", face="page")
