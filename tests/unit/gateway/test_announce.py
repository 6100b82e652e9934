"""MLflow is told where the service listens, once it answers; nobody waits for that."""

from __future__ import annotations

import threading

import pytest

from hitl_mlops.errors import ServiceDownError
from hitl_mlops.gateway.announce import announced, keep_trying, webhook_url
from hitl_mlops.project import Project


def test_it_is_told_once_mlflow_answers_and_trouble_is_logged_once(caplog):
    troubles = [ServiceDownError("MLflow is down.")] * 3
    told = []

    def tell():
        if troubles:
            raise troubles.pop()
        told.append(1)

    keep_trying(tell, threading.Event(), again_s=0.01)
    assert told == [1]
    assert len(caplog.messages) == 1
    assert caplog.messages[0].endswith("MLflow is down.")


def test_a_service_that_ended_tries_no_more():
    ended, tried = threading.Event(), []

    def tell():
        tried.append(1)
        ended.set()
        raise ServiceDownError("MLflow is down.")

    keep_trying(tell, ended, again_s=60)
    assert tried == [1]


@pytest.mark.parametrize(
    "services", ["", "services: {mlflow: {uri: http://mlflow.invalid, webhook_secret: s}}\n"]
)
def test_an_mlflow_that_shares_no_secret_or_is_the_users_own_is_left_alone(tmp_path, services):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "hitl.yaml").write_text(
        f"project: p\ntask: {{kind: table}}\nmodel: {{name: m, base: b.csv}}\n{services}"
    )
    before = threading.active_count()
    with Project.open(folder) as project, announced(project, host="127.0.0.1", port=8090):
        assert threading.active_count() == before


@pytest.mark.parametrize(
    ("host", "begins"),
    [
        ("127.0.0.1", "http://127.0.0.1:8090/"),
        ("0.0.0.0", "http://127.0.0.1:8090/"),  # noqa: S104 - nothing is bound
        ("::", "http://[::1]:8090/"),
        ("hitl.internal", "http://hitl.internal:8090/"),
    ],
)
def test_the_address_is_one_that_mlflow_on_this_machine_reaches(host, begins):
    assert webhook_url(host, 8090) == begins + "v1/webhooks/mlflow"
