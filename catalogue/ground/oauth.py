"""What django-oauth-toolkit is told of our programs; settings name these classes.

It is imported when the first token is asked for: its base looks for the tables.
"""

from __future__ import annotations

from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes

from catalogue.ground import clock, programs
from catalogue.ground.access import SCOPES


class ProgramScopes(BaseScopes):  # type: ignore[misc]
    """Each program has scopes of its own, and gets all of them unless it asks for fewer."""

    def get_all_scopes(self) -> dict[str, str]:
        return {name: name for name in SCOPES}

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        return list(application.scopes) if application is not None else []

    def get_default_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        return self.get_available_scopes(application)


class ProgramValidator(OAuth2Validator):  # type: ignore[misc]
    """Two statements a token: the program is read, the token written."""

    def save_bearer_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        # One row needs no transaction of its own.
        self._save_bearer_token(token, request, *args, **kwargs)
        programs.note_use(request.client, clock.now())
