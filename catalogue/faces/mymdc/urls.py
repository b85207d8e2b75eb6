"""The two trees of addresses. Slashes that were doubled on the way are taken for one."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, URLPattern, URLResolver, re_path
from django.urls.resolvers import RegexPattern
from django.views.decorators.csrf import csrf_exempt

from catalogue.faces.mymdc import calcat, metadata
from catalogue.faces.mymdc.call import not_found
from catalogue.faces.mymdc.described.document import view as described

TREES = {"metadata": metadata.urls, "calibration": calcat.urls}


@cache
def _resolver(tree: str) -> URLResolver:
    return URLResolver(RegexPattern(r"^"), TREES[tree]())


@csrf_exempt  # the views behind it are; nothing here reads a cookie
def dispatch(request: HttpRequest, tree: str, rest: str) -> HttpResponse:
    """Find the view of an address below `/<tree>/api/`."""
    if "\x00" in rest:  # no row is called so, and no database could be asked
        return not_found(request)
    try:
        match = _resolver(tree).resolve(re.sub(r"/{2,}", "/", rest).lstrip("/"))
    except Resolver404:
        return not_found(request)
    view: Any = match.func
    response: HttpResponse = view(request, *match.args, **match.kwargs)
    return response


urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^(?P<tree>metadata|calibration)/+api/+openapi\.json$", described),
    re_path(r"^(?P<tree>metadata|calibration)/+api/+(?P<rest>.*)$", dispatch),
]
