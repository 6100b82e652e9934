"""Every way around the app that was found or thought of, tried on the real server, and refused or found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hitl_mlops.audit.keys import read_verifier
from hitl_mlops.errors import IntegrityError
from hitl_mlops.rollout.changes import (
    RECORDS_TAG,
    Deed,
    page_digest,
    read_changes,
    standing,
    written_past_the_app,
)
from hitl_mlops.servers.mlflow_accounts import people_file, public_key_file
from tests.mlflow_app_room import AJAX, API, FILES, Made, Room
from tests.servers import MlflowApp

pytestmark = pytest.mark.real
APPROVE = "approve: better on the new scanner"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def room(mlflow_app: MlflowApp) -> Iterator[Room]:
    opened = Room(mlflow_app)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def judged(room: Room) -> Made:
    """A version that stays unapproved, whatever is tried."""
    return room.judged()


def body_of(made: Made, **more: Any) -> dict[str, Any]:
    return {"name": made.model, "version": made.version, **more}


def approval_of(made: Made) -> dict[str, Any]:
    return body_of(made, key="hitl.approval", value=APPROVE)


def refused(answer: httpx.Response) -> bool:
    return answer.status_code in {400, 403, 404, 405}


SPELLINGS = {
    "double-encoded JSON": lambda made: {
        "content": json.dumps(json.dumps(approval_of(made))),
        "headers": JSON,
    },
    "text/plain": lambda made: {
        "content": json.dumps(approval_of(made)),
        "headers": {"Content-Type": "text/plain"},
    },
    "no content type": lambda made: {"content": json.dumps(approval_of(made))},
    "a form": lambda made: {"data": approval_of(made)},
    "duplicate keys, ours last": lambda made: {
        "content": json.dumps(approval_of(made)).replace('"key": ', '"key": "note", "key": '),
        "headers": JSON,
    },
    "duplicate keys, ours first": lambda made: {
        "content": json.dumps(approval_of(made)).replace('"value"', '"key": "hitl.approval", "value"'),
        "headers": JSON,
    },
    "query beside the body": lambda made: {
        "content": json.dumps(approval_of(made)),
        "headers": JSON,
        "params": {"key": "note"},
    },
    "query instead of the body": lambda made: {"params": approval_of(made), "headers": JSON},
    "UTF-16": lambda made: {"content": json.dumps(approval_of(made)).encode("utf-16"), "headers": JSON},
    "capitals": lambda made: {
        "content": json.dumps({**approval_of(made), "key": "HITL.Approval"}),
        "headers": JSON,
    },
    "a space before": lambda made: {
        "content": json.dumps({**approval_of(made), "key": " hitl.approval"}),
        "headers": JSON,
    },
    "escaped letters": lambda made: {
        "content": json.dumps(approval_of(made)).replace("hitl.", "\\u0068itl."),
        "headers": JSON,
    },
}
PATHS = [
    f"{API}/model-versions/set-tag",
    f"{AJAX}/model-versions/set-tag",
    f"/{API}/model-versions/set-tag",
    "/api/2.0//mlflow/model-versions//set-tag",
    "/api/2.0/mlflow/./model-versions/set-tag",
    "/api/2.0/mlflow/runs/../model-versions/set-tag",
    "/api/2.0/mlflow/model-versions/set%2Dtag",
    f"{API}/model-versions/set-tag/",
    f"{API}/model-versions/set-tag;x=1",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("who", ["tom", "pipeline", "admin"])
def test_an_approval_is_refused_however_it_is_spelt(
    room: Room, judged: Made, who: str, spelling: str
) -> None:
    answer = room.send(who, "POST", f"{API}/model-versions/set-tag", **SPELLINGS[spelling](judged))
    assert refused(answer), f"{answer.status_code} {answer.text}"
    assert not any("approval" in key.casefold() for key in room.tags(judged))


@pytest.mark.parametrize("path", PATHS)
def test_an_approval_is_refused_wherever_it_is_sent(room: Room, judged: Made, path: str) -> None:
    answer = room.send("pipeline", "POST", path, approval_of(judged), follow_redirects=True)
    assert refused(answer), f"{answer.status_code} {answer.text}"
    assert "hitl.approval" not in room.tags(judged)


def test_who_trained_a_version_does_not_approve_it_also_as_a_release_manager(room: Room) -> None:
    made = room.judged(by="tess")
    answer = room.send("tess", "POST", f"{API}/model-versions/set-tag", approval_of(made))
    assert "trained" in answer.json()["message"]
    room.tag("ann", made, "hitl.approval", APPROVE)


@pytest.mark.parametrize("value", ["approve", "approve:", "approve: x", "yes", "refuse: no", ""])
def test_an_approval_without_a_reason_is_refused(room: Room, judged: Made, value: str) -> None:
    body = {**approval_of(judged), "value": value}
    assert refused(room.send("ann", "POST", f"{API}/model-versions/set-tag", body))
    assert "hitl.approval" not in room.tags(judged)


def test_what_did_not_pass_or_was_not_judged_is_not_approved(room: Room) -> None:
    for made in (room.judged(verdict="fail"), room.judged(verdict="inconclusive"), room.registered()):
        assert refused(room.send("ann", "POST", f"{API}/model-versions/set-tag", approval_of(made)))


def test_champion_goes_only_to_an_approved_version_once_there_was_one(room: Room) -> None:
    first = room.judged()
    room.champion(first)  # the first of a model needs nobody's word
    second = room.judged(model=first.model)
    body = body_of(second, alias="champion")
    answer = room.send("pipeline", "POST", f"{API}/registered-models/alias", body)
    assert "approved" in answer.json()["message"]
    assert room.aliases(first) == {"champion": first.version}
    room.tag("ann", second, "hitl.approval", APPROVE)
    room.champion(second)
    room.champion(first)  # and back, as a rollback does


@pytest.mark.parametrize("alias", ["Champion", "CHAMPION", "champion ", " champion"])
def test_an_alias_that_only_looks_like_champion_is_not_set(room: Room, judged: Made, alias: str) -> None:
    for who in ("tom", "pipeline", "admin"):
        answer = room.send(who, "POST", f"{API}/registered-models/alias", body_of(judged, alias=alias))
        assert refused(answer)
    assert "champion" not in {one.strip().casefold() for one in room.aliases(judged)}


def test_a_new_report_voids_the_approval_so_that_champion_stays(room: Room) -> None:
    first = room.approved()
    room.champion(first)
    second = room.judged(model=first.model)
    room.tag("ann", second, "hitl.approval", APPROVE)
    room.tag("pipeline", second, "hitl.gates", "sha256:newer")
    body = body_of(second, alias="champion")
    assert refused(room.send("pipeline", "POST", f"{API}/registered-models/alias", body))


def test_a_withdrawn_approval_counts_no_more(room: Room) -> None:
    made = room.approved()
    body = {"name": made.model, "version": made.version, "key": "hitl.approval"}
    room.do("ann", "DELETE", f"{API}/model-versions/delete-tag", body)
    assert standing(room.changes(made)).approvals == {}


def test_two_people_both_stand_in_the_records_though_the_tag_holds_one(room: Room) -> None:
    made = room.approved("ann")
    room.tag("ben", made, "hitl.approval", "approve: I looked too")
    assert set(standing(room.changes(made)).approvals) == {"ann", "ben"}
    assert room.tags(made)["hitl.approval.by"] == "ben"


def test_every_deed_has_its_person_time_and_signature(room: Room) -> None:
    made = room.approved()
    room.champion(made)
    told = [(one.by, one.deed) for one in room.changes(made)]
    tagged = [("pipeline", Deed.TAGGED)] * 3
    assert told == [
        ("tom", Deed.CREATED),
        ("pipeline", Deed.DESCRIBED),
        *tagged,
        ("ann", Deed.APPROVED),
        ("pipeline", Deed.ALIASED),
    ]
    assert room.tags(made)["hitl.trainer"] == "tom"
    approval = room.changes(made)[5]
    assert approval.groups == ("release-managers",)
    assert {approval.facts[key] for key in ("hitl.digest", "hitl.gates", "hitl.policy")} == {
        "sha256:m",
        "sha256:g",
        "sha256:p",
    }


def test_what_mlflow_refuses_after_all_does_not_count(room: Room) -> None:
    made = room.registered()
    long = {"name": made.model, "version": made.version, "key": "hitl.gates", "value": "x" * 200_000}
    answer = room.send("pipeline", "POST", f"{API}/model-versions/set-tag", long)
    assert answer.status_code == 400
    assert "hitl.gates" not in standing(room.changes(made)).tags


ARTIFACTS = ["{}/model/model.skops", "{}/model/new.py", "{}/model%2Fmodel.skops", "{}/x/../model/model.skops",
             "{}/x/%2e%2e/model/model.skops", "{}//model/model.skops", "{}/model", "{}/%6dodel/model.skops",
             "{}/model%252Fmodel.skops"]  # fmt: skip


@pytest.mark.parametrize("path", ARTIFACTS)
@pytest.mark.parametrize("prefix", [FILES, FILES.replace("/api/", "/ajax-api/"), "/" + FILES])
def test_the_bytes_of_a_registered_version_are_not_replaced(
    room: Room, judged: Made, prefix: str, path: str
) -> None:
    for who in ("tom", "pipeline", "admin"):
        url = httpx.URL(room.app.url).copy_with(raw_path=f"{prefix}/{path.format(judged.folder)}".encode())
        answer = room.send(who, "PUT", url, content=b"evil")  # type: ignore[arg-type]
        there = room.send("reader", "GET", f"{FILES}/{judged.folder}/model/model.skops")
        assert there.content == b"the bytes", f"{who}: {answer.status_code} {answer.text}"
        assert answer.status_code >= 300, f"{who}: {answer.status_code} {answer.text}"


@pytest.mark.parametrize(
    "path",
    [
        "/api/2.0/mlflow-artifacts/mpu/create/{}/model/model.skops",
        "/api/2.0/mlflow-artifacts/mpu/complete/{}/model/model.skops",
        f"{API}/artifacts/presigned-upload-url",
        f"{AJAX}/upload-artifact?run_uuid=x&path=model/model.skops",
    ],
)
def test_no_other_way_of_uploading_is_open(room: Room, judged: Made, path: str) -> None:
    for who in ("tom", "pipeline", "ann"):
        assert refused(room.send(who, "POST", path.format(judged.folder), {"path": "model/model.skops"}))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/ajax-api/3.0/mlflow/assistant/message"),
        ("POST", "/gateway/x/mlflow/invocations"),
        ("POST", "/ajax-api/3.0/jobs/"),
        ("POST", "/api/2.0/mlflow/webhooks"),
        ("POST", "/api/3.0/mlflow/roles/assign"),
        ("POST", "/api/3.0/mlflow/users/permissions/grant"),
        ("PATCH", "/api/2.0/mlflow/users/update-admin"),
        ("POST", "/api/9.9/mlflow/registered-models/new-thing"),
        ("PUT", "/ajax-api/2.0/mlflow/model-versions/new-thing"),
        ("POST", "/ajax-api/3.0/mlflow/demo/generate"),
    ],
)
def test_what_the_app_does_not_know_is_refused(room: Room, method: str, path: str) -> None:
    for who in ("reader", "tom", "ann", "pipeline"):
        answer = room.send(who, method, path, {})
        assert refused(answer), f"{who}: {answer.status_code} {answer.text}"


def test_graphql_looks_and_changes_nothing(room: Room) -> None:
    query = {"query": "query { __typename }"}
    change = {"query": 'mutation { testMutation(inputString: "x") { output } }'}
    assert room.send("reader", "POST", "/graphql", query).json()["data"] == {"__typename": "Query"}
    assert refused(room.send("reader", "POST", "/graphql", change))
    hidden = {"query": "query { __typename } mutation M { ...F } fragment F on Mutation { testMutation }"}
    assert refused(room.send("ann", "POST", "/graphql", {**hidden, "operationName": "M"}))


def faults(room: Room, made: Made) -> tuple[str, ...]:
    found = room.version(made)
    tags = {one["key"]: one["value"] for one in found["tags"]}
    now = standing(room.changes(made))
    return written_past_the_app(now, tags=tags, description=found.get("description", ""))


def test_a_report_edited_in_the_database_is_found_and_not_approved(room: Room) -> None:
    made = room.judged()
    assert faults(room, made) == ()
    room.write_database(
        "UPDATE model_versions SET description = 'all is well' WHERE name = ? AND version = ?",
        made.model,
        made.version,
    )
    assert faults(room, made) == ("the description",)
    answer = room.send("ann", "POST", f"{API}/model-versions/set-tag", approval_of(made))
    assert "past the app" in answer.json()["message"]


def test_a_verdict_edited_in_the_database_is_found_and_not_approved(room: Room) -> None:
    made = room.judged(verdict="fail")
    room.write_database(
        "UPDATE model_version_tags SET value = 'pass' WHERE key = 'hitl.verdict' AND name = ?", made.model
    )
    assert faults(room, made) == ("the tag hitl.verdict",)
    assert refused(room.send("ann", "POST", f"{API}/model-versions/set-tag", approval_of(made)))


def test_an_approval_written_into_the_database_has_no_record(room: Room) -> None:
    made = room.judged()
    room.write_database(
        "INSERT INTO model_version_tags (key, value, name, version) VALUES ('hitl.approval', ?, ?, ?)",
        APPROVE,
        made.model,
        made.version,
    )
    assert standing(room.changes(made)).approvals == {}


def test_records_carried_over_from_another_version_are_not_believed(room: Room) -> None:
    good, bad = room.approved(), room.judged(verdict="fail")
    room.write_database(
        "UPDATE model_version_tags SET value = ? WHERE key = 'hitl.records' AND name = ?",
        room.tags(good)[RECORDS_TAG],
        bad.model,
    )
    with pytest.raises(IntegrityError, match="not signed by MLflow's app"):
        room.changes(bad)
    answer = room.send("ann", "POST", f"{API}/model-versions/set-tag", approval_of(bad))
    assert "wrote past it" in answer.json()["message"]


def test_a_record_taken_out_of_the_middle_is_missed(room: Room) -> None:
    made = room.approved()
    rows = json.loads(room.tags(made)[RECORDS_TAG])
    key = read_verifier(public_key_file(room.app.state))
    with pytest.raises(IntegrityError):
        read_changes(json.dumps([*rows[:2], *rows[3:]]), of=(made.model, made.version), verifier=key)


def test_the_page_of_an_approval_is_the_page_that_was_read(room: Room) -> None:
    made = room.approved()
    assert room.changes(made)[5].facts["page"] == page_digest("# better")


def test_a_renamed_model_has_no_approval_any_more(room: Room) -> None:
    made = room.approved()
    body = {"name": made.model, "new_name": f"{made.model}-elsewhere"}
    room.do("admin", "POST", f"{API}/registered-models/rename", body)
    moved = Made(f"{made.model}-elsewhere", made.version, made.run_id, made.folder)
    with pytest.raises(IntegrityError):
        room.changes(moved)


def test_who_leaves_the_group_approves_no_more_and_a_broken_file_lets_nobody(room: Room) -> None:
    made, file = room.judged(), people_file(room.app.state)
    before = file.read_text()
    try:
        file.write_text(before.replace("ann, ben", "ben"))
        assert refused(room.send("ann", "POST", f"{API}/model-versions/set-tag", approval_of(made)))
        file.write_text("release-managers: [ann\n")
        assert refused(room.send("ann", "POST", f"{API}/model-versions/set-tag", approval_of(made)))
        assert refused(room.send("tom", "POST", f"{API}/registered-models/create", {"name": "x"}))
    finally:
        file.write_text(before)
    room.tag("ann", made, "hitl.approval", APPROVE)
