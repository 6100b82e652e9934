"""How often a model learns, and how long people's answers wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from hitl_mlops.audit.entry import Entry, Kind
from hitl_mlops.ids import parse_instant
from hitl_mlops.kpis.returns import LabelReturn, latest_returns


@dataclass(frozen=True, slots=True)
class LearningFigures:
    """Of all models that were registered.

    Attributes:
        trainings: how many, the first among them.
        last_at: when the last one learned; None: none did.
        cadence_s: median seconds from one to the next; None with fewer than two.
        feedback_to_retrain_s: seconds from the first answer that the last one's forerunners had not learned
            from until it was registered; None where no answer was new.
        feedback_to_retrain_median_s: the median of that over all.
        returned: what the labels gave back, as the last judged challenger that tells it.
    """

    trainings: int = 0
    last_at: datetime | None = None
    cadence_s: float | None = None
    feedback_to_retrain_s: float | None = None
    feedback_to_retrain_median_s: float | None = None
    returned: tuple[LabelReturn, ...] = ()


def learning_figures(told: Sequence[Entry]) -> LearningFigures:
    """The figures, by the trail's entries about trainings; others among them are passed over."""
    read = [entry.read() for entry in told]
    bodies = [body for body in read if body["kind"] == Kind.MODEL_REGISTERED]
    judged = [body["facts"] for body in read if body["kind"] == Kind.GATES_JUDGED]
    times = [parse_instant(body["at"]) for body in bodies]
    gaps = [(later - sooner).total_seconds() for sooner, later in pairwise(times)]
    waited = [body["facts"].get("learned", {}).get("feedback_to_retrain_s") for body in bodies]
    known = [one for one in waited if one is not None]
    return LearningFigures(
        trainings=len(bodies),
        last_at=times[-1] if times else None,
        cadence_s=median(gaps) if gaps else None,
        feedback_to_retrain_s=waited[-1] if waited else None,
        feedback_to_retrain_median_s=median(known) if known else None,
        returned=latest_returns(judged),
    )
