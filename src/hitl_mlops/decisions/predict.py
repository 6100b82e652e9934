"""Asking a model, so that whatever it does is an answer or plainly none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.cases import as_series, objects
from hitl_mlops.decisions.disagreement import disagreement_of
from hitl_mlops.decisions.model import Model
from hitl_mlops.decisions.record import Case
from hitl_mlops.decisions.serving import Serving
from hitl_mlops.decisions.timed import TimedModel
from hitl_mlops.errors import InputError

MOST_CALLS = 64
"""How often a batch that fails is asked again in halves before its rest goes to people unanswered."""
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Answers:
    """What one model said of every case, in their order.

    Attributes:
        model: who said it.
        probabilities: shape (n, classes); NaN rows where there is no usable answer.
        place: index of the likeliest class, 0 where there is no answer; ties: the first class.
        confidence: its probability; NaN where there is no answer.
        margin: how far it lies above the second likeliest; NaN where there is no answer.
        disagreement: how far the members of an ensemble are apart (`disagreement_of`); NaN where there is no
            answer of this model, it is no ensemble, or nobody asked.
    """

    model: Model
    probabilities: npt.NDArray[np.float64]
    place: npt.NDArray[np.intp]
    confidence: npt.NDArray[np.float64]
    margin: npt.NDArray[np.float64]
    disagreement: npt.NDArray[np.float64]

    def label(self, row: int) -> str:
        """The class answered; empty where there is no answer."""
        return self.model.classes[self.place[row]] if np.isfinite(self.confidence[row]) else ""


def inputs_frame(cases: Sequence[Case]) -> pd.DataFrame:
    """The inputs of the cases as a model sees them, one row each; gaps are NaN."""
    names = list(cases[0].inputs) if cases else []
    columns = {name: objects([case.inputs[name] for case in cases]) for name in names}
    return pd.DataFrame({name: as_series(column) for name, column in columns.items()})


def ask(model: Model, inputs: pd.DataFrame) -> Answers:
    """What the model says of each row. A row it fails on is NaN, and only that row.

    A model that raises on a batch is asked again in halves, so that one bad row does not take the others
    with it; after 64 calls the rest counts as unanswered. A row whose probabilities are not numbers in
    [0, 1] that sum to 1 is unanswered. A timed model that is too slow leaves all rows unanswered; while its
    call hangs, the rows of later batches are unanswered at once.
    """
    return _judged(model, _heard(model, inputs))


def ask_live(
    serving: Serving, inputs: pd.DataFrame, swapped: npt.NDArray[np.bool_], *, members: bool = False
) -> tuple[Answers, Answers | None]:
    """What champion and challenger say of each row; of the challenger None outside a rollout.

    Each is first asked about the rows that it answers. Only then, and apart, it speaks in the shadow of the
    other's; a timed model that is too slow there has said nothing of them, and no answer differs by it.

    Args:
        serving: the live models.
        inputs: one row per case.
        swapped: the rows that the challenger answers; shape (len(inputs),).
        members: ask the members of ensembles too, as a policy that reads `disagreement` needs it.
    """
    champion, challenger = serving.champion, serving.challenger
    if challenger is None:
        answers = ask(champion, inputs)
        return (_with_members(answers, champion, inputs, ~swapped) if members else answers), None
    both = ((champion, ~swapped), (challenger, swapped))
    answered = [_heard(model, inputs[mine]) for model, mine in both]
    beside = [_heard(model, inputs[~mine], in_shadow=True) for model, mine in both]
    said = []
    for (model, mine), of_mine, of_others in zip(both, answered, beside, strict=True):
        probabilities = np.empty((len(inputs), len(model.classes)))
        probabilities[mine], probabilities[~mine] = of_mine, of_others
        answers = _judged(model, probabilities)
        said.append(_with_members(answers, model, inputs, mine) if members else answers)
    return said[0], said[1]


def _with_members(
    answers: Answers, model: Model, inputs: pd.DataFrame, mine: npt.NDArray[np.bool_]
) -> Answers:
    """The answers with how far the members are apart on the rows that the model answers."""
    answered = mine & np.isfinite(answers.confidence)
    apart, asked = np.full(len(inputs), np.nan), inputs[answered]
    if isinstance(model, TimedModel) and len(asked):
        found = model.answer(partial(disagreement_of, model.model, asked), len(asked))
        apart[answered] = np.nan if found is None else found
    else:
        apart[answered] = disagreement_of(model, asked)
    return replace(answers, disagreement=apart)


def _heard(model: Model, inputs: pd.DataFrame, *, in_shadow: bool = False) -> npt.NDArray[np.float64]:
    """What the model said within its time; NaN where that is nothing."""
    if not isinstance(model, TimedModel) or not len(inputs):
        return _asked(model, inputs)
    wait = model.beside if in_shadow else model.answer
    said = wait(partial(_asked, model.model, inputs), len(inputs))
    return np.full((len(inputs), len(model.classes)), np.nan) if said is None else said


def _asked(model: Model, inputs: pd.DataFrame) -> npt.NDArray[np.float64]:
    """What the model said of each row, however long it took; NaN where it failed."""
    probabilities = np.full((len(inputs), len(model.classes)), np.nan)
    waiting, calls = [(0, len(inputs))] if len(inputs) else [], 0
    while waiting and calls < MOST_CALLS:
        start, stop = waiting.pop(0)
        calls += 1
        try:
            probabilities[start:stop] = _said(model, inputs.iloc[start:stop])
        except Exception:  # noqa: BLE001 - whatever a model raises, people decide instead
            middle = (start + stop) // 2
            waiting += [half for half in ((start, middle), (middle, stop)) if stop - start > 1]
    return probabilities


def _said(model: Model, inputs: pd.DataFrame) -> npt.NDArray[np.float64]:
    said = np.asarray(model.probabilities(inputs), dtype=np.float64)
    if said.shape != (len(inputs), len(model.classes)):
        raise InputError(
            f"Model {model.version} gave probabilities of shape {said.shape}.",
            remedy="Give one row for each case and one column for each class.",
        )
    return said


def _judged(model: Model, probabilities: npt.NDArray[np.float64]) -> Answers:
    with np.errstate(invalid="ignore"):
        usable = ((probabilities >= 0) & (probabilities <= 1 + _SUM_TOLERANCE)).all(axis=1)
        usable &= np.abs(probabilities.sum(axis=1) - 1) <= _SUM_TOLERANCE
    clean = np.where(usable[:, None], np.clip(probabilities, 0, 1), 0.0)
    place = clean.argmax(axis=1) if clean.size else np.zeros(len(clean), dtype=np.intp)
    ranked = np.sort(clean, axis=1)
    top = ranked[:, -1] if clean.size else np.zeros(len(clean))
    second = ranked[:, -2] if clean.shape[1] > 1 else np.zeros(len(clean))
    return Answers(
        model,
        np.where(usable[:, None], clean, np.nan),
        place,
        np.where(usable, top, np.nan),
        np.where(usable, top - second, np.nan),
        np.full(len(clean), np.nan),
    )
