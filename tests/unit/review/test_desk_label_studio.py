"""Accounts on Label Studio are asked for when an id is new, and not again for one that is gone."""

from __future__ import annotations

import httpx

from hitl_mlops.review.desk_label_studio import _Accounts
from hitl_mlops.review.label_studio_http import LabelStudioHttp


def test_who_signs_up_later_is_found_and_who_is_gone_is_asked_for_once():
    users, asked = [{"id": 1, "email": "ann@x.org"}], []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json=users)

    accounts = _Accounts(LabelStudioHttp("http://desk", "0" * 40, transport=httpx.MockTransport(answer)))
    assert [accounts[1], accounts[1]] == ["ann@x.org"] * 2
    users.append({"id": 2, "email": "bob@x.org"})
    assert accounts[2] == "bob@x.org"
    assert [accounts.get(9, "user:9"), accounts.get(9, "user:9")] == ["user:9"] * 2
    assert asked == ["/api/users/"] * 3
