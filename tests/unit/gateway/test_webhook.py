"""MLflow tells the service that something changed, and the approval stands in the trail without a poll."""

from __future__ import annotations

import time

import pytest

from hitl_mlops.gates.report import GateReport, GateResult, Verdict
from hitl_mlops.gateway.webhook import MOST_BYTES, PATH
from hitl_mlops.own_files import utc_now
from hitl_mlops.training.registry import APPROVAL_TAG
from hitl_mlops.webhooks.delivery import ID, SIGNATURE, TIMESTAMP, Envelope, signature_of
from tests.fail_closed.room import without
from tests.gateway_room import serving
from tests.unit.gateway.test_app import problem

SECRET = "what both know"
WITH_SECRET = {
    "policy:": f"services: {{mlflow: {{uri: http://mlflow.invalid, webhook_secret: {SECRET}}}}}\npolicy:"
}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("webhook") / "project", settings=WITH_SECRET) as application:
        yield application


def deliver(app, name, *, body=b"{}", sent=None, secret=SECRET, **more):
    """What the service answers MLflow; `sent`: another body than was signed; `more`: headers."""
    bare = Envelope(name, str(int(utc_now().timestamp())), "")
    headers = {ID: name, TIMESTAMP: bare.timestamp, SIGNATURE: signature_of(bare, body, secret)}
    return app.http.post(PATH, content=sent or body, headers=headers | more)


def approved(app):
    return app.project.rollouts.consent.approvals("1")


def judged(app):
    """The champion has a report that it passed, under the policy in force."""
    parts = app.project.parts
    result = GateResult("override_rate", Verdict.PASS, *(True, 0.0, 0.01), None, 100, "measured", {})
    digest = parts.registry.get("1").digest
    parts.gates.keep(GateReport("1", digest, "0", "sha256:d", parts.policy.hash, (result,), utc_now()))


def test_an_approval_is_in_the_trail_soon_after_mlflow_told_and_a_replay_does_nothing(app):
    judged(app)
    app.project.parts.registry.set_tag("1", APPROVAL_TAG, "approve: better on the new scanner")
    assert approved(app) == []
    first = deliver(app, "d-1")
    assert (first.status_code, first.json()) == (202, {"is_new": True})
    deadline = time.monotonic() + 10
    while not approved(app):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    again = deliver(app, "d-1")
    assert (again.status_code, again.json()) == (200, {"is_new": False})
    assert len(approved(app)) == 1


def test_what_is_not_signed_or_was_changed_is_refused_and_no_token_helps(app):
    told = problem(app.http.post(PATH, content=b"{}", headers=app.headers), 403)
    assert "not signed" in told["detail"]
    assert "hitl webhook set" in told["remedy"]
    problem(deliver(app, "d-2", secret="another"), 403)
    problem(deliver(app, "d-2", sent=b"{ }"), 403)
    assert deliver(app, "d-2").json() == {"is_new": True}


def test_the_body_is_not_believed_whatever_it_says(app):
    for number, body in enumerate((b"", b"\xff", b"[" * 9_999, b'{"data": {"version": "../../etc"}}')):
        assert deliver(app, f"odd-{number}", body=body).status_code == 202


def test_a_body_that_is_too_long_or_packed_is_not_read(app):
    problem(deliver(app, "d-3", body=b"x" * (MOST_BYTES + 1)), 413)
    problem(deliver(app, "d-3", **{"Content-Encoding": "gzip"}), 415)


def test_what_cannot_be_remembered_is_not_heard_and_mlflow_sends_it_again(app):
    with without(app, "heard_deliveries"):
        problem(deliver(app, "d-4"), 503)
    assert deliver(app, "d-4").json() == {"is_new": True}


def test_where_mlflow_shares_no_secret_it_is_told_so(tmp_path):
    with serving(tmp_path / "project") as application:
        told = problem(deliver(application, "d-1"), 404)
    assert "shares no secret" in told["detail"]
    assert "mlflow-people.yaml" in told["remedy"]


def test_the_description_of_the_service_names_the_path(app):
    told = app.http.get("/openapi.json").json()["paths"][PATH]["post"]
    assert {"200", "202", "403", "404", "413"} <= set(told["responses"])
