"""One endpoint: who calls, with what body, and what they may know of."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, TypeVar, cast

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated, NotFound
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.views import APIView

from catalogue.ground import access, clock, inputs
from catalogue.ground.actor import VISITOR, Actor
from catalogue.ground.endpoints.description import Description
from catalogue.ground.endpoints.input import Input
from catalogue.ground.endpoints.streams import Chunks, Spooled
from catalogue.ground.models import Token

T = TypeVar("T")

LONGEST_PARAMETER = 2000


class Endpoint(APIView):
    """The base of all endpoints. `visitors`: reading needs no account, where there is anything
    that everybody may read."""

    visitors: ClassVar[bool] = False
    schema = Description()
    body_sha256 = ""
    """Of the body as it came; set by the parsers when `request.data` is read first."""
    spooled: Spooled | None = None
    """A body that was received into a file."""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """A body sent in chunks has no length beforehand; the server says where it ends."""
        wrapped = super().initialize_request(request, *args, **kwargs)
        meta = request.META
        chunked = "chunked" in meta.get("HTTP_TRANSFER_ENCODING", "").lower()
        if chunked and meta.get("wsgi.input_terminated"):
            # Django takes a body without Content-Length for an empty one.
            wrapped._stream = Chunks(meta["wsgi.input"])  # type: ignore[assignment] # is only read
        return wrapped

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        welcome = self.visitors and request.method in SAFE_METHODS
        user: Any = request.user  # None where nobody signed in (UNAUTHENTICATED_USER)
        if user is None and not welcome and self.authentication_classes:
            raise NotAuthenticated  # where nobody is asked who they are, it is no use to ask
        for name, values in request.query_params.lists():
            inputs.free_text(name, 100, "query")
            for value in values:
                inputs.free_text(value, LONGEST_PARAMETER, name)
        for name, value in kwargs.items():
            if isinstance(value, str):
                _name_in_path(value, name)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if self.spooled is not None:
            self.spooled.close()
        return super().finalize_response(request, response, *args, **kwargs)

    @cached_property
    def actor(self) -> Actor:
        """Who calls; a token narrows what they may do to its scopes. For a program's token it is
        known since it was recognised: the person it acts for."""
        user: Any = self.request.user
        if user is None:
            return VISITOR
        token = self.request.auth
        if isinstance(token, Actor):
            return token
        scopes = frozenset(token.scopes) if isinstance(token, Token) else None
        return Actor.of(user, face="api", scopes=scopes)

    def standing(self, **where: Any) -> frozenset[str]:
        """What the caller may do where this address leads, in words that can be compared later. An
        endpoint of things that belong to somebody says what of them; raises NotFound where the
        caller may not know of the thing."""
        return access.standing(self.actor, clock.now().astimezone(clock.facility_zone()).date())

    def given(self, form: type[Input]) -> dict[str, Any]:
        """The body, checked. Raises `Faults`."""
        read = form(data=self.request.data)
        read.is_valid(raise_exception=True)
        return cast(dict[str, Any], read.validated_data)

    def find(self, one: Callable[..., T], *args: object, **kwargs: object) -> T:
        """`one(…)`, which raises DoesNotExist also for what the caller may not know of."""
        try:
            return one(*args, **kwargs)
        except ObjectDoesNotExist:
            if self.actor.user is None:
                raise NotAuthenticated from None
            raise NotFound("There is none, or none that you may know of.") from None


def _name_in_path(value: str, name: str) -> None:
    """Nothing is called by what no database can hold."""
    try:
        inputs.free_text(value, LONGEST_PARAMETER, name)
    except inputs.Invalid:
        raise NotFound("There is none, or none that you may know of.") from None


def named(one: Callable[..., T], value: object, field: str, what: str) -> T:
    """`one(value)`, a thing that the body names. Raises `Invalid` where there is none."""
    try:
        return one(value)
    except ObjectDoesNotExist:
        raise inputs.Invalid(field, f"must name {what} of the catalogue", value) from None
