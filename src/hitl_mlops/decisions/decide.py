"""The verb: ask the models, route what they said, record it, and only then give it out."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.decisions.predict import Answers, ask, inputs_frame
from hitl_mlops.decisions.record import Arm, Case, Decision, ShadowPrediction
from hitl_mlops.decisions.seal import SALT_BYTES, batch_seal, commitment_of, record_hash
from hitl_mlops.decisions.serving import Serving
from hitl_mlops.ids import keyed_id
from hitl_mlops.routing.policy import CLOSED, Policy
from hitl_mlops.routing.route import Check, Routes, route
from hitl_mlops.routing.switch_board import SwitchBoard, read_standing
from hitl_mlops.routing.switches import Switch

Transaction: TypeAlias = Callable[[], AbstractContextManager[object]]
Beside: TypeAlias = Callable[[Sequence[Decision], Sequence[Case]], object]
"""What else is kept of a batch: its decisions and their cases, also those decided before."""
RECORDED_AT_ONCE = 2_000
"""Cases of one transaction: whoever freezes waits until it has ended."""
NAMED_AT_ONCE = 500
"""How many decisions one entry of the trail names."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the live models said of some cases, in their order.

    Attributes:
        champion: what the champion said.
        challenger: what the challenger said; None outside a rollout.
        swapped: which cases the challenger answers.
    """

    champion: Answers
    challenger: Answers | None
    swapped: npt.NDArray[np.bool_]

    @property
    def said(self) -> list[Answers]:
        """For each case, the answers among which its own stands."""
        other = self.challenger or self.champion
        return [other if swap else self.champion for swap in self.swapped.tolist()]


@dataclass(frozen=True, slots=True)
class Decided:
    """What the models and the policy made of some cases, in their order; nothing is recorded yet."""

    decisions: tuple[Decision, ...]
    shadows: tuple[ShadowPrediction, ...]


@dataclass(frozen=True, slots=True)
class Deciding:
    """What it takes to decide.

    Attributes:
        serving: the live models.
        policy: the policy; None sends every case to senior review.
        key: the project's policy key; makes ids, draws arms and spot checks.
        checks: the user's auxiliary checks by name.
        switches: what people have frozen; None where that cannot be read, which freezes everything.
    """

    serving: Serving
    policy: Policy | None
    key: bytes
    checks: Mapping[str, Check] = field(default_factory=dict)
    switches: Sequence[Switch] | None = ()


def decide_cases(  # noqa: PLR0913 - the cases, five ways of deciding and six places the answer goes
    cases: Sequence[Case],
    serving: Serving,
    policy: Policy | None,
    *,
    key: bytes,
    log: DecisionLog,
    trail: Trail,
    transaction: Transaction,
    board: SwitchBoard,
    now: datetime,
    actor: str,
    checks: Mapping[str, Check] | None = None,
    beside: Beside | None = None,
) -> list[Decision]:
    """Every case has one recorded decision; they are returned in the cases' order.

    A case decided before is answered from the log, also when it stands twice among the cases. Cases,
    decisions, shadow predictions and their entries are recorded together, in batches of at most 2,000:
    killed in between, whole batches stand, and deciding again goes on where it stopped. What is frozen is
    read anew in the transaction of each batch, after the models were asked.

    Args:
        cases: what to decide; none gives none.
        serving: the live models.
        policy: the policy; None sends every case to senior review.
        key: the project's policy key.
        log: where decisions are kept.
        trail: where the entries go.
        transaction: opens what log, trail and board are to share, `database.transaction`.
        board: what people have frozen.
        now: the time of the decisions.
        actor: who decides, `cli` or a flow.
        checks: the user's auxiliary checks by name.
        beside: keeps more of each batch in its transaction, such as its tickets.
    """
    deciding = Deciding(serving, policy, key, checks or {})
    unique = list({case.case_id: case for case in cases}.values())
    answered: dict[str, Decision] = {}
    for start in range(0, len(unique), RECORDED_AT_ONCE):
        batch = unique[start : start + RECORDED_AT_ONCE]
        known = log.decided(case.case_id for case in batch)
        todo = [case for case in batch if case.case_id not in known]
        heard = hear(todo, serving, key)
        with transaction():
            decided = decide(todo, heard, replace(deciding, switches=read_standing(board)), now)
            known |= _record(todo, decided, log, trail, actor)
            if beside is not None:
                beside([known[case.case_id] for case in batch], batch)
        answered |= known
    return [answered[case.case_id] for case in cases]


def hear(cases: Sequence[Case], serving: Serving, key: bytes) -> Heard:
    """What the live models say of the cases, and whose answer counts."""
    inputs = inputs_frame(cases)
    return Heard(
        ask(serving.champion, inputs),
        None if serving.challenger is None else ask(serving.challenger, inputs),
        serving.challenger_answers(key, [case.subject for case in cases]),
    )


def decide(cases: Sequence[Case], heard: Heard, deciding: Deciding, now: datetime) -> Decided:
    """The decisions on the cases, and what the model that did not answer would have said. Pure."""
    if not cases:
        return Decided((), ())
    champion, challenger, swapped, said = heard.champion, heard.challenger, heard.swapped, heard.said
    ids = [keyed_id("d", deciding.key, case.case_id) for case in cases]
    routes = route(
        deciding.policy,
        _columns(cases, heard),
        ids,
        deciding.key,
        checks=deciding.checks,
        switches=deciding.switches,
        versions=[answers.model.version for answers in said],
    )
    policy = deciding.policy or CLOSED
    decisions = tuple(
        _decision(case, ids[row], row, said[row], routes, policy, swapped, now)
        for row, case in enumerate(cases)
    )
    if challenger is None:
        return Decided(decisions, ())
    silent = [champion if swap else challenger for swap in swapped.tolist()]
    shadows = tuple(
        ShadowPrediction(
            ids[row],
            answers.model.version,
            answers.model.digest,
            answers.label(row),
            float(answers.confidence[row]),
        )
        for row, answers in enumerate(silent)
        if np.isfinite(answers.confidence[row])
    )
    return Decided(decisions, shadows)


def _columns(cases: Sequence[Case], heard: Heard) -> pd.DataFrame:
    """What the policy may read of each case: its attributes, and what the model that answers said."""
    champion, other, swapped = heard.champion, heard.challenger or heard.champion, heard.swapped
    names = list(cases[0].attributes)
    attributes = {name: pd.Series([case.attributes[name] for case in cases], dtype=object) for name in names}
    labels = [answers.label(row) for row, answers in enumerate(heard.said)]
    return pd.DataFrame(
        attributes
        | {
            "label": pd.Series(labels, dtype=object),
            "confidence": np.where(swapped, other.confidence, champion.confidence),
            "margin": np.where(swapped, other.margin, champion.margin),
        }
    ).infer_objects()


def _decision(
    case: Case,
    decision_id: str,
    row: int,
    answers: Answers,
    routes: Routes,
    policy: Policy,
    swapped: npt.NDArray[np.bool_],
    now: datetime,
) -> Decision:
    label, plan = answers.label(row), policy.plan(str(routes.route[row]))
    probabilities = zip(answers.model.classes, answers.probabilities[row].tolist(), strict=True)
    return Decision(
        decision_id=decision_id,
        case_id=case.case_id,
        subject=case.subject,
        at=now,
        model_version=answers.model.version,
        model_digest=answers.model.digest,
        arm=Arm.CHALLENGER if swapped[row] else Arm.CHAMPION,
        label=label,
        confidence=float(answers.confidence[row]) if label else 0.0,
        probabilities=dict(probabilities) if label else {},
        route=plan.name,
        reasons=routes.reasons[row],
        policy_hash=policy.hash,
        pi=float(routes.pi[row]),
        spot_check=bool(routes.spot_check[row]),
        signatures=int(routes.signatures[row]),
        attributes=case.attributes,
        intervention=plan.intervention,
        reversible_until=now + plan.reversible_for if plan.reversible_for is not None else None,
    )


def _record(
    cases: Sequence[Case],
    decided: Decided,
    log: DecisionLog,
    trail: Trail,
    actor: str,
) -> dict[str, Decision]:
    """The batch and its entries are kept; answers case id → decision, also those of another writer."""
    salts = [secrets.token_bytes(SALT_BYTES) for _ in cases]
    new = set(log.record(cases, decided.decisions, decided.shadows, salts=salts))
    sealed = [
        (decision, commitment_of(case, salt))
        for case, decision, salt in zip(cases, decided.decisions, salts, strict=True)
        if decision.decision_id in new
    ]
    trail.append(
        [
            _event(sealed[start : start + NAMED_AT_ONCE], actor)
            for start in range(0, len(sealed), NAMED_AT_ONCE)
        ]
    )
    kept = {decision.case_id: decision for decision, _ in sealed}
    return kept | log.decided(case.case_id for case in cases if case.case_id not in kept)


def _event(sealed: Sequence[tuple[Decision, str]], actor: str) -> Event:
    decisions = [decision for decision, _ in sealed]
    facts: dict[str, Any] = {
        "count": len(decisions),
        "by_route": dict(sorted(Counter(each.route for each in decisions).items())),
        "by_arm": dict(sorted(Counter(each.arm.value for each in decisions).items())),
        "policy_hash": decisions[0].policy_hash,
        "model_digests": {each.model_version: each.model_digest for each in decisions},
        **batch_seal([record_hash(decision, commitment) for decision, commitment in sealed]),
    }
    refs = {"decision": [each.decision_id for each in decisions]}
    return Event(Kind.DECISIONS_RECORDED, actor, decisions[0].at, refs, facts)
