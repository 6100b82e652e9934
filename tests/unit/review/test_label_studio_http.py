"""Refusals are translated; reads are tried again, writes are not; secrets stay out of sight."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from hitl_mlops.errors import CredentialsError, InputError, NotFoundError, ServiceDownError
from hitl_mlops.review.label_studio_http import LabelStudioHttp


class Server:
    """Answers with the statuses in turn, the last one for ever."""

    def __init__(self, *statuses: int | str, body: str = "{}") -> None:
        self.statuses, self.body = list(statuses), body
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if isinstance(status, str):
            raise httpx.ReadTimeout(status, request=request)
        return httpx.Response(status, text=self.body)


def connected(
    server: Callable[[httpx.Request], httpx.Response],
    pauses: list[float] | None = None,
    token: str = "t" * 40,
) -> LabelStudioHttp:
    pause = (pauses if pauses is not None else []).append
    return LabelStudioHttp("http://desk/", token, pause=pause, transport=httpx.MockTransport(server))


def test_a_read_is_tried_again_with_growing_pauses() -> None:
    pauses: list[float] = []
    assert connected(Server(502, "slow", 200, body='{"a": 1}'), pauses).get("/api/x") == {"a": 1}
    assert pauses == [0.25, 0.5]


def test_a_write_is_sent_once() -> None:
    server = Server("slow")
    with pytest.raises(ServiceDownError):
        connected(server).post("/api/x", {})
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, CredentialsError),
        (403, CredentialsError),
        (404, NotFoundError),
        (400, InputError),
        (500, ServiceDownError),
    ],
)
def test_each_refusal_is_translated(status: int, error: type[Exception]) -> None:
    with pytest.raises(error) as refused:
        connected(Server(status)).get("/api/x")
    assert "tttt" not in str(refused.value)
    assert refused.value.remedy


def test_deleting_what_is_gone_is_no_error() -> None:
    server = Server(404)
    connected(server).delete("/api/x")
    assert [one.method for one in server.requests] == ["DELETE"]


def test_another_program_on_the_port_is_told_apart() -> None:
    with pytest.raises(ServiceDownError, match="not as Label Studio does"):
        connected(Server(200, body="<html>")).get("/api/x")


def test_a_personal_access_token_is_traded_and_renewed() -> None:
    server = Server(200, 401, 200, 200, body='{"access": "short-lived"}')
    http = connected(server, token="a.b.c")
    http.get("/api/x")
    assert [request.url.path for request in server.requests] == [
        "/api/token/refresh", "/api/x", "/api/token/refresh", "/api/x",
    ]  # fmt: skip
    assert server.requests[-1].headers["Authorization"] == "Bearer short-lived"


def test_the_token_is_in_no_repr() -> None:
    assert "t" * 40 not in repr(connected(Server(200)))
