"""The registry behind the app: the pipeline works, a person approves, the project reads it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hitl_mlops.audit.keys import read_verifier
from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.database.connect import Database
from hitl_mlops.errors import CredentialsError, IntegrityError, RefusedError
from hitl_mlops.gates.book import GateBook
from hitl_mlops.gates.report import GateReport, GateResult, Verdict
from hitl_mlops.own_files import utc_now
from hitl_mlops.rollout.consent import Consent
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.servers.mlflow_accounts import public_key_file
from hitl_mlops.training.mlflow_login import Login
from hitl_mlops.training.registry import CHALLENGER, CHAMPION, GATES_TAG, POLICY_TAG, VERDICT_TAG
from hitl_mlops.training.registry_mlflow import MlflowRegistry
from tests.mlflow_app_room import Room
from tests.servers import MlflowApp
from tests.training_builders import a_fitted_model, release_notes

pytestmark = pytest.mark.real
POLICY_HASH = "sha256:" + "1" * 64
REASON = "better on the new scanner"


@dataclass
class Round:
    """Two versions of a model; the first is champion, the second was judged."""

    app: MlflowApp
    name: str
    cache: Path

    def __post_init__(self) -> None:
        self.registry = self.under("pipeline")
        database = Database("sqlite://")
        database.create()
        gates = GateBook(database)
        for key in ("first", "second"):
            self.registry.register(a_fitted_model(recipe=None), release_notes(), run_key=key)
        self.registry.set_alias(CHAMPION, "1")
        self.registry.set_alias(CHALLENGER, "2")
        digest = self.registry.get("2").digest
        result = GateResult("override_rate", Verdict.PASS, *(True, 0.0, 0.01), None, 100, "measured", {})
        report = GateReport("2", digest, "1", "sha256:d", POLICY_HASH, (result,), utc_now())
        gates.keep(report)
        self.registry.attach("2", {"gates.json": b"{}"})
        self.registry.describe("2", "# better")
        for tag, value in ((GATES_TAG, report.digest), (POLICY_TAG, POLICY_HASH), (VERDICT_TAG, "pass")):
            self.registry.set_tag("2", tag, value)
        self.consent = Consent(
            database=database,
            trail=InMemoryTrail(),
            registry=self.registry,
            gates=gates,
            policy=RolloutPolicy(approval_by=("release-managers",), claimed_approvals=False),
            policy_hash=POLICY_HASH,
            clock=utc_now,
            app_key=read_verifier(public_key_file(self.app.state)),
            person=str,
        )

    def under(self, account: str) -> MlflowRegistry:
        login = Login(*self.app.accounts.login(account))
        return MlflowRegistry(self.app.url, self.name, cache=self.cache, login=login)


@pytest.fixture
def judged(mlflow_app: MlflowApp, tmp_path: Path) -> Round:
    return Round(mlflow_app, tmp_path.name, tmp_path / "models")


def test_a_release_manager_approves_and_only_then_champion_moves(judged: Round) -> None:
    with pytest.raises(RefusedError, match="approved"):
        judged.registry.set_alias(CHAMPION, "2")
    with pytest.raises(RefusedError, match="Only release manager"):
        judged.consent.approve("2", reason=REASON, approver="?", through=judged.under("tom"))
    with pytest.raises(RefusedError, match="0 of 1"):
        judged.consent.require("2")

    given = judged.consent.approve("2", reason=REASON, approver="?", through=judged.under("ann"))
    assert (given.approver, given.claimed, given.groups) == ("ann", False, ("release-managers",))
    judged.consent.require("2")
    judged.registry.set_alias(CHAMPION, "2")
    judged.registry.set_alias(CHAMPION, "1")  # the way back


def test_a_database_edit_after_the_approval_stops_the_rollout(judged: Round) -> None:
    judged.consent.approve("2", reason=REASON, approver="?", through=judged.under("ben"))
    room = Room(judged.app)
    room.write_database(
        "UPDATE model_versions SET description = 'fine' WHERE name = ? AND version = ?", judged.name, "2"
    )
    room.close()
    with pytest.raises(IntegrityError, match="the description"):
        judged.consent.require("2")
    with pytest.raises(RefusedError, match="past the app"):
        judged.registry.set_alias(CHAMPION, "2")


def test_a_wrong_password_is_told_as_such(judged: Round) -> None:
    wrong = replace(Login(*judged.app.accounts.login("ann")), password="wrong")
    registry = MlflowRegistry(judged.app.url, judged.name, cache=judged.cache, login=wrong)
    with pytest.raises(CredentialsError):
        registry.get("2")
