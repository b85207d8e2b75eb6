"""The words of the site, explained."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalogue.faces.website import glossary


@require_safe
def glossary_page(request: HttpRequest) -> HttpResponse:
    """Every term by the alphabet, each with an anchor of its own."""
    terms = [(term, [glossary.TERMS[word] for word in term.more]) for term in glossary.in_order()]
    return render(request, "catalogue/help.html", {"terms": terms})
