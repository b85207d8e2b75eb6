"""The list of proposals."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from catalogue.ground import pages
from proposals import entering, queries
from proposals.filters import ProposalFilter
from proposals.tables import ProposalTable


@require_safe
@login_required
@pages.guarded
def proposal_list(request: HttpRequest) -> HttpResponse:
    """The proposals that the reader may know of."""
    actor = pages.actor(request)
    found = ProposalFilter(request.GET, queryset=queries.listed(actor))
    table = ProposalTable(pages.narrowed(found))
    RequestConfig(request, paginate={"per_page": pages.PAGE_SIZE, "silent": True}).configure(table)
    may_create = entering.may_create(actor)
    context = {"filter": found, "table": table, "what": "proposals", "may_create": may_create}
    return render(request, "proposals/list.html", context)
