"""What it costs that most rows of a list are not the reader's to see.

    DATABASE_URL=postgres://… python benchmarks/access_lists.py

Lists of 20,000 proposals and 200,000 runs of which a member may see 40, beside the same lists for
somebody who may see those 40 in a database that holds nothing else: at most 1.5 times the server's
time. For a data manager, who sees all, at most 1.5 times of the member's, for as many rows. Two
members: one in the teams of 40 proposals, one in those of 4, which have 40 runs. Asked in this
process, through all the middleware; pages with a session, programs with a token. The two databases
are asked by turns, so that what disturbs one disturbs both; they are made for it and dropped
afterwards.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import asking  # noqa: E402 - as a script, not as a module
from benchmarks.place import database, machine  # noqa: E402

RATIO = 1.5
OWN = 40
PROPOSALS, RUNS_OF_ONE = 20_000, 10
FIRST = 100_001
FEW = 4
BETWEEN = 10
MEMBER, RUNNER = "member", "runner"
# What is asked, by which of the members. Lists of programs are asked for as many rows as they see,
# so that a data manager is not given more.
LISTS = {
    "proposals, page": (MEMBER, "/proposals"),
    "proposals, page, searched": (MEMBER, "/proposals?q=Study"),
    "proposals, native": (MEMBER, "/api/v1/proposals?page_size=40"),
    "proposals, legacy": (MEMBER, "/metadata/api/proposals?page_size=40"),
    "runs, legacy": (RUNNER, "/metadata/api/runs?page_size=40"),
    "data groups, legacy": (RUNNER, "/metadata/api/data_groups?page_size=40"),
    "jobs, page": (RUNNER, "/jobs"),
    "my work, page": (MEMBER, "/"),
}
# These are no lists of proposals or runs: told, not limited. (All 200,000 jobs are the data
# manager's, and what waits for them is looked for among all proposals.)
TOLD = ("/jobs", "/")
SMALL, LARGE = "lightkeeper_bench_own", "lightkeeper_bench_others"


def fill(proposals: int) -> None:
    """A new database with so many proposals of 10 runs; 40 have the one member in their team, 4
    others the other member, the rest others. All is under embargo, with DOIs that are internal."""
    from django.core.management import call_command  # why: Django is set up by now
    from django.db import connection, transaction

    from benchmarks.filling import Rows
    from catalogue.ground.models import Doi, ExperimentType, Job, User
    from proposals.models import Experiment, Membership, Proposal
    from runs.models import DataGroup, Run
    from tests.factories import BEGIN, Facility

    call_command("migrate", verbosity=0)
    facility = Facility(Path(tempfile.mkdtemp(prefix="lightkeeper-bench-")))
    begin = BEGIN - timedelta(days=900)
    member, runner = (
        User.objects.create(username=name, last_name=name.title(), email=f"{name}@example.org")
        for name in (MEMBER, RUNNER)
    )
    others = User.objects.bulk_create(
        User(username=f"user{n:04d}", last_name=f"User{n:04d}", email=f"u{n}@example.org")
        for n in range(2000)
    )
    kind = ExperimentType.objects.get(name="Test DAQ")
    step = proposals // OWN  # theirs lie among the others
    own = {n * step: member for n in range(OWN)}
    own |= (
        {n * step + 1: runner for n in range(FEW)}
        if step > 1
        else {OWN + n: runner for n in range(FEW)}
    )
    with transaction.atomic():
        Rows(Doi, "id", "name", "state", "url", "proposal").copy(
            (n + 1, f"10.5072/{n}", "registered", f"https://example.org/{n}", FIRST + n)
            for n in range(proposals)
        )
        Rows(
            Proposal, "id", "number", "title", "instrument_id", "cycle_id", "state", "state_since",
            "created_at", "doi_id",
        ).copy(
            (n + 1, FIRST + n, f"Study {n}", facility.instrument.pk, facility.cycle.pk,
             ("F", "FR", "CLO")[n % 3], begin, begin, n + 1)
            for n in range(proposals)
        )  # fmt: skip
        Rows(Experiment, "id", "proposal_id", "name", "type_id", "number").copy(
            (n + 1, n + 1, "type", kind.pk, 1) for n in range(proposals)
        )
        Rows(
            Membership, "proposal_id", "user_id", "role", "data_access", "added_at"
        ).copy(
            (n + 1, (own[n] if n in own and not place else others[(n + 7 * place) % 2000]).pk,
             "pi" if place == 1 else "member", 2, begin)
            for n in range(proposals)
            for place in range(4)
        )  # fmt: skip
        ids = [(n, number) for n in range(proposals) for number in range(1, RUNS_OF_ONE + 1)]
        Rows(
            Run, "id", "proposal_id", "number", "experiment_id", "status", "quality",
            "assessed_at", "begin_at", "end_at", "created_at",
        ).copy(
            (pk, n + 1, number, n + 1, "closed", ("good", "unclear")[number % 2], begin,
             begin, begin + timedelta(minutes=5), begin)
            for pk, (n, number) in enumerate(ids, 1)
        )  # fmt: skip
        Rows(DataGroup, "id", "run_id", "experiment_id", "kind", "created_at").copy(
            (pk, pk, n + 1, "RAW", begin) for pk, (n, _) in enumerate(ids, 1)
        )
        Rows(
            Job, "name", "subject_type", "subject_id", "subject_label", "proposal", "state",
            "lane", "after", "created_at", "finished_at",
        ).copy(
            ("runs.migrate", "runs.run", pk, f"run {number}", FIRST + n, "done", f"lane {pk}",
             begin, begin, begin)
            for pk, (n, number) in enumerate(ids, 1)
        )  # fmt: skip
        with connection.cursor() as cursor:
            for model in (Doi, Proposal, Experiment, Run, DataGroup):
                table = model._meta.db_table
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), MAX(id)) FROM {table}"  # noqa: S608 - our own names
                )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


@dataclass
class Catalogue:
    """One filled database, and somebody who asks it, with a session and with a token."""

    url: str
    site: asking.Site

    def use(self) -> None:
        asking.use(self.url)

    def asker(self, login: str) -> Callable[[str], asking.Answered]:
        from django.test import Client  # why: after setup

        from catalogue.ground import tokens
        from catalogue.ground.models import User

        self.use()
        user = User.objects.get(username=login)
        browser = Client()
        browser.force_login(user)
        _, token = tokens.issue(user, name="bench", scopes=["read"])
        session = {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"}
        native = {"Authorization": f"Bearer {token}"}
        legacy = asking.Caller(self.site, user.email, ["read"])

        def ask(path: str) -> asking.Answered:
            if path.startswith("/metadata"):
                return legacy.get(path)
            headers = native if path.startswith("/api") else session
            answer = self.site.ask("GET", path, headers)
            if answer.status != 200:
                raise SystemExit(f"{path}: {answer.status}: {answer.body[:300]!r}")
            return answer

        return ask


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--requests", type=int, default=60, help="of each kind, by each")
    parser.add_argument("--list", default="", help="only the lists whose name has this in it")
    arguments = parser.parse_args()
    print(machine())
    with ExitStack() as stack:
        urls = [stack.enter_context(database(name)) for name in (SMALL, LARGE)]
        asking.set_up(urls[0])
        site = asking.Site()
        small, large = (Catalogue(url, site) for url in urls)
        try:
            for each, proposals in ((small, OWN + FEW), (large, PROPOSALS)):
                each.use()
                fill(proposals)
            manager = large.asker(_manager())
            askers = {
                login: [
                    (small, small.asker(login)), (large, large.asker(login)), (large, manager),
                ]
                for login in (MEMBER, RUNNER)
            }  # fmt: skip
            kept = [
                measure(name, path, askers[login], arguments.requests)
                for name, (login, path) in LISTS.items()
                if arguments.list in name
            ]
        finally:
            from django.db import connections  # why: after setup

            connections.close_all()
    return 0 if all(kept) else 1


def _manager() -> str:
    from catalogue.ground.models import User  # why: after setup

    return str(User.objects.get(appointments__role="data_manager").username)


def measure(
    name: str,
    path: str,
    askers: list[tuple[Catalogue, Callable[[str], asking.Answered]]],
    requests: int,
) -> bool:
    """Ask by turns; print the medians and both ratios. Whether they are kept."""
    took: list[list[float]] = [[] for _ in askers]
    while len(took[-1]) < requests:
        for times, (catalogue, ask) in zip(took, askers, strict=True):
            catalogue.use()
            ask(path)  # connects
            times += [asking.timed(lambda ask=ask: ask(path)) for _ in range(BETWEEN)]
    own, member, manager = (asking.median(times) for times in took)
    print(f"{name}: alone {own:.1f} ms, member {member:.1f} ms, data manager {manager:.1f} ms")
    if path in TOLD:
        return True
    kept = asking.told("    member beside alone", member / own, RATIO, "x", 2)
    return asking.told("    data manager beside member", manager / member, RATIO, "x", 2) & kept


if __name__ == "__main__":
    raise SystemExit(main())
