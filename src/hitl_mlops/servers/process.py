"""A server's process group runs and answers, or it is told why not; it ends whole, and never a stranger's.

A process is known by its pid *and* the moment it was born: pids are handed out again, births are not.
"""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from hitl_mlops.errors import BusyError, ServiceDownError
from hitl_mlops.servers.port import HOST, demand_port, holder_of, listens

_POLL_S = 0.1
_QUOTED_LINES = 15
_BIRTH_TOLERANCE_S = 1.0  # two readings of one birth differ by the clock's correction since boot

# Children of this process: kept so that they are reaped, and so that a guard's pipe stays open while we live.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """How one server is started.

    Attributes:
        name: what people call it, e.g. `label-studio`.
        command: the program and its arguments.
        environment: added to ours. Holds secrets: never shown.
        without: prefixes of our variables that it must not see, so that a shell's settings change nothing.
        folder: working directory; made where it is missing.
        log: file that its output is appended to.
        port: it will listen here, on the loopback address.
        health: path that answers 200 once it is ready.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    without: tuple[str, ...] = ()
    folder: Path
    log: Path
    port: int
    health: str

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://{HOST}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One server that was started: enough to find it again, from another shell too.

    Attributes:
        name: the program's name.
        pid: its process and process group.
        born: when the process began, seconds since 1970 as the system tells it.
        url: where it answers.
        health: path of its health check.
        log: file with its output.
    """

    name: str
    pid: int
    born: float
    url: str
    health: str
    log: Path


def start(program: Program, *, outlives_us: bool) -> Running:
    """The program runs in a process group of its own; it may not answer yet (`wait_until_ready`).

    Args:
        program: what to start.
        outlives_us: True leaves it running when this process ends (`hitl up`); False ends it, however we end.

    Raises:
        BusyError: its port is taken.
        ServiceDownError: the program does not exist or may not be run.
    """
    demand_port(program.port, server=program.name)
    command = list(program.command)
    if not outlives_us:
        command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py")), *command]
    program.folder.mkdir(parents=True, exist_ok=True)
    program.log.parent.mkdir(parents=True, exist_ok=True)
    with program.log.open("ab") as log:
        try:
            child = subprocess.Popen(  # noqa: S603  the command lines are this package's own
                command,
                cwd=program.folder,
                env=_environment(program),
                stdin=subprocess.DEVNULL if outlives_us else subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as exc:
            raise ServiceDownError(
                f"{program.name} could not be started: {exc.strerror}: {command[0]}.",
                remedy="Check the installation: hitl doctor",
                server=program.name,
            ) from exc
    _children[child.pid] = child
    return Running(
        name=program.name,
        pid=child.pid,
        born=psutil.Process(child.pid).create_time(),
        url=program.url,
        health=program.health,
        log=program.log,
    )


def _environment(program: Program) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(program.without)}
    return {**ours, **program.environment}


def wait_until_ready(running: Running, *, deadline_s: float = 180.0) -> None:
    """The server answers its health check, on the port that was asked for.

    A server that fails is stopped before the error is raised.

    Raises:
        ServiceDownError: it ended, or did not answer in time; the fact quotes the last lines of its log.
        BusyError: another program took the port meanwhile.
    """
    until = time.monotonic() + deadline_s
    while time.monotonic() < until:
        if not is_alive(running):
            raise _failure(running, "ended before it answered")
        if answers(running):
            _demand_own_port(running)
            return
        time.sleep(_POLL_S)
    stop(running)
    raise _failure(running, f"did not answer {running.url}{running.health} within {deadline_s:g} s")


def _demand_own_port(running: Running) -> None:
    """What answers is ours: Label Studio, for one, silently takes the next port when its own is taken."""
    port = urlsplit(running.url).port
    if port is None or any(listens(member, port) for member in _group(running.pid)):
        return
    stop(running)
    raise BusyError(
        f"Port {port} was taken by {holder_of(port)} while {running.name} started.",
        remedy="Try again: hitl up",
        port=port,
        server=running.name,
    )


def answers(running: Running, *, timeout_s: float = 5.0) -> bool:
    """Whether the health check answers 2xx now."""
    try:
        reply = _http().get(running.url + running.health, timeout=timeout_s)
    except httpx.HTTPError:
        return False
    return reply.is_success


@functools.cache
def _http() -> httpx.Client:
    """One for all polls: making a client reads every certificate of the machine, 30 ms of a core."""
    return httpx.Client(trust_env=False, headers={"Connection": "close"})


def is_alive(running: Running) -> bool:
    """Whether that very process still runs: same pid, same birth, not a zombie."""
    child = _children.get(running.pid)
    if child is not None and child.poll() is not None:
        return False
    try:
        process = psutil.Process(running.pid)
        same = bool(abs(process.create_time() - running.born) <= _BIRTH_TOLERANCE_S)
        return same and bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def stop(running: Running, *, grace_s: float = 10.0) -> bool:
    """The whole process group has ended: asked first (TERM), after the grace forced (KILL).

    Returns:
        False where it was gone already, or its pid now is somebody else's: then nothing is touched.
    """
    if not is_alive(running):
        _forget(running.pid)
        return False
    for ask, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(running.pid, ask)
        except ProcessLookupError:
            break
        if _emptied(running.pid, patience_s):
            break
    _forget(running.pid)
    return True


def _emptied(group: int, patience_s: float) -> bool:
    """Whether the group has no living member by the end of the patience."""
    until = time.monotonic() + patience_s
    while any(True for _ in _group(group)):
        if group in _children:
            _children[group].poll()  # reaps it, so that it does not count as a zombie for others
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _group(group: int) -> Iterator[psutil.Process]:
    """The living members of a process group."""
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except (ProcessLookupError, PermissionError, psutil.Error):
            continue


def _forget(pid: int) -> None:
    child = _children.pop(pid, None)
    if child is None:
        return
    child.wait()
    if child.stdin is not None:
        child.stdin.close()


def _failure(running: Running, how: str) -> ServiceDownError:
    _forget(running.pid)
    return ServiceDownError(
        f"{running.name} {how}. The end of its log:\n{last_lines(running.log)}\n",
        remedy=f"The whole log is {running.log}; hitl doctor checks what it needs.",
        server=running.name,
        log=str(running.log),
    )


def last_lines(log: Path, count: int = _QUOTED_LINES) -> str:
    """The last lines of a log, indented; `(empty)` where there are none. Reads at most the last 16 kB."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        lines = []
    return "\n".join(f"    {line}" for line in lines[-count:]) or "    (empty)"
