"""Tasks are read page by page, and none is missed while others move."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from hitl_mlops.errors import InputError, ServiceDownError
from hitl_mlops.review.desk import BEGINNING
from hitl_mlops.review.label_studio_http import LabelStudioHttp
from hitl_mlops.review.label_studio_tasks import LabelStudioTasks


def nothing(_rows: dict[int, str]) -> None:
    """Nobody works while the page is made."""


class Server:
    """Label Studio's task list: it picks a page's ids, then reads their rows."""

    def __init__(self, times: list[int], between: Callable[[dict[int, str]], None] = nothing) -> None:
        self.rows = {number: moment(second) for number, second in enumerate(times, start=1)}
        self.between = between
        self.most: int | None = None
        self.with_answers = True

    def __call__(self, request: httpx.Request) -> httpx.Response:
        query = json.loads(request.url.params["query"])
        [since] = {item["value"] for item in query["filters"]["items"]}
        fit = sorted((at, number) for number, at in self.rows.items() if at >= since)
        size = min(int(request.url.params["page_size"]), self.most or 10**9)
        ids = [number for _, number in fit[:size]]
        self.between(self.rows)
        tasks: list[dict[str, Any]] = [{"id": number, "updated_at": self.rows[number]} for number in ids]
        if self.with_answers:
            tasks = [{**task, "data": {}, "annotations": []} for task in tasks]
        return httpx.Response(200, json={"tasks": tasks, "total": len(fit)})

    def read(self, page_tasks: int) -> list[int]:
        http = LabelStudioHttp("http://desk", "0" * 40, transport=httpx.MockTransport(self))
        with ThreadPoolExecutor(1) as readers:
            walk = LabelStudioTasks(http, page_tasks).changed(1, BEGINNING, readers)
            return [int(raw["id"]) for raw in walk]


def moment(second: int) -> str:
    return f"2026-01-01T00:{second // 60:02}:{second % 60:02}.000000Z"


def test_all_pages_come_in_order_and_nothing_twice():
    assert Server([5, 4, 3, 2, 1, 0, 6]).read(3) == [6, 5, 4, 3, 2, 1, 7]


@pytest.mark.parametrize("moved", [1, 2, 3, 49, 50])
def test_a_row_that_moves_while_its_page_is_made_hides_no_other(moved):
    def change(rows: dict[int, str]) -> None:
        rows[moved] = moment(3000)

    found = Server(list(range(200)), change).read(50)
    assert set(found) == set(range(1, 201))
    assert found[-1] == moved


def test_tasks_of_one_instant_that_fill_pages_all_come():
    assert Server([7] * 11).read(2) == list(range(1, 12))


def test_a_server_that_caps_its_pages_loses_nothing():
    server = Server(list(range(20)))
    server.most = 4
    assert server.read(10) == list(range(1, 21))


def test_a_cap_that_hides_tasks_of_one_instant_is_said():
    server = Server([7] * 11)
    server.most = 4
    with pytest.raises(ServiceDownError, match="at most 4 tasks a page"):
        server.read(10)


def test_tasks_without_their_answers_are_no_tasks_without_answers():
    server = Server([1, 2])
    server.with_answers = False
    with pytest.raises(ServiceDownError, match="without their answers"):
        server.read(10)


@pytest.mark.parametrize(("reply", "error"), [(400, InputError), (None, ServiceDownError)])
def test_what_the_sdk_meets_is_told_as_our_errors(reply, error):
    def answer(request: httpx.Request) -> httpx.Response:
        if reply is None:
            raise httpx.ConnectError("down", request=request)
        return httpx.Response(reply, json={"detail": "no such thing"})

    http = LabelStudioHttp("http://desk", "0" * 40, transport=httpx.MockTransport(answer))
    with pytest.raises(error):
        http.by_sdk(lambda client: client.projects.create(title="x"))
