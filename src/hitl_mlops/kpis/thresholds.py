"""Where a policy's automatic tiers may end, by what people said of the decisions in the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.decisions.record import Decision
from hitl_mlops.kpis.definitions import people_said
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.overrides.record import Resolution
from hitl_mlops.routing.calibrate import Calibration, calibrate
from hitl_mlops.routing.ladder import automatic_from, confidence_tests, with_automatic_from
from hitl_mlops.routing.policy import Policy
from hitl_mlops.routing.route import Check, route
from hitl_mlops.routing.simulate import margins
from hitl_mlops.statistics.risk_control import PastDecisions, past_decisions


@dataclass(frozen=True, slots=True)
class Proposal:
    """A calibration, and what it would change in the policy file.

    Attributes:
        model_version: whose decisions were looked at; a threshold holds for this model only.
        calibration: the proven threshold beside the present one.
        tests: route → (`confidence` now, `confidence` proposed), of the routes that would change; None:
            none. Empty where nothing is proven.
    """

    model_version: str
    calibration: Calibration
    tests: Mapping[str, tuple[str | None, str | None]]


def propose_from_log(
    log: DecisionLog,
    answers: AnswerBook,
    policy: Policy,
    model_version: str,
    *,
    target: float,
    delta: float,
    until: datetime | None = None,
    functions: Mapping[str, Check] | None = None,
) -> Proposal:
    """`propose` for all recorded decisions of that version, or those before `until`."""
    decisions, said = log.decisions(model_version=model_version, until=until), answers.resolutions()
    return propose(model_version, decisions, said, policy, target=target, delta=delta, functions=functions)


def propose(
    model_version: str,
    decisions: Sequence[Decision],
    resolutions: Sequence[Resolution],
    policy: Policy,
    *,
    target: float,
    delta: float,
    functions: Mapping[str, Check] | None = None,
) -> Proposal:
    """The calibration by these decisions of the model and what people said of them; nothing is written.

    Raises:
        ConfigurationError: no automatic route of the policy has a confidence.
        InputError: target or delta is outside (0, 1).
    """
    present = automatic_from(policy)
    past = reviewed_past(decisions, resolutions, policy, functions)
    found = calibrate(past, present=present, target=target, delta=delta)
    if found.proposed is None:
        return Proposal(model_version, found, {})
    before = confidence_tests(policy)
    after = confidence_tests(with_automatic_from(policy, found.proposed.threshold))
    changed = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    return Proposal(model_version, found, changed)


def reviewed_past(
    decisions: Sequence[Decision],
    resolutions: Sequence[Resolution],
    policy: Policy,
    functions: Mapping[str, Check] | None = None,
) -> PastDecisions:
    """The decisions as a calibration reads them.

    Wrong means overruled by people, on tickets that were drawn with the stored pi. A decision that was drawn
    and has no such resolution is awaited. Eligible is what the policy would make automatic by any confidence.
    """
    said = people_said(resolutions)
    resolved = [said.get(one.decision_id) for one in decisions]
    pi = np.array([one.pi for one in decisions], dtype=np.float64)
    reviewed = np.array([one is not None for one in resolved], dtype=np.bool_)
    return past_decisions(
        np.array([one.confidence for one in decisions], dtype=np.float64),
        np.array([one is not None and one.override for one in resolved], dtype=np.bool_),
        reviewed,
        pi,
        eligible=could_be_automatic(decisions, policy, functions),
        awaited=np.array([one.to_review for one in decisions], dtype=np.bool_) & ~reviewed,
        floor=min(_rates_fixed_for(decisions, policy) | {float(pi.min(initial=1.0))}),
    )


def _rates_fixed_for(decisions: Sequence[Decision], policy: Policy) -> set[float]:
    """The review probabilities that the policy could have fixed, if it decided any of them."""
    if not any(one.policy_hash == policy.hash for one in decisions):
        return set()
    return {policy.review_rate(plan.name) for plan in policy.routes}


def could_be_automatic(
    decisions: Sequence[Decision], policy: Policy, functions: Mapping[str, Check] | None = None
) -> npt.NDArray[np.bool_]:
    """Nothing but its confidence sends it to people, and the model gave an answer; shape (decisions,).

    Checks of the user are taken as passed: so it errs towards automatic.
    """
    if not decisions:
        return np.zeros(0, dtype=np.bool_)
    routed = route(
        with_automatic_from(policy, 0.0),
        _columns(decisions, policy),
        checks={**(functions or {}), **{name: _passed for plan in policy.routes for name in plan.checks}},
        versions=[one.model_version for one in decisions],
    )
    unattended = {plan.name for plan in policy.routes if plan.automatic}
    answered = np.array([bool(one.label) for one in decisions], dtype=np.bool_)
    return answered & np.isin(routed.route.astype(str), sorted(unattended))


def _columns(decisions: Sequence[Decision], policy: Policy) -> pd.DataFrame:
    """What the policy reads of each decision; an attribute that was not kept then is missing."""
    attributes = {
        name: pd.Series([one.attributes.get(name) for one in decisions], dtype=object)
        for name in policy.attributes
    }
    said = {
        "label": pd.Series([one.label for one in decisions], dtype=object),
        "confidence": [one.confidence for one in decisions],
        "margin": margins([one.probabilities for one in decisions]),
    }
    return pd.DataFrame(attributes | said).infer_objects()


def _passed(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    return np.ones(len(rows), dtype=np.bool_)
