"""A directory behind a program of the facility's own.

The program gets one JSON object on its standard input and answers with one on its standard output:

    {"version": 1, "verb": "look", "group": "x900054-dmgt"}
    {"version": 1, "verb": "configure", "group": "x900054-dmgt", "members": ["ada", "hk"]}

    {"group": "x900054-dmgt", "number": 54321, "members": ["ada"], "not_done": ["hk is unknown"]}
    {"group": null}                                       `look` only: there is no such group

It ends with 0, with 75 where it may work later (EX_TEMPFAIL), with anything else where a person has
to look; what it wrote to standard error is told to them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from typing import Any

from catalogue.ports.directory.contract import Configured, Group, checked
from catalogue.ports.outcome import Permanent, Transient

LATER = 75
LONGEST_ANSWER = 4 << 20
_TOLD = 2000
# Of our environment, which holds secrets, it gets what every program needs.
_PASSED = ("PATH", "LANG", "LC_ALL", "TZ", "HOME")


class CommandDirectory:
    """See `contract.Directory`."""

    is_there = True

    def __init__(self, command: Sequence[str], *, timeout: float) -> None:
        if not command:
            raise Permanent("DIRECTORY is command, and DIRECTORY_COMMAND names none")
        self._command = list(command)
        self._timeout = timeout

    def look(self, group: str) -> Group | None:
        checked(group, ())
        answer = self._ask({"verb": "look", "group": group})
        if answer.get("group") is None:
            return None
        return self._group(group, answer)

    def configure(self, group: str, members: Sequence[str]) -> Configured:
        group, good, odd = checked(group, members)
        answer = self._ask({"verb": "configure", "group": group, "members": good})
        there = self._group(group, answer)
        told = answer.get("not_done", [])
        if not isinstance(told, list) or not all(isinstance(line, str) for line in told):
            raise self._nonsense("not_done", told)
        if set(there.members) - set(good):
            extra = sorted(set(there.members) - set(good))
            raise Permanent(f"{group} still has {', '.join(extra)}", group=group, extra=extra)
        absent = sorted(set(good) - set(there.members))
        silent = [f"{login} is not in {group}." for login in absent] if not told else []
        return Configured(group, there.members, (*odd, *told, *silent), there.number)

    def _group(self, group: str, answer: dict[str, Any]) -> Group:
        members, number = answer.get("members"), answer.get("number")
        if answer.get("group") != group:
            raise self._nonsense("group", answer.get("group"))
        if not isinstance(members, list) or not all(isinstance(m, str) for m in members):
            raise self._nonsense("members", members)
        if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
            raise self._nonsense("number", number)
        return Group(group, number, tuple(sorted(members)))

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        try:
            code, out, told = self._run(json.dumps({"version": 1, **order}).encode())
        except OSError as problem:
            raise Permanent(f"{self._command[0]} cannot be run: {problem.strerror}") from problem
        if code == LATER:
            raise Transient(f"{self._command[0]} asks to come later: {told or 'without a reason'}")
        if code:
            raise Permanent(f"{self._command[0]} ended with {code}: {told or 'without a word'}")
        try:
            answer = json.loads(out)
        except ValueError:
            raise self._nonsense("answer", out[:200].decode(errors="replace")) from None
        if not isinstance(answer, dict):
            raise self._nonsense("answer", answer)
        return answer

    def _run(self, order: bytes) -> tuple[int, bytes, str]:
        """The exit code, what it answered, the end of what it told. In a group of its own, so that
        nothing of it is left when its time is over."""
        environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
        with subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                out, err = process.communicate(order, timeout=self._timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                seconds = f"{self._timeout:g} s"
                raise Transient(f"{self._command[0]} did not answer in {seconds}") from None
        if len(out) > LONGEST_ANSWER:
            raise self._nonsense("answer", f"{len(out)} bytes")
        return process.returncode, out, err.decode(errors="replace").strip()[-_TOLD:]

    def _nonsense(self, what: str, found: object) -> Permanent:
        return Permanent(
            f"{self._command[0]} answered with a {what} that cannot be right: {str(found)[:200]!r}"
        )
