"""Approvals that MLflow's app proved: what counts, what the trail tells, what is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.audit.keys import signer_from_seed
from hitl_mlops.audit.sealing import SealingPolicy
from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.audit.trail_sql import SqlTrail
from hitl_mlops.database.connect import Database
from hitl_mlops.errors import IntegrityError, RefusedError
from hitl_mlops.gates.book import GateBook
from hitl_mlops.gates.report import GateReport, GateResult, Verdict
from hitl_mlops.ids import digest_of_reason
from hitl_mlops.rollout.changes import RECORDS_TAG, Deed, following, page_digest, write_changes
from hitl_mlops.rollout.consent import Consent
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.training.registry import APPROVAL_TAG, DIGEST_TAG, GATES_TAG, POLICY_TAG
from hitl_mlops.training.registry_in_memory import InMemoryRegistry
from tests.audit_room import a_sql_trail
from tests.builders import NOW
from tests.training_builders import a_fitted_model, release_notes

POLICY_HASH = "sha256:" + "1" * 64
APP = signer_from_seed("hitl/mlflow", b"a" * 32)
MANAGERS = ("release-managers",)


class StaleRegistry(InMemoryRegistry):
    """A registry whose answer to `get` is once as old as the test wants."""

    stale = None

    def get(self, version):
        stale, self.stale = self.stale, None
        return stale or super().get(version)


class Scene:
    """A judged version in a registry whose app is played by the test."""

    def __init__(self, registry=InMemoryRegistry, **policy):
        self.now, self.meanwhile = NOW, lambda: None
        database = Database("sqlite://")
        database.create()
        self.registry, self.trail = registry("cheques"), InMemoryTrail()
        self.gates, self.changes = GateBook(database), []
        rules = {"approval_by": MANAGERS, "claimed_approvals": False, **policy}
        self.consent = Consent(
            database=database,
            trail=self.trail,
            registry=self.registry,
            gates=self.gates,
            policy=RolloutPolicy(**rules),
            policy_hash=POLICY_HASH,
            clock=lambda: self.now,
            app_key=APP.verifier,
            person=lambda account: f"id of {account}",
            pause=lambda _: self.meanwhile(),
        )
        made = self.registry.register(a_fitted_model(recipe=None), release_notes(), run_key="k")
        result = GateResult("override_rate", Verdict.PASS, *(True, 0.0, 0.01), None, 100, "measured", {})
        self.report = GateReport("1", made.digest, "0", "sha256:d", POLICY_HASH, (result,), self.now)
        self.gates.keep(self.report)
        page = page_digest(self.registry.get("1").description)
        self.sign("tom", Deed.CREATED, {DIGEST_TAG: made.digest, "page": page})
        for key, value in ((GATES_TAG, self.report.digest), (POLICY_TAG, POLICY_HASH)):
            self.registry.set_tag("1", key, value)
            self.sign("pipeline", Deed.TAGGED, {key: value})
        self.bound = {DIGEST_TAG: made.digest, GATES_TAG: self.report.digest, POLICY_TAG: POLICY_HASH}
        self.bound["page"] = page

    def sign(self, by, deed, facts, groups=()):
        one = following(
            self.changes, deed, facts, of=("cheques", "1"), by=by, groups=groups, at=self.now
        ).signed(APP)
        self.changes.append(one)
        self.registry.set_tag("1", RECORDS_TAG, write_changes(self.changes))

    def approve(self, by="ann", groups=MANAGERS, **changes):
        facts = {**self.bound, "reason": digest_of_reason("better"), **changes}
        self.registry.set_tag("1", APPROVAL_TAG, "approve: better")
        self.sign(by, Deed.APPROVED, facts, groups)

    def kinds(self):
        return [entry.read()["kind"] for entry in self.trail.entries()]


def test_a_proved_approval_allows_the_rollout_and_every_change_is_told_once():
    scene = Scene()
    scene.approve()
    scene.consent.require("1")
    scene.consent.require("1")
    assert scene.kinds() == [Kind.REGISTRY_CHANGED] * 4 + [Kind.APPROVAL_RECORDED]
    [given] = scene.consent.read("1")
    assert (given.approver, given.claimed, given.groups) == ("id of ann", False, MANAGERS)


@pytest.mark.parametrize(
    ("policy", "by", "groups", "why"),
    [
        ({}, "tom", MANAGERS, "who trained it"),
        ({}, "ann", ("trainers",), "outside release-managers"),
        ({"approval_signatures": 2}, "ann", MANAGERS, "1 of 2"),
    ],
)
def test_an_approval_that_the_policy_does_not_want_does_not_count(policy, by, groups, why):
    scene = Scene(**policy)
    scene.approve(by, groups)
    with pytest.raises(RefusedError, match=why):
        scene.consent.require("1")


def test_the_trainer_counts_where_the_policy_says_so():
    scene = Scene(not_the_trainer=False)
    scene.approve("tom")
    scene.consent.require("1")


def test_two_people_count_as_two():
    scene = Scene(approval_signatures=2)
    scene.approve("ann")
    scene.approve("ben")
    scene.consent.require("1")


@pytest.mark.parametrize("key", [DIGEST_TAG, GATES_TAG, POLICY_TAG, "page"])
def test_an_approval_of_something_else_does_not_count(key):
    scene = Scene()
    scene.approve(**{key: "sha256:other"})
    with pytest.raises(RefusedError, match="not approved"):
        scene.consent.require("1")


def test_a_proved_approval_expires_by_the_time_of_mlflow():
    scene = Scene()
    scene.approve()
    scene.now += timedelta(hours=24, seconds=1)
    with pytest.raises(RefusedError, match="expired"):
        scene.consent.require("1")


def test_a_withdrawn_approval_does_not_count_though_the_trail_remembers_it():
    scene = Scene()
    scene.approve()
    scene.consent.require("1")
    scene.sign("ann", Deed.WITHDRAWN, {})
    with pytest.raises(RefusedError, match="not approved"):
        scene.consent.require("1")


def test_a_tag_without_a_record_is_refused_and_told_once():
    scene = Scene()
    scene.registry.set_tag("1", APPROVAL_TAG, "approve: I wrote into the database")
    for _ in range(2):
        with pytest.raises(IntegrityError, match="past its app"):
            scene.consent.require("1")
    assert scene.kinds().count(Kind.APPROVAL_REFUSED) == 1
    assert scene.consent.pull() == []


def test_an_edited_page_is_found():
    scene = Scene()
    scene.approve()
    scene.registry.describe("1", "# all is well")
    with pytest.raises(IntegrityError, match="the description"):
        scene.consent.require("1")


def test_a_deed_that_mlflow_is_still_doing_is_no_alarm():
    scene = Scene()
    scene.approve()
    scene.sign("pipeline", Deed.TAGGED, {"hitl.note": "seen"})
    scene.meanwhile = lambda: scene.registry.set_tag("1", "hitl.note", "seen")
    assert [one.approver for one in scene.consent.read("1")] == ["id of ann"]
    assert Kind.APPROVAL_REFUSED not in scene.kinds()


def test_records_that_are_gone_after_they_were_read_are_missed():
    scene = Scene()
    scene.approve()
    scene.consent.read("1")
    scene.registry.set_tag("1", RECORDS_TAG, write_changes(scene.changes[:-1]))
    with pytest.raises(IntegrityError, match="are gone"):
        scene.consent.read("1")


def test_a_poll_records_what_was_approved_meanwhile_and_says_it_once():
    scene = Scene()
    assert scene.consent.pull() == []
    scene.approve()
    assert [one.approver for one in scene.consent.pull()] == ["id of ann"]
    assert scene.consent.pull() == []


def test_who_looked_before_another_and_tells_after_it_misses_nothing():
    scene = Scene(StaleRegistry)
    before = scene.registry.get("1")
    scene.approve()
    scene.consent.read("1")
    scene.registry.stale = before
    assert [one.approver for one in scene.consent.read("1")] == ["id of ann"]


@pytest.mark.real
def test_many_who_read_at_once_tell_everything_once(postgres_url, tmp_path):
    scene = Scene()
    scene.approve()
    opened = a_sql_trail(postgres_url, tmp_path, SealingPolicy(entries=10_000)).trail
    databases = [opened.database, *(Database(postgres_url) for _ in range(5))]
    trails = [SqlTrail(one, opened.sealer) for one in databases]
    consents = [
        replace(scene.consent, database=one, trail=trail)
        for one, trail in zip(databases, trails, strict=True)
    ]
    with ThreadPoolExecutor(len(consents)) as workers:
        list(workers.map(lambda one: one.pull(), consents))
    kinds = [entry.read()["kind"] for entry in opened.entries()]
    for one in databases:
        one.close()
    assert kinds == [Kind.REGISTRY_CHANGED] * 4 + [Kind.APPROVAL_RECORDED]


def test_no_name_and_no_reason_stand_in_the_trail():
    scene = Scene()
    scene.approve()
    scene.consent.read("1")
    told = b"".join(entry.body for entry in scene.trail.entries())
    assert b'"ann"' not in told
    assert b"better" not in told
