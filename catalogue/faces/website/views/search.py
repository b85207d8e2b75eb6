"""One box for everything: proposals, runs, samples, people, files."""

from __future__ import annotations

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalogue.faces.website import searching
from catalogue.ground import pages, question


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """The answers by kind, the first few of each; with `kind`, all of one kind by the page."""
    asked = question.understood(request.GET.get("q", ""))
    only = request.GET.get("kind", "")
    only = only if only in {kind.name for kind in searching.KINDS} else ""
    page = _page(request.GET.get("page", ""))
    groups = searching.groups(pages.actor(request), asked, only=only, page=page) if asked else []
    if only and groups and not groups[0].hits and groups[0].ids:  # beyond the last page
        page = _pages_of(groups[0].ids, page).number
        groups = searching.groups(pages.actor(request), asked, only=only, page=page)
    context = {
        "asked": asked,
        "groups": groups,
        "only": only,
        "page": _pages_of(groups[0].ids, page) if only and groups else None,
        "nothing": not any(group.ids for group in groups),
        "most": searching.MOST,
    }
    return render(request, "catalogue/search.html", context)


def _pages_of(ids: tuple[int, ...], page: int) -> Page[int]:
    return Paginator(ids, searching.PAGE).get_page(page)


def _page(text: str) -> int:
    plain = text.isascii() and text.isdigit() and len(text) < 5
    return max(int(text), 1) if plain else 1
