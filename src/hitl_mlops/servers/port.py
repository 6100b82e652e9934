"""A port of this machine is free, or is named with the program that holds it."""

from __future__ import annotations

import random
import socket
import threading

import psutil

from hitl_mlops.errors import BusyError

HOST = "127.0.0.1"
# Below the range from which kernels take the ports of outgoing connections (Linux from 32768, others from
# 49152), so that no client's connection takes the port in the seconds until the server binds it.
_FIRST, _LAST = 20_000, 32_000

_given_out: set[int] = set()
_one_at_a_time = threading.Lock()


def is_free(port: int) -> bool:
    """Whether a server could bind the port on the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT counts as free
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    """The preferred port where it is free, else another that is, never given out twice by this process.

    Another process can still take it before the server binds it: `process.start` notices and says so.
    """
    with _one_at_a_time:
        if preferred is not None and is_free(preferred):
            return preferred
        for port in random.SystemRandom().sample(range(_FIRST, _LAST), 200):
            if port not in _given_out and is_free(port):
                _given_out.add(port)
                return port
    raise BusyError(
        f"None of 200 ports between {_FIRST} and {_LAST} is free.",
        remedy="End programs that listen on this machine (ss -ltnp lists them), then try again.",
    )


def demand_port(port: int, *, server: str) -> None:
    """The port that the user asked for is free.

    Raises:
        BusyError: it is taken; the fact names the program that holds it where the system tells.
    """
    if is_free(port):
        return
    raise BusyError(
        f"Port {port}, asked for by {server}, is taken by {holder_of(port)}.",
        remedy="End that program or choose another port, then try again.",
        port=port,
        server=server,
    )


def holder_of(port: int) -> str:
    """`name (pid N)` of the program that listens on the port; "another program" where it may not be seen.

    >>> holder_of(1)
    'another program (see: ss -ltnp)'
    """
    for process in psutil.process_iter(["pid", "name"]):
        if listens(process, port):
            return f"{process.info['name']} (pid {process.info['pid']})"
    return "another program (see: ss -ltnp)"


def listens(process: psutil.Process, port: int) -> bool:
    """Whether the process listens on the port; False where the system does not let us look."""
    try:
        connections = process.net_connections("inet")
    except psutil.Error:
        return False
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in connections)
