"""One foreground process for the whole demo: the site, its worker, a registrar, and a beamtime."""

from __future__ import annotations

import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from catalogue.demo import facility
from catalogue.demo.layout import (
    REGISTRAR_PASSWORD,
    REGISTRAR_USER,
    WITHOUT_TLS,
    Layout,
    site,
)
from catalogue.demo.supervisor import EndedError, Interrupted, Supervisor

_HOST = "127.0.0.1"
_PYTHON = sys.executable


class CannotStartError(Exception):
    """The message says why, and what to do."""


def run(layout: Layout, port: int, way: str | None = None) -> int:
    """Start everything, play the beamtime, stay up. 0 after Ctrl-C. `way`: which programs record
    and copy (`facility.WAYS`)."""
    try:
        with _serving(layout, port, way) as (programs, registrar):
            code = _play(programs, layout, port, registrar)
            if code:
                return code
            _tell_addresses(layout, port)
            programs.watch()
    except Interrupted:
        print("\nStopped. Nothing is left running; `make run` goes on from here.")
        return 0
    except (CannotStartError, EndedError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def demo(layout: Layout, port: int, way: str | None = None) -> int:
    """Play the beamtime, stop the site, check from outside. 0 only if all of it held."""
    try:
        with _serving(layout, port, way) as (programs, registrar):
            code = _play(programs, layout, port, registrar, "--look-again")
        if code:
            return code
    except Interrupted as interruption:
        print(f"\nInterrupted ({interruption}) before the end: nothing is left running.")
        return 130
    except (CannotStartError, EndedError) as problem:
        print(problem, file=sys.stderr)
        return 1
    # why: numpy and the readers of HDF5 are not needed to run the site
    from catalogue.demo.verification.verify import verify

    return verify(layout, with_story=True)


@contextmanager
def _serving(layout: Layout, port: int, way: str | None = None) -> Iterator[tuple[Supervisor, str]]:
    """Registrar, web server and worker, on a catalogue with the demo facility in it; what
    supervises them, and the registrar's address."""
    layout.make()
    with _alone(layout), _listening(port) as listening:
        if not layout.settle(way):
            raise CannotStartError(
                f"The facility in {layout.data} was made with DAQ={layout.way}; "
                "choose another folder: DATA=…"
            )
        registrar = _free_port(port + 1)
        registrar_url = f"http://{_HOST}:{registrar}"
        environment = layout.environment(port=port, registrar_url=registrar_url)
        with Supervisor(environment, layout.logs) as programs:
            _prepare(programs, layout, port)
            _start(programs, layout, listening, registrar)
            listening.close()
            if layout.way == facility.METADATA_CLIENT:
                _start_transfer(programs, layout, port)
            print(f"The site: {site(port)}    programs: {site(port)}/api/v1/docs")
            print(f"A stand-in for DataCite, under the test prefix 10.5072: {registrar_url}")
            yield programs, registrar_url


def _prepare(programs: Supervisor, layout: Layout, port: int) -> None:
    fresh = not layout.database.exists()
    print(f"{'Making' if fresh else 'Opening'} the demo facility in {layout.data}")
    load = [_PYTHON, "-m", "catalogue.demo", "load", "--data", str(layout.data)]
    programs.must(programs.start("load", [*load, "--port", str(port)]))


def _start(programs: Supervisor, layout: Layout, listening: socket.socket, registrar: int) -> None:
    programs.start(
        "registrar",
        [
            *(_PYTHON, "-m", "catalogue.demo.datacite_server", "--port", str(registrar)),
            *("--state", str(layout.registrar), "--host", _HOST),
            *("--username", REGISTRAR_USER, "--password", REGISTRAR_PASSWORD),
        ],
    )
    # The socket is bound here, so that no other program can take the port in between.
    programs.start(
        "web",
        [
            *(_PYTHON, "-m", "gunicorn", "catalogue.wsgi:application"),
            *("--bind", f"fd://{listening.fileno()}", "--no-control-socket"),
            *("--worker-class", "gthread", "--workers", "2", "--threads", "4"),
            *("--worker-tmp-dir", str(layout.temporary), "--graceful-timeout", "2"),
            *("--timeout", "120", "--log-level", "warning"),
        ],
        sockets=[listening.fileno()],
    )
    programs.start(
        "worker",
        [
            *(_PYTHON, "-m", "celery", "-A", "catalogue.celery", "worker", "--beat"),
            *("--schedule", str(layout.beat), "--pool", "prefork", "--concurrency", "2"),
            *("--loglevel", "WARNING", "--without-gossip", "--without-mingle"),
            *("--without-heartbeat", "--hostname", "demo@localhost"),
        ],
    )


def _start_transfer(programs: Supervisor, layout: Layout, port: int) -> None:
    """The facility's own transfer service, which brings data to the offline store."""
    programs.start(
        "transfer",
        [
            *(_PYTHON, "-m", "catalogue.demo.programs.transfer", "--site", site(port)),
            *("--stores", str(layout.stores), "--secrets", str(layout.programs)),
        ],
        environment=WITHOUT_TLS,
    )


def _play(programs: Supervisor, layout: Layout, port: int, registrar: str, *options: str) -> int:
    """The scripted beamtime as a program of its own; its exit code."""
    command = [
        *(_PYTHON, "-m", "catalogue.demo", "beamtime", "--data", str(layout.data)),
        *("--port", str(port), "--registrar", registrar, *options),
    ]
    return programs.finish(programs.start("beamtime", command, shown=True))


def _tell_addresses(layout: Layout, port: int) -> None:
    print(f"\nThe site stays up at {site(port)}    (Ctrl-C ends it; logs in {layout.logs})")
    print("Demo logins, for this demo only, published and worth nothing elsewhere:")
    for one in facility.logins():
        print(f"    {one['login']:<10} {one['password']:<18} {one['name']}, {one['role']}")


@contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """One demo at a time in one folder."""
    with (layout.data / "demo" / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStartError(
                f"Another demo runs in {layout.data}; stop it, or choose another folder: DATA=…"
            ) from None
        yield


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    """The site's address, taken before anything is started."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((_HOST, port))
            listening.listen(64)
        except OSError as error:
            raise CannotStartError(
                f"Port {port} of this machine cannot be used ({os.strerror(error.errno or 0)}). "
                f"Choose another: make run PORT={port + 1}"
            ) from None
        yield listening


def _free_port(wanted: int) -> int:
    """`wanted` if it is free, else any free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise CannotStartError("This machine has no free port.")
