"""What comes over the wire otherwise than it should: without end, too slowly, packed, with odd heads."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import Request

from hitl_mlops.errors import InputError
from hitl_mlops.gateway.asking import MOST_BYTES, read
from hitl_mlops.gateway.wire import Asked
from tests.bad_input.room import ANSWERS_WITHIN_S, body, good_case, spelled, state
from tests.bad_input.tally import TALLY
from tests.bad_input.test_at_the_service import refused
from tests.fail_closed.room import took
from tests.gateway_room import Application

PIECE = b" " * 100_000
ROW = spelled(good_case(40_000))


def request(receive: Any, **headers: str) -> Request:
    """A request whose body comes as told."""
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": pairs}, receive)


def test_a_body_without_end_is_refused_while_it_comes() -> None:
    taken = 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += len(PIECE)
        return {"type": "http.request", "body": PIECE, "more_body": True}

    with pytest.raises(InputError, match="more than") as told:
        asyncio.run(read(Asked, request(receive), "Send less."))
    TALLY.count("service", "a body without end")
    assert told.value.data["http_status"] == 413
    assert taken <= MOST_BYTES + len(PIECE)


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError("it was waited for")

    with pytest.raises(InputError, match="not there within") as told:
        asyncio.run(read(Asked, request(receive), "Send it.", within_s=0.05))
    TALLY.count("service", "a body that does not come")
    assert told.value.data["http_status"] == 408


@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/decisions/d_0/halt", "/v1/decisions/d_0/outcome"])
def test_100_mb_in_pieces_are_told_at_every_path(service: Application, path: str) -> None:
    pieces, before = iter([PIECE] * 1_000), state(service.project)
    reply, seconds = took(lambda: service.http.post(path, content=pieces, headers=service.headers))
    TALLY.count("service", "100 MB in pieces")
    refused(reply, 413)
    assert seconds < ANSWERS_WITHIN_S
    assert state(service.project) == before


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "GZIP", "chunked", "é"])
def test_a_packed_body_is_never_unpacked(service: Application, coding: str) -> None:
    headers = service.headers | {"Content-Encoding": coding}
    packed = {name: value.encode("latin-1") for name, value in headers.items()}
    TALLY.count("service", "packed in a way that nobody knows")
    refused(service.http.post("/v1/decisions", content=body(ROW), headers=packed), 415)


def test_a_thousand_headers_and_an_odd_type_change_nothing_of_the_answer(service: Application) -> None:
    plain = service.send(body(ROW)).json()
    many = {f"X-Odd-{place}": "\u00e9" * 50 for place in range(1_000)} | {
        "Content-Type": "text/\u00e9; charset=utf-7"
    }
    headers = {name: value.encode("latin-1") for name, value in (service.headers | many).items()}
    TALLY.count("service", "a thousand headers")
    assert service.http.post("/v1/decisions", content=body(ROW), headers=headers).json() == plain


@pytest.mark.parametrize(
    "said",
    [b"", b"Bearer", b"Bearer ", b"Basic x", b"Bearer \xff\xfe", b"Bearer " + b"x" * 100_000, b"bearer a b"],
)
def test_a_token_that_is_none_is_told(service: Application, said: bytes) -> None:
    TALLY.count("service", "a token that is none")
    reply = service.http.post("/v1/decisions", content=body(ROW), headers={"Authorization": said})
    refused(reply, 401)


@pytest.mark.parametrize(
    "wait", ["nan", "inf", "-1", "1e999", "60.1", "soon", "", "1_0", "0x1", "\u0661", "1;1", "9" * 5_000]
)
def test_a_wait_that_is_none_is_told_at_once(service: Application, wait: str) -> None:
    [told] = service.post([good_case(40_001)]).json()["results"]
    reply, seconds = took(lambda: service.get(told["decision_id"], wait=wait))
    TALLY.count("service", "a wait that is none")
    assert seconds < ANSWERS_WITHIN_S
    if wait in ("1_0", "\u0661", ""):
        assert reply.status_code in (200, 422)
    else:
        refused(reply)


@pytest.mark.parametrize("strict", ["maybe", "2", "", "null", "[]"])
def test_a_strict_that_is_neither_is_told(service: Application, strict: str) -> None:
    before = state(service.project)
    TALLY.count("service", "a strict that is neither")
    refused(service.post([good_case(40_002)], strict=strict))
    assert state(service.project) == before


@pytest.mark.parametrize(
    "name",
    [
        "%00",
        "%ff%fe",
        "..%2f..%2fetc%2fpasswd",
        "%ed%a0%80",
        "d_" + "0" * 10_000,
        "'%20OR%201=1%20--",
        "%0d%0aX:%201",
        "%e2%80%ae",
        " ",
    ],
    ids=lambda name: name[:20],
)
@pytest.mark.parametrize("verb", ["", "/events"])
def test_an_id_that_is_none_is_not_found(service: Application, name: str, verb: str) -> None:
    TALLY.count("service", "an id in the path that is none")
    reply, seconds = took(
        lambda: service.http.get(
            f"/v1/decisions/{name}{verb}", headers=service.headers, follow_redirects=False
        )
    )
    refused(reply, 404)
    assert seconds < ANSWERS_WITHIN_S


ODD_WORDS = {
    "halt": [
        {"by": "a\0b", "reason": "why"},
        {"by": " ", "reason": "why"},
        {"by": "ann", "reason": "\0"},
        {"by": 7, "reason": "why"},
    ],
    "outcome": [
        {"label": "\0", "source": "bank"},
        {"label": "yes", "source": "\0"},
        {"label": "yes", "source": "bank", "at": "0001-01-01T00:00:00+14:00"},
        {"label": "yes", "source": "bank", "at": "9999-12-31T23:59:59-14:00"},
        {"label": "yes", "source": "bank", "at": "2026-03-01T12:00:00"},
        {"label": "yes", "source": "bank", "at": "2026-02-30T12:00:00Z"},
        {"label": "yes", "source": "bank", "at": 1e300},
        {"label": "=cmd|' /C calc'!A0", "source": "bank"},
    ],
    "complaint": [
        {"by": "", "reason": "why"},
        {"by": "ann", "reason": "x" * 2_001},
        {"by": "ann\0", "reason": "why"},
    ],
    "callback": [
        {"url": url}
        for url in (
            "",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "http://169.254.169.254/",
            "http://[::1",
            "https://x\0.example/",
            "//x",
            "http://x:99999/",
        )
    ],
}


@pytest.mark.parametrize(
    ("verb", "said"), [(verb, said) for verb, some in ODD_WORDS.items() for said in some], ids=str
)
def test_odd_words_about_a_decision_are_told_and_change_nothing(
    service: Application, verb: str, said: dict[str, Any]
) -> None:
    [told] = service.post([good_case(40_003)]).json()["results"]
    before = state(service.project)
    reply = service.say(told["decision_id"], verb, **said)
    TALLY.count("service", "odd words about a decision")
    assert reply.status_code in (409, 422), reply.text
    refused(reply, reply.status_code)
    assert state(service.project) == before


@pytest.mark.parametrize("key", [b"", b" ", b"k" * 201, b"\xe9\x00"[:1], b"k" * 60_000])
def test_an_odd_idempotency_key_is_told_or_taken_once(service: Application, key: bytes) -> None:
    [told] = service.post([good_case(40_004)]).json()["results"]
    headers = {name: value.encode() for name, value in service.headers.items()} | {"Idempotency-Key": key}
    url, word = f"/v1/decisions/{told['decision_id']}/outcome", {"label": "yes", "source": "bank"}
    replies = [service.http.post(url, json=word, headers=headers) for _ in range(2)]
    TALLY.count("service", "an odd idempotency key")
    assert {one.status_code for one in replies} in ({200}, {422})
    assert replies[0].json() == replies[1].json()


def test_names_that_no_two_cases_share_cost_no_table_of_them_all(service: Application) -> None:
    rows = [
        spelled(good_case(50_000 + row), **{f"k{row}_{one}": "1" for one in range(300)}) for row in range(900)
    ]
    reply, seconds = took(lambda: service.send(body(*rows)))
    TALLY.count("service", "names that no two cases share")
    assert [one["status"] for one in reply.json()["results"]] == ["decided"] * 900
    assert seconds < 4 * ANSWERS_WITHIN_S  # nine hundred are decided
