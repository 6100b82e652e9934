"""What the judge reads, gathered from a dataset version and the two models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.model import Model
from hitl_mlops.decisions.predict import inputs_frame
from hitl_mlops.decisions.record import Case, Decision
from hitl_mlops.gates.evidence import BoolArray, GoldenResult, JudgedCases, LabelQuality
from hitl_mlops.overrides.record import AnswerState, KeptAnswer, Resolution
from hitl_mlops.review.ticket import SAMPLED


@dataclass(frozen=True, slots=True)
class LiveCase:
    """A decision of the champion's time, with its case and what people said of it.

    Attributes:
        case: what was decided.
        pi: probability with which it was to be reviewed.
        truth: the label people gave on a ticket drawn with that π; None where nobody did.
    """

    case: Case
    pi: float
    truth: str | None


def live_cases(
    decisions: Sequence[Decision], cases: Mapping[str, Case], resolutions: Sequence[Resolution]
) -> list[LiveCase]:
    """The decisions with their labels, resolved or not.

    Labels of shadow tickets are left out: those are chosen where models differ, and no stored π speaks
    for them.
    """
    said = {one.decision_id: one.label for one in resolutions if one.ticket_kind in SAMPLED}
    return [LiveCase(cases[one.case_id], one.pi, said.get(one.decision_id)) for one in decisions]


def judged_cases(
    base: pd.DataFrame,
    live: Sequence[LiveCase],
    *,
    challenger: Model,
    champion: Model | None,
    slices: Sequence[str],
) -> JudgedCases:
    """The cases a challenger may be judged on, answered anew by both models.

    Args:
        base: labelled base data that neither model learned from, one row per example.
        live: all decisions of the champion's time whose subjects neither model learned from.
        challenger: the one on trial.
        champion: the one that serves; None for the first.
        slices: columns whose values are also looked at apart.
    """
    inputs = inputs_frame([one.case for one in live])
    frame = pd.concat([base[list(inputs.columns)] if len(inputs) else base, inputs], ignore_index=True)
    answers, confidence = answered(challenger, frame)
    count = len(base)
    return JudgedCases(
        truth=np.array([*base["label"].map(str), *(one.truth for one in live)], dtype=object),
        challenger=answers,
        challenger_confidence=confidence,
        champion=None if champion is None else answered(champion, frame)[0],
        pi=np.array([*np.ones(count), *(one.pi for one in live)], dtype=float),
        labelled=np.array(
            [*np.ones(count, dtype=bool), *(one.truth is not None for one in live)], dtype=bool
        ),
        held_back=np.ones(len(frame), dtype=bool),
        live=np.arange(len(frame)) >= count,
        slices={name: _slice(name, base, live) for name in slices},
        complete=True,
    )


def _slice(name: str, base: pd.DataFrame, live: Sequence[LiveCase]) -> npt.NDArray[np.object_]:
    old = base[name].map(str) if name in base else ["-"] * len(base)
    new = (one.case.attributes.get(name, one.case.inputs.get(name, "-")) for one in live)
    return np.array([*old, *(str(value) for value in new)], dtype=object)


def answered(model: Model, rows: pd.DataFrame) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.float64]]:
    """The likeliest class of each row and its probability; ties go to the first class."""
    probabilities = model.probabilities(rows)
    if not len(rows):
        return np.empty(0, dtype=object), np.empty(0)
    names = np.array(model.classes, dtype=object)
    return names[probabilities.argmax(axis=1)], probabilities.max(axis=1)


def golden_result(cases: JudgedCases) -> GoldenResult:
    """Both models on the base data that neither learned from: fixed by the split while the data grow."""
    fixed = cases.where(~cases.live)
    champion: BoolArray | None = None if fixed.champion is None else fixed.champion_wrong
    return GoldenResult(challenger_wrong=fixed.challenger_wrong, champion_wrong=champion)


def label_quality(answers: Sequence[KeptAnswer], resolutions: Sequence[Resolution]) -> LabelQuality | None:
    """Of the answers and resolutions since the champion; None where nobody answered.

    Revisions that a later one replaced are not counted: an edit is no second answer.
    """
    counted = [one for one in answers if one.state is not AnswerState.SUPERSEDED]
    if not counted:
        return None
    refused = sum(one.state in (AnswerState.QUARANTINED, AnswerState.DROPPED) for one in counted)
    people = {person for one in resolutions for person in one.reviewers}
    return LabelQuality(
        answers=len(counted), quarantined=refused, labels=len(resolutions), reviewers=len(people)
    )
