"""The fail-closed table, cell by cell, on real servers that are stopped, spoiled and started again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy.engine import make_url

from hitl_mlops.audit.entry import Kind
from hitl_mlops.project import Project
from hitl_mlops.training.registry import CHAMPION
from tests import servers
from tests.bad_input.conftest import make, new_cases
from tests.fail_closed.room import closed, kept, results, routes
from tests.flow_room import until
from tests.gateway_room import cases
from tests.gateway_room import serving as in_process
from tests.loop_room import Loop, connect
from tests.service_room import a_trained_loop, serving

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]


def decide(loop: Loop, first: int, count: int = 20, *, code: int = 0) -> dict[str, Any]:
    """What `hitl decide` answers on new cases, as a process of its own, ending with that code."""
    file = loop.folder.parent / f"new-{first}.csv"
    new_cases(first, count).to_csv(file, index=False)
    return loop.hitl("decide", file, code=code)


def versions(decided: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["model_version"], one["model_digest"]) for one in decided["decisions"]}


def all_to_people(loop: Loop) -> None:
    """The policy asks people about every case."""
    text = (loop.folder / "policy.yaml").read_text()
    (loop.folder / "policy.yaml").write_text(
        text.replace('">= 0.92"', '">= 1.01"').replace("..0.92", "..1.01")
    )


def on_desk(loop: Loop) -> list[str]:
    """The tickets that stand in Label Studio."""
    with Project.open(loop.folder) as project:
        return [ticket for ticket in project.parts.desk.task_ids().values() if ticket]


def test_label_studio_down_decisions_go_on_and_their_tickets_wait_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "label-studio"
    with servers.mlflow_server(tmp_path / "mlflow") as mlflow:
        with servers.label_studio_server(folder) as desk:
            loop = make(tmp_path, "asked", desk=desk, mlflow=mlflow.url)
            all_to_people(loop)
            first = decide(loop, 1_000)
            loop.hitl("review", "push")
        second = decide(loop, 2_000)
        assert set(second["routes"]) <= {"standard", "senior"}
        assert len(second["decisions"]) == second["tickets"] == 20

        before = loop.state()
        told = loop.hitl("review", "push", code=3)
        assert told["error"] == "ServiceDownError"
        assert told["remedy"]
        assert loop.state() == before

        with servers.label_studio_server(folder) as desk:
            connect(loop, desk=desk, mlflow=mlflow.url)
            loop.hitl("review", "push")
            loop.hitl("review", "push")
            standing = on_desk(loop)
        assert len(standing) == len(set(standing)) == first["tickets"] + 20
        assert loop.hitl("audit", "verify")["trail"]["problems"] == []


def test_mlflow_down_the_pinned_copy_serves_and_nothing_is_promoted(tmp_path: Path) -> None:
    with servers.mlflow_server(tmp_path / "mlflow") as mlflow:
        loop = make(tmp_path, "pinned", mlflow=mlflow.url)
        loop.edit("hitl.yaml", "recipe: linear", "recipe: boosting")
        challenger = loop.done("train")["version"]
        loop.done("rollout", "start", challenger, "--force", "to see it stopped")
        pinned = versions(decide(loop, 1_000, 200))
    assert len(pinned) in (1, 2)

    alone = decide(loop, 2_000)
    assert versions(alone) <= pinned
    assert len(alone["decisions"]) == 20

    before, stands = loop.state(), loop.done("rollout", "status")["rollout"]
    for words in (("rollout", "step"), ("train",), ("approve", challenger, "--reason", "looks fine")):
        told = loop.done(*words, code=3)
        assert told["error"] == "ServiceDownError", told
        assert told["remedy"]
    assert loop.state() == before
    assert loop.done("rollout", "status")["rollout"] == stands

    for copy in (loop.folder / ".hitl" / "models").rglob("*"):
        if copy.is_file():
            copy.write_bytes(copy.read_bytes() + b"?")
    decide(loop, 3_000, code=3)
    shutil.rmtree(loop.folder / ".hitl" / "models")
    decide(loop, 4_000, code=3)
    assert loop.state() == before
    assert loop.hitl("audit", "verify")["trail"]["problems"] == []


def test_an_alias_moved_behind_our_back_is_not_served_and_told_as_an_incident(
    tmp_path: Path, mlflow_server: servers.Mlflow
) -> None:
    loop = make(tmp_path, "moved", mlflow=mlflow_server.url)
    loop.edit("hitl.yaml", "recipe: linear", "recipe: boosting")
    stranger = loop.done("train")["version"]
    with Project.open(loop.folder) as project:
        project.parts.registry.set_alias(CHAMPION, stranger)

    assert {version for version, _ in versions(decide(loop, 1_000))} == {"1"}

    loop.done("rollout", "step")
    with Project.open(loop.folder) as project:
        assert project.parts.registry.alias(CHAMPION).version == "1"
        told = [one.read() for one in project.parts.trail.entries() if one.read()["kind"] == Kind.ALIAS_MOVED]
        assert [one["refs"]["model"] for one in told] == [[stranger]]


@contextmanager
def unreachable(url: str) -> Iterator[None]:
    """The database takes no connection while the block runs, and has ended those it had."""
    parsed = make_url(url)
    server = parsed.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {parsed.database} ALLOW_CONNECTIONS false")
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [parsed.database]
        )
        try:
            yield
        finally:
            admin.execute(f"ALTER DATABASE {parsed.database} ALLOW_CONNECTIONS true")


def test_database_down_503_nothing_is_released_and_it_goes_on_when_it_is_back(
    tmp_path: Path, postgres_url: str
) -> None:
    with in_process(tmp_path / "project", database=postgres_url) as app:
        assert len(results(app.post(cases(0, 3)))) == 3
        before = kept(app.project)
        with unreachable(postgres_url):
            for first in (10, 20):
                told = closed(app.post(cases(first, 3, branch="south")))
                assert "database" in told["detail"]
            assert app.http.get("/ready").status_code == 503
            assert app.http.get("/health").status_code == 200
        assert kept(app.project) == before
        assert routes(results(app.post(cases(10, 3, branch="south")))) == {
            ("senior", "with_people", False, None)
        }
        assert app.project.verify_trail().sound


def test_a_database_file_that_is_spoiled_is_told_and_nothing_is_decided(
    tmp_path: Path, mlflow_server: servers.Mlflow
) -> None:
    loop = make(tmp_path, "spoiled", mlflow=mlflow_server.url)
    database = loop.folder / ".hitl" / "hitl.db"
    whole = {path: path.read_bytes() for path in database.parent.glob("hitl.db*")}
    for path in whole:
        path.write_bytes(b"nothing" * 1_000)
    told = decide(loop, 1_000, code=1)
    assert told["error"] == "IntegrityError"
    assert "backup" in told["remedy"]
    for path in database.parent.glob("hitl.db*"):
        path.unlink()
    for path, body in whole.items():
        path.write_bytes(body)
    assert len(decide(loop, 1_000)["decisions"]) == 20


def ask(http: httpx.Client, number: int) -> dict[str, Any]:
    row = {"case_id": f"c{number}", "amount": 70.0, "branch": "north"}
    [told] = results(http.post("/v1/decisions", json={"cases": [row]}))
    return told


def test_a_restart_with_a_broken_policy_serves_the_last_good_one_and_then_senior_review(
    tmp_path: Path, mlflow_server: servers.Mlflow
) -> None:
    loop = a_trained_loop(tmp_path / "served", mlflow_server.url)
    token = loop.hitl("token", "new", "app")["token"]
    good = (loop.folder / "policy.yaml").read_text()
    with serving(loop, token) as (_, http):
        first = ask(http, 1)
    (loop.folder / "policy.yaml").write_text(good + "\nroutes: {}\n")

    told = loop.hitl("decide", loop.folder.parent / "history.csv", code=2)  # others refuse it with its line
    assert "policy.yaml, line" in told["fact"]
    with serving(loop, token) as (_, http):
        assert ask(http, 2)["policy_hash"] == first["policy_hash"]
        assert "policy.yaml, line" in http.get("/ready").json()["policy"]

    text = (loop.folder / "hitl.yaml").read_text()
    (loop.folder / "hitl.yaml").write_text("serve: {keep_policy_s: 0}\n" + text)
    with serving(loop, token) as (_, http):
        closed_one = ask(http, 3)
        assert (closed_one["route"], closed_one["act"], closed_one["policy_hash"]) == (
            "senior",
            False,
            "none",
        )
        (loop.folder / "policy.yaml").write_text(good)
        numbers = iter(range(4, 10_000))
        until(lambda: ask(http, next(numbers))["policy_hash"] == first["policy_hash"], deadline_s=30)
    assert loop.hitl("audit", "verify")["trail"]["problems"] == []
