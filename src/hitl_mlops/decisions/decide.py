"""The verb: ask the models, route what they said, record it, and only then give it out."""

from __future__ import annotations

import os
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
from hitl_mlops.decisions.block import (
    NOBODY,
    SALT_BYTES,
    Block,
    block_name,
    digest_of,
    split_keys,
)
from hitl_mlops.decisions.cases import Cases, Column
from hitl_mlops.decisions.intake import Intake
from hitl_mlops.decisions.log import DecidedAlreadyError, DecisionLog
from hitl_mlops.decisions.predict import Answers, ask_live
from hitl_mlops.decisions.record import Decision
from hitl_mlops.decisions.serving import Serving
from hitl_mlops.decisions.write import Outcome, Spoke, write_block
from hitl_mlops.ids import sha256_hex
from hitl_mlops.routing.attributes import DISAGREEMENT
from hitl_mlops.routing.guard_board import GuardBoard
from hitl_mlops.routing.guards import Guards
from hitl_mlops.routing.policy import CLOSED, Policy
from hitl_mlops.routing.rate_limits import RateLimit
from hitl_mlops.routing.route import Check, route

Transaction: TypeAlias = Callable[[], AbstractContextManager[object]]
Beside: TypeAlias = Callable[[Block], object]
"""What else is kept of a batch, with its new decisions."""
RECORDED_AT_ONCE = 40_000
"""Cases of one transaction: whoever freezes waits until it has ended."""


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
    def models(self) -> list[Answers]:
        """What each live model said, the champion first."""
        return [self.champion] if self.challenger is None else [self.champion, self.challenger]


@dataclass(frozen=True, slots=True)
class Deciding:
    """What it takes to decide.

    Attributes:
        policy: the policy; None sends every case to senior review.
        key: the project's policy key; makes ids, draws arms and spot checks.
        checks: the user's auxiliary checks by name.
        guards: what stands against automatic decisions.
    """

    policy: Policy | None
    key: bytes
    checks: Mapping[str, Check] = field(default_factory=dict)
    guards: Guards = field(default_factory=Guards)


@dataclass(frozen=True, slots=True, eq=False)
class Foreseen:
    """What is known of some cases before it is their turn to be recorded.

    Attributes:
        heard: what the live models said.
        block: what is decided if nothing stands against automatic decisions then, its rows hashed; None: that
            was not looked at.
    """

    heard: Heard
    block: Block | None = None

    def holding(self, guards: Guards, policy: Policy | None) -> Block | None:
        """The block, where it is what is decided by that policy while these guards stand."""
        if self.block is None or policy is None or not guards.nothing:
            return None
        return self.block if self.block.header["policy_hash"] == policy.hash else None


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """What came of some cases: all of them are decided, and recorded.

    Attributes:
        ids: case ids, in their order.
        blocks: the decisions that are new.
        known: case id → decision, for those decided before.
    """

    ids: list[str]
    blocks: tuple[Block, ...]
    known: Mapping[str, Decision]

    def and_of(self, other: Recorded, ids: list[str]) -> Recorded:
        """What came of the cases of both, which have these ids in their order."""
        return Recorded(ids, self.blocks + other.blocks, {**self.known, **other.known})

    def decisions(self) -> list[Decision]:
        """One for each case, in their order."""
        new = {one.case_id: one for block in self.blocks for one in block.decisions()}
        return [new.get(name) or self.known[name] for name in self.ids]


def decide_cases(  # noqa: PLR0913 - the cases, five ways of deciding and six places the answer goes
    intake: Intake,
    serving: Serving,
    policy: Policy | None,
    *,
    key: bytes,
    log: DecisionLog,
    trail: Trail,
    transaction: Transaction,
    board: GuardBoard,
    now: datetime,
    actor: str,
    checks: Mapping[str, Check] | None = None,
    beside: Beside | None = None,
    foreseen: Foreseen | None = None,
) -> Recorded:
    """Every case has one recorded decision.

    A case decided before is answered from the log, also when it stands twice among the cases. Cases,
    decisions, shadow predictions and their entry are recorded together, in blocks of at most 40,000:
    killed in between, whole blocks stand, and deciding again goes on where it stopped. What is frozen is
    read anew in the transaction of each block, after the models were asked.

    Args:
        intake: what to decide; no cases give no decisions.
        serving: the live models.
        policy: the policy; None sends every case to senior review.
        key: the project's policy key.
        log: where decisions are kept.
        trail: where the entries go.
        transaction: opens what log, trail and board are to share, `database.transaction`.
        board: what stands against automatic decisions.
        now: the time of the decisions.
        actor: who decides, `cli` or a flow.
        checks: the user's auxiliary checks by name.
        beside: keeps more of each block in its transaction, such as its tickets.
        foreseen: what is known of all the cases, where they were looked at beforehand.

    Raises:
        DecidedAlreadyError: it was not looked up which cases are known, and one is; whole blocks before it
            stand.
    """
    deciding, cases, known = Deciding(policy, key, checks or {}), intake.cases, dict(intake.known or {})
    todo = _undecided(cases.ids, known)
    blocks: list[Block] = []
    while todo:
        places = todo[:RECORDED_AT_ONCE]
        batch = cases if len(places) == len(cases) else cases.take(places)
        keys, draws = intake.keys[places], intake.draws[places]
        if foreseen is not None and batch is cases:
            known_of = foreseen
        else:
            known_of = Foreseen(hear(batch, serving, deciding))
        try:
            with transaction():
                number = log.claim(keys)
                standing = board.read(policy, now)
                by = replace(deciding, guards=standing)
                block, used = _decided(known_of, batch, keys, draws, by, now)
                block = block.numbered(number)
                log.record(block)
                board.tell(used, now)
                trail.append([_event(block, actor)])
                if beside is not None:
                    beside(block)
        except DecidedAlreadyError:
            if intake.known is None:
                raise
            faster = log.decided_under(split_keys(keys))  # another writer's
            if not faster.keys() - known.keys():
                raise
            known |= faster
            todo = [place for place in todo if cases.ids[place] not in faster]
        else:
            blocks.append(block)
            todo = todo[len(places) :]
    return Recorded(cases.ids, tuple(blocks), known)


def _undecided(ids: Sequence[str], known: Mapping[str, object]) -> list[int]:
    """Places of the cases that are not known, each case once."""
    if not known and len(set(ids)) == len(ids):
        return list(range(len(ids)))
    first = {name: place for place, name in reversed(list(enumerate(ids)))}
    return sorted(place for name, place in first.items() if name not in known)


def _decided(
    foreseen: Foreseen,
    cases: Cases,
    keys: npt.NDArray[np.uint8],
    draws: npt.NDArray[np.float64],
    deciding: Deciding,
    now: datetime,
) -> tuple[Block, Mapping[RateLimit, int]]:
    if (block := foreseen.holding(deciding.guards, deciding.policy)) is not None:
        return block, {}
    return decide(cases, keys, draws, foreseen.heard, deciding, now)


def foresee(
    cases: Cases,
    keys: npt.NDArray[np.uint8],
    draws: npt.NDArray[np.float64],
    heard: Heard,
    deciding: Deciding,
    now: datetime,
) -> Foreseen:
    """What would be decided now, with nothing in the way; the user's functions are not asked for it."""
    if not len(cases) or deciding.policy is None or deciding.policy.uses:
        return Foreseen(heard)
    block, _ = decide(cases, keys, draws, heard, deciding, now)
    return Foreseen(heard, block.hashed())


def hear(cases: Cases, serving: Serving, deciding: Deciding) -> Heard:
    """What the live models say of the cases, and whose answer counts."""
    swapped = serving.challenger_answers(deciding.key, cases.subjects)
    members = deciding.policy is not None and DISAGREEMENT in deciding.policy.reads
    return Heard(*ask_live(serving, cases.frame(), swapped, members=members), swapped)


def decide(
    cases: Cases,
    keys: npt.NDArray[np.uint8],
    draws: npt.NDArray[np.float64],
    heard: Heard,
    deciding: Deciding,
    now: datetime,
) -> tuple[Block, Mapping[RateLimit, int]]:
    """The decisions on the cases, at least one, and what they use of the rate limits.

    Pure but for the random bytes that keep the hashes of the rows from being guessed.
    """
    said = _said(heard)
    versions = [answers.model.version for answers in heard.models]
    policy = deciding.policy or CLOSED
    routes = route(
        deciding.policy,
        _columns(cases, heard, said),
        draws,
        checks=deciding.checks,
        guards=deciding.guards,
        inputs=cases.frame() if deciding.guards.compares_inputs else None,
        versions=[versions[model] for model in said["model"].tolist()],
    )
    levels = {plan.name: level for level, plan in enumerate(policy.routes)}
    places, kinds = pd.factorize(routes.reasons)
    fields = said | {
        "key": keys,
        "salt": np.frombuffer(os.urandom(SALT_BYTES * len(cases)), np.uint8).reshape(-1, SALT_BYTES),
        "route": np.array([levels[name] for name in routes.route.tolist()]),
        "reasons": places,
        "pi": routes.pi,
        "spot_check": routes.spot_check,
        "signatures": routes.signatures,
        "impact": routes.impact,
    }
    models = [Spoke(each.model.version, each.model.digest, each.model.classes) for each in heard.models]
    outcome = Outcome(models, policy.routes, list(kinds), policy.hash, fields)
    return write_block(cases, outcome, now), routes.used


def _said(heard: Heard) -> dict[str, npt.NDArray[Any]]:
    """What the model that answers said of each case, and what the other said in the shadow."""
    models, swapped = heard.models, heard.swapped
    widest = max(each.probabilities.shape[1] for each in models)
    wide = [
        np.pad(each.probabilities, ((0, 0), (0, widest - each.probabilities.shape[1]))) for each in models
    ]
    usable = [np.isfinite(each.confidence) for each in models]
    labels = [np.where(there, each.place, NOBODY) for each, there in zip(models, usable, strict=True)]
    sure = [np.where(there, each.confidence, 0.0) for each, there in zip(models, usable, strict=True)]
    chances = [np.where(there[:, None], each, 0.0) for each, there in zip(wide, usable, strict=True)]
    own, other = swapped.astype(np.intp) * (len(models) - 1), (~swapped).astype(np.intp) * (len(models) - 1)
    rows = np.arange(len(swapped))
    silent = np.stack(labels)[other, rows] if len(models) > 1 else np.full(len(rows), NOBODY)
    return {
        "model": own,
        "arm": swapped,
        "label": np.stack(labels)[own, rows],
        "confidence": np.stack(sure)[own, rows],
        "probabilities": np.stack(chances)[own, rows],
        "shadow_model": np.where(silent == NOBODY, NOBODY, other),
        "shadow_label": silent,
        "shadow_confidence": np.where(silent == NOBODY, 0.0, np.stack(sure)[other, rows]),
    }


def _columns(cases: Cases, heard: Heard, said: Mapping[str, npt.NDArray[Any]]) -> pd.DataFrame:
    """What the policy may read of each case: its attributes, and what the model that answers said."""
    own, rows = said["model"], np.arange(len(cases))
    answered = said["label"] != NOBODY
    classes = [np.array([*each.model.classes, ""], dtype=object) for each in heard.models]
    labels = np.empty(len(cases), dtype=object)
    for place, names in enumerate(classes):
        mine = own == place
        labels[mine] = names[said["label"][mine]]
    margins = np.stack([each.margin for each in heard.models])[own, rows]
    apart = np.stack([each.disagreement for each in heard.models])[own, rows]
    return pd.DataFrame(
        {name: _told(column) for name, column in cases.kept.items()}
        | {
            "label": _told(labels),
            "confidence": np.where(answered, said["confidence"], np.nan),
            "margin": np.where(answered, margins, np.nan),
            DISAGREEMENT: np.where(answered, apart, np.nan),
        }
    )


def _told(column: Column) -> pd.Series:
    """The column as a policy reads it: text stays as it is, which spares small batches a conversion."""
    return pd.Series(column, dtype=object) if column.dtype == object else pd.Series(column)


def _event(block: Block, actor: str) -> Event:
    models = block.header["models"]
    facts: dict[str, Any] = {
        "count": len(block),
        "by_route": block.by_route(),
        "by_arm": block.by_arm(),
        "policy_hash": block.header["policy_hash"],
        "model_digests": {each["version"]: each["digest"] for each in models},
        "header": "sha256:" + sha256_hex(block.head),
        "digest": digest_of(block.hashes),
    }
    return Event(Kind.DECISIONS_RECORDED, actor, block.at, {"block": [block_name(block.number)]}, facts)
