"""What the judge reads, gathered from a dataset version and the two models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_numeric_dtype

from hitl_mlops.decisions.model import Model
from hitl_mlops.decisions.predict import inputs_frame
from hitl_mlops.decisions.record import Case, Decision
from hitl_mlops.gates.evidence import (
    BoolArray,
    DataFacts,
    FixedSet,
    JudgedCases,
)
from hitl_mlops.gates.leaks import single_column_recalls
from hitl_mlops.overrides.record import DIFFERED, Method, Resolution
from hitl_mlops.review.ticket import SAMPLED
from hitl_mlops.routing.conditions import spell

AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class LiveCase:
    """A decision of the champion's time, with its case and what people said of it.

    Attributes:
        case: what was decided.
        pi: probability with which it was to be reviewed.
        truth: the label people gave on a ticket drawn with that π; None where nobody did.
        hard: they called it ambiguous, or differed about it.
    """

    case: Case
    pi: float
    truth: str | None
    hard: bool = False


def live_cases(
    decisions: Sequence[Decision], cases: Mapping[str, Case], resolutions: Sequence[Resolution]
) -> list[LiveCase]:
    """The decisions with their labels, resolved or not.

    Labels of shadow tickets are left out: those are chosen where models differ, and no stored π speaks
    for them.
    """
    said = {one.decision_id: one for one in resolutions if one.ticket_kind in SAMPLED}
    return [_live(one, cases[one.case_id], said.get(one.decision_id)) for one in decisions]


def _live(decision: Decision, case: Case, said: Resolution | None) -> LiveCase:
    return (
        LiveCase(case, decision.pi, None)
        if said is None
        else LiveCase(case, decision.pi, said.label, hard=_is_hard(said))
    )


def _is_hard(said: Resolution) -> bool:
    """By what people said among themselves, not by the model's errors: that would favour a new model."""
    return said.method in (*DIFFERED, Method.ADJUDICATED) or AMBIGUOUS in said.reason_codes


def judged_cases(
    base: pd.DataFrame,
    live: Sequence[LiveCase],
    *,
    challenger: Model,
    champion: Model | None,
    slices: Sequence[str],
    protected: Sequence[str] = (),
) -> JudgedCases:
    """The cases a challenger may be judged on, answered anew by both models.

    Args:
        base: labelled base data that neither model learned from, one row per example.
        live: all decisions of the champion's time whose subjects neither model learned from.
        challenger: the one on trial.
        champion: the one that serves; None for the first.
        slices: columns whose values are also looked at apart.
        protected: columns whose groups are to be treated alike.
    """
    inputs = inputs_frame([one.case for one in live])
    frame = pd.concat([base[list(inputs.columns)] if len(inputs) else base, inputs], ignore_index=True)
    answers, confidence = answered(challenger, frame)
    theirs = None if champion is None else answered(champion, frame)
    count = len(base)
    return JudgedCases(
        truth=np.array([*base["label"].map(str), *(one.truth for one in live)], dtype=object),
        challenger=answers,
        challenger_confidence=confidence,
        champion=None if theirs is None else theirs[0],
        pi=np.array([*np.ones(count), *(one.pi for one in live)], dtype=float),
        labelled=np.array(
            [*np.ones(count, dtype=bool), *(one.truth is not None for one in live)], dtype=bool
        ),
        held_back=np.ones(len(frame), dtype=bool),
        live=np.arange(len(frame)) >= count,
        slices={name: _slice(name, base, live) for name in slices},
        groups={name: _group(name, base, live) for name in protected},
        complete=True,
        champion_confidence=None if theirs is None else theirs[1],
    )


def _slice(name: str, base: pd.DataFrame, live: Sequence[LiveCase]) -> npt.NDArray[np.object_]:
    old = base[name].map(str) if name in base else ["-"] * len(base)
    new = (one.case.attributes.get(name, one.case.inputs.get(name, "-")) for one in live)
    return np.array([*old, *(str(value) for value in new)], dtype=object)


def _group(name: str, base: pd.DataFrame, live: Sequence[LiveCase]) -> npt.NDArray[np.object_]:
    old = base[name].tolist() if name in base else [None] * len(base)
    new = (one.case.attributes.get(name, one.case.inputs.get(name)) for one in live)
    return group_names([*old, *new])


def group_names(values: Iterable[Any]) -> npt.NDArray[np.object_]:
    """The groups as text, whole numbers alike whatever their type; None where the group is not known."""
    known = [None if value is None or pd.isna(value) or value == "" else spell(value) for value in values]
    return np.array(known, dtype=object)


def answered(model: Model, rows: pd.DataFrame) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.float64]]:
    """The likeliest class of each row and its probability; ties go to the first class."""
    probabilities = model.probabilities(rows)
    if not len(rows):
        return np.empty(0, dtype=object), np.empty(0)
    names = np.array(model.classes, dtype=object)
    return names[probabilities.argmax(axis=1)], probabilities.max(axis=1)


def held_back_base(cases: JudgedCases) -> FixedSet:
    """Both models on the base data that neither learned from: fixed by the split while the data grow."""
    return _fixed(cases.where(~cases.live), "base data that was held back")


def hard_cases(cases: JudgedCases, live: Sequence[LiveCase]) -> FixedSet | None:
    """Both models on the live cases that reviewers found hard; None where there is none.

    `cases` are those of `judged_cases` on the same `live`, its last rows.
    """
    hard = np.zeros(len(cases), dtype=np.bool_)
    hard[len(cases) - len(live) :] = [one.hard for one in live]
    return _fixed(cases.where(hard), "cases that reviewers found hard") if hard.any() else None


def _fixed(cases: JudgedCases, source: str) -> FixedSet:
    champion: BoolArray | None = None if cases.champion is None else cases.champion_wrong
    return FixedSet(cases.challenger_wrong, champion, source)


def data_facts(
    inputs: pd.DataFrame, labels: Sequence[str], held_back: BoolArray, learned_before: Mapping[str, int]
) -> DataFacts:
    """What the rows of a dataset version tell: column against label, copies across the split, classes.

    Args:
        inputs: what the model sees of every row.
        labels: of every row.
        held_back: rows that it did not learn from.
        learned_before: class → rows that the champion may have learned from.
    """
    hashes, truth = np.asarray(row_hashes(inputs)), np.asarray(labels, dtype=object)
    return DataFacts(
        leaks=single_column_recalls(inputs, truth.tolist()),
        duplicates=int(np.isin(hashes[held_back], hashes[~held_back]).sum()),
        held_back=int(held_back.sum()),
        learned=dict(sorted(Counter(map(str, truth[~held_back])).items())),
        learned_before=learned_before,
    )


def row_hashes(rows: pd.DataFrame) -> list[int]:
    """Equal for rows with equal values, numbers single precision: readers differ in the last digit."""
    plain = rows.apply(
        lambda column: column.astype("float32") if is_numeric_dtype(column) else column.map(str)
    )
    return [int(one) for one in pd.util.hash_pandas_object(plain, index=False)]
