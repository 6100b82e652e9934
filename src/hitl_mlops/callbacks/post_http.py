"""A delivery leaves over HTTP: no redirect is followed, and nothing of the answer is read but its status."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING

from hitl_mlops.callbacks.decide import Attempt

if TYPE_CHECKING:
    import httpx

CONNECT_S, ANSWER_S = 5.0, 10.0
"""Connecting, sending and waiting together stay under `decide.CLAIMED_FOR`."""


class HttpPost:
    """Calls applications, each on a connection of its own. Any number of threads may share one."""

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
        """The application was called; only a 2xx counts as taken."""
        import httpx

        try:
            with self._client.stream("POST", url, content=body, headers=dict(headers)) as answer:
                told = f"HTTP {answer.status_code}"
                return Attempt(answer.is_success, told, gone=answer.status_code == HTTPStatus.GONE)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
            return Attempt(taken=False, told=f"no answer: {type(error).__name__}")

    @cached_property
    def _client(self) -> httpx.Client:
        import httpx

        return httpx.Client(
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            follow_redirects=False,
            limits=httpx.Limits(max_keepalive_connections=0),  # so that nothing has to be given back
        )
