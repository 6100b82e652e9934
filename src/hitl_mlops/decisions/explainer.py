"""Asks why a model answered as it did, so that whatever it does no ticket waits for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from hitl_mlops.decisions.explain_linear import LinearReader, linear_reader
from hitl_mlops.decisions.explain_occlusion import Baseline, explain_by_occlusion
from hitl_mlops.decisions.explain_shap import explain_by_shap, require_shap
from hitl_mlops.decisions.explanation import Explanation
from hitl_mlops.decisions.model import Model
from hitl_mlops.decisions.predict import inputs_frame
from hitl_mlops.decisions.record import Case, Decision
from hitl_mlops.decisions.task import Task
from hitl_mlops.decisions.timed import Line, times_for

if TYPE_CHECKING:
    import pandas as pd

CASES_AT_ONCE = 100
"""Cases of one call to the model: with 64 rows each, what a batch of decisions holds too."""
LIVE_MODELS = 2
_told = logging.getLogger(__name__)


class ExplainBy(StrEnum):
    """How answers are explained."""

    AUTO = "auto"
    """By the coefficients of a linear model, any other by occlusion."""
    OCCLUSION = "occlusion"
    SHAP = "shap"
    NONE = "none"


@dataclass(slots=True)
class Explainer:
    """Explains answers in a thread of its own; what fails or takes too long has no explanation.

    Attributes:
        task: the shape of a case.
        by: how.
        baseline: gives what stands for a column out of sight.
        within_s: for up to 1,000 cases; while a call hangs beyond that, nothing is explained.
    """

    task: Task
    by: ExplainBy
    baseline: Callable[[], Baseline]
    within_s: float
    line: Line = field(default_factory=lambda: Line("explain"))
    _readers: dict[tuple[str, str], LinearReader | None] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Told when the project is opened to decide, and not by tickets without an explanation.

        Raises:
            ConfigurationError: the extra `shap` is asked for and not installed.
        """
        if self.by is ExplainBy.SHAP:
            require_shap()

    def explain(
        self, models: Sequence[Model], decisions: Sequence[Decision], cases: Mapping[str, Case]
    ) -> dict[str, Explanation]:
        """Decision id → what spoke for the answer; decisions of which nobody knows are missing.

        Args:
            models: those that answered; a decision of another model has no explanation.
            decisions: what is to be explained.
            cases: case id → case, of each.
        """
        if self.by is ExplainBy.NONE:
            return {}
        found: dict[str, Explanation] = {}
        for model in models:
            known = set(model.classes)
            mine = [
                one
                for one in decisions
                if (one.model_version, one.model_digest) == (model.version, model.digest)
                and one.label in known
            ]
            for start in range(0, len(mine), CASES_AT_ONCE):
                some = mine[start : start + CASES_AT_ONCE]
                work = partial(self._explained, model, some, [cases[one.case_id] for one in some])
                said = self.line.ask(work, self.within_s * times_for(len(some)))
                for one, explanation in zip(some, said or (), strict=False):
                    if explanation is not None:
                        found[one.decision_id] = explanation
        return found

    def _explained(
        self, model: Model, decisions: Sequence[Decision], cases: Sequence[Case]
    ) -> Sequence[Explanation | None]:
        try:
            return self._read_or_asked(model, decisions, inputs_frame(cases))
        except Exception as error:  # noqa: BLE001 - an own estimator may raise anything
            _told.warning("no explanation of model %s: %s", model.version, type(error).__name__)
            return ()

    def _read_or_asked(
        self, model: Model, decisions: Sequence[Decision], inputs: pd.DataFrame
    ) -> Sequence[Explanation | None]:
        if self.by is ExplainBy.AUTO:
            reader = self._reader(model, [str(name) for name in inputs.columns])
            if reader is not None:
                return reader.explain(inputs, decisions)
        explain = explain_by_shap if self.by is ExplainBy.SHAP else explain_by_occlusion
        return explain(model.probabilities, model.classes, inputs, decisions, self.task, self.baseline())

    def _reader(self, model: Model, names: Sequence[str]) -> LinearReader | None:
        """Made once for each of the live models; of one with many words that takes longer than it reads."""
        key = (model.version, model.digest)
        if key not in self._readers:
            if len(self._readers) >= LIVE_MODELS:
                self._readers.clear()
            self._readers[key] = linear_reader(estimator_of(model), names, self.task)
        return self._readers[key]

    def close(self) -> None:
        """The thread ends once its call has."""
        self.line.close()


def estimator_of(model: Model) -> Any:
    """The fitted estimator behind a model that keeps one, also where others are laid around it; else None."""
    inner: Any = model
    while not hasattr(inner, "estimator") and hasattr(inner, "model"):
        inner = inner.model
    return getattr(inner, "estimator", None)
