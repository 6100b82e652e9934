"""Clients that ask a server over HTTP: as fast as it answers, or at a rate of their own."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import numpy as np

from tests.service_room import Line

WARM_UP = 5
"""Requests of each client that are not counted, the first of every round."""


@dataclass(frozen=True)
class Server:
    """Whom the client asks.

    Attributes:
        url: where it answers.
        path: what is asked.
        headers: of every request.
        body: number of a case → what is posted.
        is_answer: whether that is what was asked for.
    """

    url: httpx.URL
    path: str
    headers: Mapping[str, str]
    body: Callable[[int], str]
    is_answer: Callable[[bytes], bool]

    def line(self) -> Line:
        """A connection of its own."""
        return Line(self.url, self.path, self.headers)


@dataclass
class Taken:
    """What the counted requests took.

    Attributes:
        seconds: of each request.
        span_s: how long a client asked, all rounds together.
    """

    seconds: list[float] = field(default_factory=list)
    span_s: float = 0.0

    @property
    def per_second(self) -> float:
        """Requests answered a second."""
        return len(self.seconds) / self.span_s

    def percentile_ms(self, percent: float) -> float:
        """Latency that so many percent do not exceed."""
        return float(np.percentile(self.seconds, percent)) * 1_000


@dataclass(frozen=True)
class Offered:
    """What came of requests at a rate of the clients' own.

    Attributes:
        accepted: seconds of each that was answered.
        refused: seconds of each that was told to come again.
        span_s: from the first request to the last.
    """

    accepted: list[float]
    refused: list[float]
    span_s: float

    @property
    def per_second(self) -> float:
        """Requests sent a second."""
        return (len(self.accepted) + len(self.refused)) / self.span_s

    @property
    def refused_share(self) -> float:
        """Share of all that was refused."""
        return len(self.refused) / (len(self.accepted) + len(self.refused))


def measure(server: Server, clients: int, span_s: float, numbers: Iterator[int], into: Taken) -> int:
    """The clients ask for that long, after a warm-up; how many cases they asked about in all.

    Each asks anew as soon as it has its answer.
    """
    together = threading.Barrier(clients)
    with ThreadPoolExecutor(clients) as pool:
        asking = [pool.submit(_ask, server, span_s, numbers, together) for _ in range(clients)]
        told = [one.result() for one in asking]
    into.seconds += itertools.chain.from_iterable(taken for taken, _ in told)
    into.span_s += statistics.mean(asked_for_s for _, asked_for_s in told)
    return sum(len(taken) for taken, _ in told) + clients * WARM_UP


def _ask(
    server: Server, span_s: float, numbers: Iterator[int], together: threading.Barrier
) -> tuple[list[float], float]:
    """Seconds of each request that began within the span; and from its start to the last answer."""
    line, taken = server.line(), []
    try:
        for _ in range(WARM_UP):
            assert server.is_answer(line.post(server.body(next(numbers))))
    except BaseException:
        together.abort()  # the others would wait for this one without end
        raise
    together.wait()
    start = time.perf_counter()
    while (began := time.perf_counter()) < start + span_s:
        told = line.post(server.body(next(numbers)))
        taken.append(time.perf_counter() - began)
        assert server.is_answer(told), told
    line.close()
    return taken, time.perf_counter() - start


def offer(server: Server, clients: int, per_second: float, span_s: float, numbers: Iterator[int]) -> Offered:
    """So many requests a second were sent for that long, whether those before were answered or not.

    A client that still waits when its turn comes sends once it has its answer: with too few clients fewer
    requests are sent, which `per_second` of what is returned tells. A refused request is not sent again.
    """
    together, every_s = threading.Barrier(clients), clients / per_second
    with ThreadPoolExecutor(clients) as pool:
        sending = [
            pool.submit(_send, server, place / per_second, every_s, span_s, numbers, together)
            for place in range(clients)
        ]
        told = [one.result() for one in sending]
    both: dict[bool, list[float]] = {True: [], False: []}
    for was_accepted, seconds in itertools.chain.from_iterable(sent for sent, _ in told):
        both[was_accepted].append(seconds)
    return Offered(both[True], both[False], statistics.mean(sent_for_s for _, sent_for_s in told))


def _send(
    server: Server,
    first_s: float,
    every_s: float,
    span_s: float,
    numbers: Iterator[int],
    together: threading.Barrier,
) -> tuple[list[tuple[bool, float]], float]:
    """Whether each request was accepted, and its seconds; and from the start to the last answer."""
    line, sent = server.line(), []
    together.wait()
    start = time.perf_counter()
    for turn in itertools.count():
        due = start + first_s + turn * every_s
        if due >= start + span_s or time.perf_counter() >= start + span_s:
            break
        time.sleep(max(0.0, due - time.perf_counter()))
        began = time.perf_counter()
        status, again_in_s, told = line.ask(server.body(next(numbers)))
        sent.append((status == httpx.codes.OK, time.perf_counter() - began))
        if status == httpx.codes.OK:
            assert server.is_answer(told), told
        else:
            assert status in {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS}, told
            assert int(again_in_s) >= 1
    line.close()
    return sent, time.perf_counter() - start
