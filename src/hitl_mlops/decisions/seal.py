"""What the trail holds of cases and decisions: digests that bind every byte and tell nobody what it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from hitl_mlops.decisions.record import Case, Decision
from hitl_mlops.ids import canonical_json, instant, sha256_hex

SALT_BYTES = 32
MARK_DIGITS = 12
"""How much of a record's hash stands in the trail to name the record; the digest over all is whole."""


def commitment_of(case: Case, salt: bytes) -> str:
    """SHA-256(salt ‖ canonical body) as `sha256:…`; without the salt nobody can try out bodies against it."""
    body = {
        "case_id": case.case_id,
        "subject": case.subject,
        "at": instant(case.at),
        "inputs": case.inputs,
        "attributes": case.attributes,
    }
    return "sha256:" + hashlib.sha256(salt + canonical_json(body)).hexdigest()


def record_hash(decision: Decision, commitment: str) -> str:
    """Content hash of all that is stored of a decision, with its case's commitment in place of the case."""
    return sha256_hex(
        canonical_json(
            {
                "decision_id": decision.decision_id,
                "case": commitment,
                "at": instant(decision.at),
                "model_version": decision.model_version,
                "model_digest": decision.model_digest,
                "arm": decision.arm.value,
                "label": decision.label,
                "confidence": decision.confidence,
                "probabilities": decision.probabilities,
                "route": decision.route,
                "reasons": decision.reasons,
                "policy_hash": decision.policy_hash,
                "pi": decision.pi,
                "spot_check": decision.spot_check,
                "signatures": decision.signatures,
                "intervention": decision.intervention.value,
                "reversible_until": decision.reversible_until,
            }
        )
    )


def batch_seal(hashes: Sequence[str]) -> dict[str, Any]:
    """What an entry says of its records, in order: one digest over their hashes, and a mark of each."""
    digest = "sha256:" + sha256_hex(json.dumps(list(hashes), separators=(",", ":")).encode())
    return {"digest": digest, "marks": [each[:MARK_DIGITS] for each in hashes]}
