"""Whether what comes in now still looks like what the champion learned from; an alarm starts a retraining."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from hitl_mlops.gates.measures import Drift, Measures


@dataclass(frozen=True, slots=True)
class DriftPolicy:
    """When drift is an alarm.

    Attributes:
        min_rows: fewer rows on either side tell nothing.
        share: alarm when this share of columns moved, in (0, 1].
        recent: how many of the latest cases are looked at, at most.
    """

    min_rows: int = 100
    share: float = 0.3
    recent: int = 2_000


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """What one check found.

    Attributes:
        project: name of the project.
        alarm: somebody, or a flow, should act.
        share: share of columns that moved, in [0, 1]; None where too few rows were there.
        drifted: names of the columns that moved.
        reference_rows: rows that the champion learned from.
        current_rows: cases that came in since.
        reason: one sentence.
    """

    project: str
    alarm: bool
    share: float | None
    drifted: tuple[str, ...]
    reference_rows: int
    current_rows: int
    reason: str


def check(
    project: str, reference: pd.DataFrame, current: pd.DataFrame, measures: Measures, policy: DriftPolicy
) -> tuple[DriftCheck, Drift | None]:
    """What the measures say of the two samples, and whether it is an alarm; the drift where measured."""
    rows = (len(reference), len(current))
    if min(rows) < policy.min_rows:
        reason = (
            f"Too few rows to tell: {rows[0]} learned from, {rows[1]} since; {policy.min_rows} are needed."
        )
        return DriftCheck(project, False, None, (), rows[0], rows[1], reason), None  # noqa: FBT003
    drift = measures.drift(reference, current)
    alarm = drift.share >= policy.share
    word = "Drift" if alarm else "No alarm"
    reason = (
        f"{word}: {len(drift.drifted)} of {len(drift.columns)} columns moved "
        f"({drift.share:.0%}; alarm at {policy.share:.0%})."
    )
    found = DriftCheck(project, alarm, drift.share, drift.drifted, rows[0], rows[1], reason)
    return found, drift
