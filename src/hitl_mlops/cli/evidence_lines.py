"""How the evidence of a rollout is drawn with letters, and what is said beside it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, isfinite, log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hitl_mlops.rollout.policy import RolloutPolicy
    from hitl_mlops.rollout.state import Evidence, Rollout

PROMOTE, HARM, BOTH, BOUND = "●", "○", "◆", "┄"
WIDTH, HEIGHT = 60, 11
LOWEST, HIGHEST = 0.01, 1e6
"""What lies beyond is drawn at the edge."""
FEWEST_FOR_A_PACE = 10
_ENDED = {"promoted": "champion", "rolled_back": "rolled back", "aborted": "aborted"}


def ladder(rollout: Rollout, stages: Sequence[float]) -> str:
    """The way from the shadow to champion, with the place where the rollout stands in brackets.

    >>> from datetime import UTC, datetime
    >>> from hitl_mlops.rollout.state import Rollout, Stage
    >>> at = datetime(2026, 3, 1, tzinfo=UTC)
    >>> ladder(Rollout("ro", "1", "", "2", "", Stage.CANARY, 5.0, at, at), [1, 5, 100])
    'shadow → 1 % → [5 %] → 100 % → champion'
    """
    rungs = ["shadow", *(f"{share:g} %" for share in stages), "champion"]
    stage = rollout.stage.value
    here = f"{rollout.share_percent:g} %" if stage == "canary" else _ENDED.get(stage, stage)
    if here not in rungs:
        rungs.append(here)
    return " → ".join(f"[{one}]" if one == here else one for one in rungs)


def curves(evidence: Evidence, *, width: int = WIDTH, height: int = HEIGHT) -> list[str]:
    """Both e-values after every label on a log scale, with the bounds; one string a line.

    Empty where there is no label yet. Of several labels in one column the highest value is drawn, as the
    highest ever reached is what counts.
    """
    history = evidence.history
    if len(history) < 2:  # noqa: PLR2004 - the start alone
        return []
    promote = _columns([row[1] for row in history], width)
    harm = _columns([row[2] for row in history], width)
    bounds = (evidence.promote_at, evidence.rollback_at)
    low, high = min(*promote, *harm, 0.5), max(*promote, *harm, *bounds)
    rows = [[" "] * len(promote) for _ in range(height)]
    for bound in bounds:
        rows[_row(bound, low, high, height)] = [BOUND] * len(promote)
    for column, (up, down) in enumerate(zip(promote, harm, strict=True)):
        above, below = _row(up, low, high, height), _row(down, low, high, height)
        rows[below][column] = HARM
        rows[above][column] = BOTH if above == below else PROMOTE
    names = {_row(1.0, low, high, height): "1", 0: f"{high:.3g}", height - 1: f"{low:.2g}"}
    names |= {_row(bound, low, high, height): f"{bound:.3g}" for bound in bounds}
    lines = [f"{names.get(place, ''):>9} │{''.join(row)}" for place, row in enumerate(rows)]
    axis = f"{'':>9} └{'─' * len(promote)}"
    under = f"{'':>11}0{history[-1][0]:>{max(1, len(promote) - 1)}} labels"
    return [*lines, axis, under, f"{'':>11}{PROMOTE} not worse, {HARM} harm, {BOTH} both; {BOUND} the bounds"]


def _columns(values: Sequence[float], width: int) -> list[float]:
    """So many values at the most, each the highest of those that share a column."""
    size = ceil(len(values) / width)
    clean = [min(max(value, LOWEST), HIGHEST) if isfinite(value) else LOWEST for value in values]
    return [max(clean[start : start + size]) for start in range(0, len(clean), size)]


def _row(value: float, low: float, high: float, height: int) -> int:
    """The line from above on which the value lies."""
    up = (log(value) - log(low)) / (log(high) - log(low))
    return round((height - 1) * (1 - min(1.0, max(0.0, up))))


def margin_line(evidence: Evidence) -> str:
    """What is bet against, and why it is less than the margin."""
    reviewers = evidence.reviewers
    if not reviewers.upper:
        return f"The margin is {_points(evidence.margin)}; labels are taken to be right."
    why = {
        "assumed": "assumed, as nothing measures more",
        "policy": "says the policy",
        "measured": f"measured: two people differed on {reviewers.differed} of {reviewers.pairs} cases",
    }[reviewers.source.value]
    return (
        f"The margin is {_points(evidence.margin)}, shrunk to {100 * evidence.bet_against:.3g}: "
        f"up to {reviewers.upper:.1%} of the labels may be wrong ({why})."
    )


def _points(share: float) -> str:
    return f"{100 * share:.3g} point{'' if round(100 * share, 6) == 1 else 's'}"


def still_needed(rollout: Rollout, evidence: Evidence, policy: RolloutPolicy) -> Iterator[str]:
    """What the live rollout needs before it goes on, a line each."""
    if not evidence.promote_e >= evidence.promote_at:
        pace = _labels_to_go(evidence)
        about = f", about {pace} labels more at the pace so far" if pace else ""
        yield f"evidence {evidence.promote_e:.3g} of {evidence.promote_at:g}{about}"
    if rollout.stage.value == "canary" and evidence.served < policy.at_least:
        yield (
            f"{policy.at_least - evidence.served} decisions more that it answers itself at "
            f"{rollout.share_percent:g} % ({evidence.served} of {policy.at_least})"
        )
    if evidence.pending:
        yield f"labels of {evidence.pending} disagreements, else what came after them does not count"


def _labels_to_go(evidence: Evidence) -> int:
    """How many labels more it takes at the pace so far; 0 where that cannot be told."""
    now = evidence.history[-1][1] if evidence.history else 1.0
    if evidence.labels < FEWEST_FOR_A_PACE or not 1 < now < evidence.promote_at:
        return 0
    a_label = log(now) / evidence.labels
    return ceil((log(evidence.promote_at) - log(now)) / a_label)
