"""Records for tests: each builder gives a sensible one, changed where the test says so."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import numpy as np

from hitl_mlops.decisions.block import ARMS, NOBODY, SALT_BYTES, Block, key_of
from hitl_mlops.decisions.block_store_in_memory import InMemoryBlockStore
from hitl_mlops.decisions.cases import cases_of
from hitl_mlops.decisions.intake import Intake
from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.decisions.record import Arm, Case, Decision, ShadowPrediction
from hitl_mlops.decisions.write import Outcome, Spoke, write_block
from hitl_mlops.ids import keyed_id
from hitl_mlops.routing.policy import RoutePlan

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = b"k" * 32


def a_case(**changes: Any) -> Case:
    case_id = changes.get("case_id", "case-1")
    plain = {"subject": case_id, "at": NOW, "inputs": {"x": 1.5}, "attributes": {"amount": 20.0}}
    return Case(**({"case_id": case_id} | plain | changes))


def decision_id(case_id: str, key: bytes = KEY) -> str:
    """The id that a decision on the case has."""
    return keyed_id("d", key, case_id)


def a_decision(**changes: Any) -> Decision:
    case_id = changes.get("case_id", "case-1")
    plain: dict[str, Any] = {
        "decision_id": decision_id(case_id),
        "case_id": case_id,
        "subject": case_id,
        "at": NOW,
        "model_version": "1",
        "model_digest": "sha256:" + "0" * 64,
        "arm": Arm.CHAMPION,
        "label": "yes",
        "confidence": 0.8,
        "probabilities": {"yes": 0.8, "no": 0.2},
        "route": "standard",
        "reasons": ("confidence → standard",),
        "policy_hash": "sha256:" + "1" * 64,
        "pi": 1.0,
        "spot_check": False,
        "signatures": 1,
        "attributes": {"amount": 20.0},
    }
    return Decision(**(plain | changes))


def a_log() -> DecisionLog:
    return DecisionLog(InMemoryBlockStore(), KEY)


def an_intake(cases: Sequence[Case], log: DecisionLog) -> Intake:
    """The cases as the screen hands them on."""
    ids = [one.case_id for one in cases]
    return Intake(cases_of(cases), (), *log.drawn(ids), log.decided(ids))


def record(
    log: DecisionLog,
    cases: Sequence[Case],
    decisions: Sequence[Decision],
    shadows: Sequence[ShadowPrediction] = (),
) -> list[str]:
    """The decisions are in the log, a block for each time and policy; ids of those that were new."""
    new: list[str] = []
    known = {one.case_id: one for one in reversed(cases)}
    for _, alike in groupby(decisions, key=lambda one: (one.at, one.policy_hash)):
        there = log.many(one.decision_id for one in decisions)
        some = [one for one in alike if one.decision_id not in there]
        if some:
            new += keep(
                log, a_block([known[one.case_id] for one in some], some, shadows, log.key)
            ).decision_ids
    return new


def keep(log: DecisionLog, block: Block) -> Block:
    """The block is in the log, under its number; raises DecidedAlreadyError."""
    placed = block.numbered(log.claim(block.rows["key"]))
    log.record(placed)
    return placed


def a_block(
    cases: Sequence[Case],
    decisions: Sequence[Decision],
    shadows: Sequence[ShadowPrediction] = (),
    key: bytes = KEY,
) -> Block:
    """Records as the block that holds them; all are of one time and one policy."""
    said = [(one.model_version, one.model_digest, *one.probabilities, one.label) for one in decisions]
    said += [(one.model_version, one.model_digest, one.label) for one in shadows]
    classes: dict[tuple[str, str], dict[str, None]] = {}
    for version, digest, *labels in said:
        classes.setdefault((version, digest), {}).update(dict.fromkeys(label for label in labels if label))
    models = [Spoke(*name, tuple(labels)) for name, labels in classes.items()]
    at = {(one.version, one.digest): place for place, one in enumerate(models)}
    plans = {
        one.route: RoutePlan(
            one.route,
            intervention=one.intervention,
            reversible_for=one.reversible_until - one.at if one.reversible_until else None,
        )
        for one in decisions
    }
    routes, kinds = list(plans), list(dict.fromkeys(one.reasons for one in decisions))
    beside = {one.decision_id: one for one in shadows}
    widest = max(len(one.classes) for one in models)
    rows = []
    for one in decisions:
        own = at[one.model_version, one.model_digest]
        shadow = beside.get(one.decision_id)
        other = at[shadow.model_version, shadow.model_digest] if shadow else NOBODY
        chances = [one.probabilities.get(label, 0.0) for label in models[own].classes]
        rows.append(
            {
                "key": np.frombuffer(key_of(keyed_id("d", key, one.case_id)), np.uint8),
                "salt": np.frombuffer(os.urandom(SALT_BYTES), np.uint8),
                "model": own,
                "arm": ARMS.index(one.arm),
                "label": models[own].classes.index(one.label) if one.label else NOBODY,
                "confidence": one.confidence,
                "probabilities": chances + [0.0] * (widest - len(chances)),
                "shadow_model": other,
                "shadow_label": models[other].classes.index(shadow.label) if shadow else NOBODY,
                "shadow_confidence": shadow.confidence if shadow else 0.0,
                "route": routes.index(one.route),
                "reasons": kinds.index(one.reasons),
                "pi": one.pi,
                "spot_check": one.spot_check,
                "signatures": one.signatures,
                "impact": np.nan if one.impact is None else one.impact,
            }
        )
    fields = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    outcome = Outcome(models, list(plans.values()), kinds, decisions[0].policy_hash, fields)
    return write_block(cases_of(cases), outcome, decisions[0].at)
