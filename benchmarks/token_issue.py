"""How many tokens a second one worker gives out over HTTP, on PostgreSQL.

A DAQ that restarts asks for the tokens of all its clients at once: here eight clients ask one
gunicorn worker for tokens, each with a connection of its own for every token, as the published
clients do. Beside it the same worker answers as many requests for a page that asks the database
nothing, which is what HTTP alone costs here. Goal: 100 tokens a second, each good.

    DATABASE_URL=postgres://… python benchmarks/token_issue.py
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
GOAL = 100.0
CLIENTS = 8
BODY = "grant_type=client_credentials"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=2000)
    arguments = parser.parse_args()
    from benchmarks.place import database, machine  # why: before Django reads the settings

    print(machine())
    with database("lightkeeper_bench_tokens") as url:
        os.environ.update(DATABASE_URL=url, BROKER_URL="memory://localhost//", LOG_LEVEL="WARNING")
        program, client_id, secret = prepare()
        with server() as port:
            rate = measure(arguments.tokens, port, client_id, secret)
        told = kept(program)
    print(f"{told} tokens kept")
    if told < arguments.tokens or rate < GOAL:
        sys.exit(1)


def prepare() -> tuple[int, str, str]:
    """A database with one program in it; its row, id and secret."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "catalogue.settings")
    import django  # why: reads the settings

    django.setup()
    from django.core.management import call_command  # why: after setup

    from catalogue.ground import programs  # why: after setup
    from catalogue.ground.actor import COMMAND  # why: after setup

    call_command("migrate", verbosity=0)
    program, secret = programs.create(name="DAQ", scopes=["daq", "read"], by=COMMAND)
    return program.pk, program.client_id, secret


def kept(program: int) -> int:
    """How many tokens of the program are in the database."""
    from django.db import connection  # why: after setup
    from oauth2_provider.models import AccessToken  # why: after setup

    count = AccessToken.objects.filter(application_id=program).count()
    connection.close()
    return int(count)


@contextmanager
def server() -> Iterator[int]:
    """The site, served by one gunicorn worker that does one request at a time; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "gunicorn", "--workers", "1", "--worker-class", "sync"]
    command += ["--bind", f"127.0.0.1:{port}", "--log-level", "warning", "catalogue.wsgi"]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        until = time.monotonic() + 60
        while not answers(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the server did not start")
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def answers(port: int) -> bool:
    """Whether the site answers there."""
    try:
        return ask(port, "GET", "/api/v1/health", None, {})[0] == 200
    except OSError:
        return False


def ask(
    port: int, method: str, path: str, body: str | None, headers: dict[str, str]
) -> tuple[int, bytes]:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def measure(tokens: int, port: int, client_id: str, secret: str) -> float:
    """Ask for tokens, and for the plain page; the rate of tokens a second."""
    both = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    headers = {
        "Authorization": f"Basic {both}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }

    def token() -> str:
        status, answer = ask(port, "POST", "/metadata/oauth/token", BODY, headers)
        assert status == 200, (status, answer)
        return str(json.loads(answer)["access_token"])

    def page() -> str:
        status, _ = ask(port, "GET", "/api/v1/problems/refused", None, {})
        assert status == 200, status
        return ""

    for _ in range(20):
        token()
        page()
    seen, seconds = together(token, tokens)
    assert len(set(seen)) == len(seen), "a token was given out twice"
    _, plain = together(page, tokens)
    rate = len(seen) / seconds
    print(
        f"{len(seen)} tokens for {CLIENTS} clients from one worker in {seconds:.2f} s: "
        f"{rate:.0f} a second, {rate / GOAL:.2f} x the goal of {GOAL:.0f}; "
        f"{seconds / plain:.2f} x the time of as many plain answers"
    )
    return rate


def together(act: Callable[[], str], times: int) -> tuple[list[str], float]:
    """Let all clients do it, `times` in all; what came back, and the seconds it took."""
    found: list[list[str]] = [[] for _ in range(CLIENTS)]

    def client(mine: list[str]) -> None:
        mine += [act() for _ in range(times // CLIENTS)]

    threads = [threading.Thread(target=client, args=(mine,)) for mine in found]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [one for mine in found for one in mine], time.perf_counter() - begun


if __name__ == "__main__":
    main()
