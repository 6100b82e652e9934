"""A delivery leaves over HTTP: no redirect is followed, and nothing of the answer is read but its status."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from hitl_mlops.callbacks.decide import Attempt

CONNECT_S, ANSWER_S = 5.0, 10.0
"""Connecting, sending and waiting together stay under `decide.CLAIMED_FOR`."""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
    """The application was called; only a 2xx counts as taken."""
    import httpx

    limits = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
    try:
        with (
            httpx.Client(timeout=limits, follow_redirects=False) as client,
            client.stream("POST", url, content=body, headers=dict(headers)) as answer,
        ):
            told = f"HTTP {answer.status_code}"
            return Attempt(answer.is_success, told, gone=answer.status_code == HTTPStatus.GONE)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError) as error:
        return Attempt(taken=False, told=f"no answer: {type(error).__name__}")
