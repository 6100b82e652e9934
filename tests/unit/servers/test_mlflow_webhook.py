"""One webhook of our name in MLflow, however often it is set; and what MLflow refuses is told."""

from __future__ import annotations

import json
from itertools import count

import httpx
import pytest

from hitl_mlops.errors import ConfigurationError, CredentialsError, InputError, ServiceDownError
from hitl_mlops.servers.mlflow_webhook import EVENTS, MlflowWebhooks, Webhook, name_of

URL = "http://127.0.0.1:8090/v1/webhooks/mlflow"


class FakeMlflow:
    """Webhooks as MLflow keeps them, two a page; any status that the test wants."""

    def __init__(self):
        self.kept, self.status, self._numbers = {}, 200, count(1)
        self.webhooks = MlflowWebhooks(
            "http://mlflow", "hitl-x", ("admin", "pw"), transport=httpx.MockTransport(self.answer)
        )

    def add(self, name, url=URL):
        number = str(next(self._numbers))
        self.kept[number] = {"webhook_id": number, "name": name, "url": url, "status": "ACTIVE"}

    def answer(self, request):
        assert request.headers["Authorization"].startswith("Basic ")
        if self.status != 200:
            return httpx.Response(self.status, text="no")
        name = request.url.path.removeprefix("/api/2.0/mlflow/webhooks").strip("/")
        sent = json.loads(request.content) if request.content else {}
        if request.method == "GET":
            return self._page(int(request.url.params["page_token"] or 0))
        if request.method == "DELETE":
            return httpx.Response(200 if self.kept.pop(name, None) else 404, json={})
        if request.method == "POST":
            self.add("")
            name = list(self.kept)[-1]
        self.kept[name] |= sent
        return httpx.Response(200, json={"webhook": self._shown(self.kept[name])})

    def _page(self, first):
        every = [self._shown(one) for one in self.kept.values()]
        more = {"next_page_token": str(first + 2)} if len(every) > first + 2 else {}
        return httpx.Response(200, json={"webhooks": every[first : first + 2], **more})

    def _shown(self, one):
        return {key: value for key, value in one.items() if key != "secret"}


@pytest.fixture
def mlflow():
    return FakeMlflow()


def test_set_twice_is_one_webhook_with_the_latest_address_and_secret(mlflow):
    for number in range(3):
        mlflow.add(f"another {number}")
    first = mlflow.webhooks.set(URL, "secret")
    again = mlflow.webhooks.set("http://other/v1/webhooks/mlflow", "new")
    assert (first.webhook_id, first.url) == (again.webhook_id, URL)
    assert mlflow.webhooks.find() == [
        Webhook(first.webhook_id, "http://other/v1/webhooks/mlflow", is_active=True)
    ]
    kept = mlflow.kept[first.webhook_id]
    assert (kept["name"], kept["secret"], kept["status"]) == ("hitl-x", "new", "ACTIVE")
    assert [(one["entity"], one["action"]) for one in kept["events"]] == list(EVENTS)
    assert len(mlflow.kept) == 4


def test_two_of_our_name_become_one(mlflow):
    for name in ("hitl-x", "another", "hitl-x"):
        mlflow.add(name)
    mlflow.webhooks.set(URL, "secret")
    assert [one["name"] for one in mlflow.kept.values()] == ["hitl-x", "another"]


def test_dropped_nobody_of_our_name_is_called_and_others_are(mlflow):
    for name in ("hitl-x", "another"):
        mlflow.add(name)
    assert (mlflow.webhooks.drop(), mlflow.webhooks.drop()) == (1, 0)
    assert [one["name"] for one in mlflow.kept.values()] == ["another"]


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, CredentialsError), (403, CredentialsError), (400, InputError), (500, ServiceDownError)],
)
def test_what_mlflow_refuses_is_told_as_what_it_is(mlflow, status, error):
    mlflow.status = status
    with pytest.raises(error):
        mlflow.webhooks.set(URL, "secret")


def test_an_address_that_is_no_server_or_not_mlflow_is_told():
    with pytest.raises(ConfigurationError, match="no MLflow server"):
        MlflowWebhooks("sqlite:///mlflow.db", "hitl-x").find()
    page = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    with pytest.raises(ServiceDownError):
        MlflowWebhooks("http://mlflow", "hitl-x", transport=page).find()


def test_the_name_is_one_that_mlflow_takes():
    names = {name_of(project, owner) for project in ("a b", "x" * 90) for owner in ("p_1" * 9, "p_2" * 9)}
    assert len(names) == 4
    assert all(len(one) < 63 and one.replace("-", "").replace("_", "").isalnum() for one in names)
