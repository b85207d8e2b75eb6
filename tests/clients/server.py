"""`make suite-server`: a site in the foreground for the published clients' test suites.

An embedded database in the folder given (or the one that `--database` names) with the suites' rows
in it, and several web workers; no queue worker, so that nothing moves but by what clients send. One
line says when it answers. Ctrl-C or SIGTERM ends it with all it started.
"""

from __future__ import annotations

import argparse
import fcntl
import http.client
import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from catalogue.demo.supervisor import Child, EndedError, Interrupted, Supervisor

HOST = "127.0.0.1"
ANSWERS_WITHIN = 120.0
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


class CannotStart(Exception):
    """The message says why, and what to do."""


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal comes: 0 then, 1 if it could not be started or ended by itself."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8990)
    parser.add_argument("--data", type=Path, default=Path("var/suites"))
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--database", default="", help="a database URL; default: SQLite in DATA")
    chosen = parser.parse_args(arguments)
    data = chosen.data.resolve()
    for place in (data / "logs", data / "tmp" / "home", data / "static", data / "broker"):
        place.mkdir(parents=True, exist_ok=True)
    try:
        with _alone(data), _listening(chosen.port) as listening:
            environment = _environment(data, chosen.port, chosen.database)
            with Supervisor(environment, data / "logs") as programs:
                _serve(programs, data, listening, chosen)
    except Interrupted:
        return 0
    except (CannotStart, EndedError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _serve(
    programs: Supervisor, data: Path, listening: socket.socket, chosen: argparse.Namespace
) -> None:
    manage = [sys.executable, "manage.py"]
    programs.must(programs.start("migrate", [*manage, "migrate", "--noinput", "--verbosity=0"]))
    programs.must(programs.start("rows", [*manage, "enter_suite_rows"]))
    web = programs.start(
        "web",
        [
            *(sys.executable, "-m", "gunicorn", "catalogue.wsgi:application"),
            *("--bind", f"fd://{listening.fileno()}", "--no-control-socket"),
            *("--worker-class", "gthread", "--workers", str(chosen.workers), "--threads", "2"),
            *("--worker-tmp-dir", str(data / "tmp"), "--graceful-timeout", "2"),
            *("--timeout", "120", "--log-level", "warning"),
        ],
        sockets=[listening.fileno()],
    )
    listening.close()
    _await_answer(programs, web, chosen.port)
    site = f"http://{HOST}:{chosen.port}"
    print(f"The suites' server answers: {site}/metadata and {site}/calibration", flush=True)
    programs.watch()


def _environment(data: Path, port: int, database: str) -> dict[str, str]:
    """The whole environment of its programs; nothing of another site gets in."""
    temporary = data / "tmp"
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "catalogue.settings",
        "PYTHONUNBUFFERED": "1",
        "HOME": str(temporary / "home"),
        "TMPDIR": str(temporary),
        "XDG_CACHE_HOME": str(temporary / "home"),
        "MPLCONFIGDIR": str(temporary / "home"),
        "LIGHTKEEPER_DATA": str(data),
        "SITE_URL": f"http://{HOST}:{port}",
        "LOG_LEVEL": "WARNING",
    }
    return environment | ({"DATABASE_URL": database} if database else {})


def _await_answer(programs: Supervisor, web: Child, port: int) -> None:
    """Return when a request without a token is refused as it should be."""
    until = time.monotonic() + ANSWERS_WITHIN
    while time.monotonic() < until:
        if os.waitid(os.P_PID, web.process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
            programs.watch()  # tells how it ended
        connection = http.client.HTTPConnection(HOST, port, timeout=10)
        try:
            connection.request("GET", "/metadata/api/units/")
            if connection.getresponse().status == http.HTTPStatus.UNAUTHORIZED:
                return
        except (OSError, http.client.HTTPException):
            pass  # not yet
        finally:
            connection.close()
        time.sleep(0.1)
    raise CannotStart(f"The site did not answer within {ANSWERS_WITHIN:.0f} seconds.")


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """One server at a time in one folder."""
    with (data / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"Another server runs in {data}; choose another: DATA=…") from None
        yield


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    """The address, taken before anything is started."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            listening.listen(64)
        except OSError as error:
            raise CannotStart(
                f"Port {port} of this machine cannot be used ({os.strerror(error.errno or 0)}). "
                f"Choose another: make suite-server PORT={port + 1}"
            ) from None
        yield listening


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
