"""An entry of LDAP as it was read, and what is raised where none can be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalogue.ground.identity import roles
from catalogue.ground.refusal import Refused

LONGEST_LOGIN = 150


@dataclass(frozen=True, slots=True)
class Person:
    """An entry of LDAP as it was read. `key` is its unique id; `given` what its groups give."""

    login: str
    key: str
    dn: str
    fields: Mapping[str, str] = field(default_factory=dict)
    given: tuple[roles.Rule, ...] = ()


class Unreachable(Refused):
    """LDAP did not answer, or not as it should: nobody is signed in, nothing is changed."""

    def __init__(self, problem: object) -> None:
        self.problem = str(problem)
        super().__init__(
            "The directory of the facility does not answer, so passwords cannot be checked now. "
            "Try again in some minutes.",
            kind="state",
        )
