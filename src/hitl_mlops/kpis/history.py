"""Recorded decisions as a simulation reads them: what a policy may read of each, and what people said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.decisions.record import Case, Decision
from hitl_mlops.errors import InputError
from hitl_mlops.kpis.definitions import people_said
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.overrides.record import Resolution
from hitl_mlops.routing.policy import Policy
from hitl_mlops.routing.simulate import History, margins

_UNKNOWN_ROUTE = timedelta(hours=24)
"""The time allowed on a recorded route that the present policy has no more."""


def history_from_log(log: DecisionLog, answers: AnswerBook, new: Policy, present: Policy) -> History:
    """`recorded_history` of all decisions in the log; cases are read only where the new policy needs them."""
    decisions = log.decisions()
    kept = {name for one in decisions for name in one.attributes}
    wanted = not kept >= set(new.attributes)
    cases = log.cases(one.case_id for one in decisions) if wanted else {}
    return recorded_history(decisions, answers.resolutions(), cases, new, present)


def recorded_history(
    decisions: Sequence[Decision],
    resolutions: Sequence[Resolution],
    cases: Mapping[str, Case],
    new: Policy,
    present: Policy,
) -> History:
    """The decisions with all that the new policy reads, in their order.

    An attribute that was not kept with a decision is looked for in the inputs of its case; where it is in
    neither, it counts as missing. Wrong means overruled by people, on tickets drawn with the stored π.

    Args:
        decisions: as they were recorded.
        resolutions: what people said.
        cases: case id → case, of those whose inputs may be needed.
        new: the policy to be tried.
        present: the policy that says how long people had on each recorded route.

    Raises:
        InputError: the new policy reads what stands in no decision and no case.
    """
    said = people_said(resolutions)
    hours = {plan.name: plan.within / timedelta(hours=1) for plan in present.routes}
    allowed = [hours.get(one.route, _UNKNOWN_ROUTE / timedelta(hours=1)) for one in decisions]
    return History(
        columns=_columns(decisions, cases, new),
        case_ids=[one.case_id for one in decisions],
        at=pd.DatetimeIndex([one.at for one in decisions], tz="UTC"),
        route=np.array([one.route for one in decisions], dtype=object),
        signatures=np.array([one.signatures for one in decisions], dtype=np.int64),
        spot_check=np.array([one.spot_check for one in decisions], dtype=np.bool_),
        within_h=np.array(allowed, dtype=np.float64),
        pi=np.array([one.pi for one in decisions], dtype=np.float64),
        reviewed=np.array([one.decision_id in said for one in decisions], dtype=np.bool_),
        wrong=np.array(
            [one.decision_id in said and said[one.decision_id].override for one in decisions], dtype=np.bool_
        ),
        versions=[one.model_version for one in decisions],
    )


def _columns(decisions: Sequence[Decision], cases: Mapping[str, Case], policy: Policy) -> pd.DataFrame:
    attributes = {name: _attribute(name, decisions, cases) for name in policy.attributes}
    unknown = [name for name, found in attributes.items() if decisions and found is None]
    if unknown:
        raise InputError(
            f"The policy reads {', '.join(unknown)}, which was recorded with no decision.",
            remedy="Try it without, or decide some cases that bring it: the present policy must read it too.",
            missing=unknown,
        )
    answered = [bool(one.label) for one in decisions]
    said = {
        "label": pd.Series([one.label for one in decisions], dtype=object),
        "confidence": np.where(answered, [one.confidence for one in decisions], np.nan),
        "margin": margins([one.probabilities for one in decisions]),
    }
    return pd.DataFrame(attributes | said).infer_objects()


def _attribute(name: str, decisions: Sequence[Decision], cases: Mapping[str, Case]) -> Any:
    """The attribute of each decision; None where none has it."""
    nothing = object()
    values = [one.attributes.get(name, nothing) for one in decisions]
    for place, one in enumerate(decisions):
        if values[place] is nothing and one.case_id in cases:
            values[place] = cases[one.case_id].inputs.get(name, nothing)
    if all(value is nothing for value in values):
        return None
    return pd.Series([None if value is nothing else value for value in values], dtype=object)
