"""Records for tests: each builder gives a sensible one, changed where the test says so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hitl_mlops.decisions.record import Arm, Case, Decision

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_case(**changes: Any) -> Case:
    case_id = changes.get("case_id", "case-1")
    plain = {"subject": case_id, "at": NOW, "inputs": {"x": 1.5}, "attributes": {"amount": 20.0}}
    return Case(**({"case_id": case_id} | plain | changes))


def a_decision(**changes: Any) -> Decision:
    case_id = changes.get("case_id", "case-1")
    plain: dict[str, Any] = {
        "decision_id": f"d_{case_id}",
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
