"""Runs and files by what somebody typed; only those that the reader may know of."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from catalogue.ground import fulltext
from catalogue.ground.question import Question
from proposals.access import public
from proposals.models import Experiment, Proposal, Sample
from proposals.search import Reader
from runs import access
from runs.models import File, Run

RUN_TEXT = ("comment", "alias")
ALL = 10**9


def runs(reader: Reader, asked: Question) -> QuerySet[Run]:
    """By number, and those of own proposals by words of comment, alias, sample and run type; the
    newest first. What is said of a run is its team's, also where its data are open."""
    numbered = _numbered(asked)
    own = reader.within("proposal")
    parts = [part.filter(own) for part in _worded(asked)]
    if numbered is not None:
        parts.append(Run.objects.filter(numbered & own))
        if reader.own is not None:
            parts.append(Run.objects.filter(numbered & access.open_runs()))
    # A union, not an "or": with that, every run of the facility would be looked at.
    ids = [part.order_by().values("pk") for part in parts]
    found = Run.objects.filter(pk__in=ids[0].union(*ids[1:], all=True))
    return found.order_by("-begin_at", "-pk")


def _numbered(asked: Question) -> Q | None:
    if asked.run is None:
        return None
    number = Q(number=asked.run)
    return number & Q(proposal__number=asked.proposal) if asked.both else number


def _worded(asked: Question) -> list[QuerySet[Run]]:
    kinds = fulltext.with_words(Experiment.objects.order_by(), ("name",), asked.words)
    samples = fulltext.with_words(Sample.objects.order_by(), ("name",), asked.words)
    texts = fulltext.with_words(Run.objects.order_by(), RUN_TEXT, asked.words)
    return [
        # A limit keeps PostgreSQL from taking the text of every own run apart, one by one: it is
        # to ask the index of words first.
        Run.objects.filter(pk__in=texts.values("pk")[:ALL]),
        Run.objects.filter(experiment__in=kinds.values("pk")),
        Run.objects.filter(sample__in=samples.values("pk")),
    ]


def files(reader: Reader, asked: Question) -> QuerySet[File]:
    """By the beginning of the name as it was typed, else in capitals as the field's names are: all
    of own proposals, and those of the open kinds of open runs."""
    if not asked.file:
        return File.objects.none()
    rows = File.objects.all()
    if reader.own is not None:
        # Conditions on the few rows of that name, not a list of all groups there are.
        own = reader.own.order_by().values("pk")
        of_no_run = Q(data_group__run=None, data_group__experiment__proposal__in=own)
        rows = rows.filter(Q(data_group__run__proposal__in=own) | of_no_run | _open_files())
    found = fulltext.by_beginning(rows, "name", asked.file)
    if asked.file != asked.file.lower() or found.exists():
        return found
    return fulltext.by_beginning(rows, "name", asked.file.upper())


def _open_files() -> Q:
    """A condition on `File`: the open kinds of open runs."""
    of = "data_group__run__"
    return Q(
        **{
            f"{of}proposal__access": Proposal.Access.OPEN,
            f"{of}quality__in": access.OPEN_QUALITIES,
            f"{of}withdrawn_at__isnull": True,
            f"{of}proposal__in": Proposal.objects.filter(public()).values("pk"),
        },
        data_group__kind__in=access.OPEN_KINDS,
    )


def with_places() -> QuerySet[Run]:
    """Runs with what is shown of each."""
    return Run.objects.select_related("proposal__instrument", "sample", "experiment")


def files_with_places() -> QuerySet[File]:
    """Files with what is shown of each."""
    return File.objects.select_related(
        "data_group__run__proposal__instrument", "data_group__experiment__proposal__instrument"
    )
