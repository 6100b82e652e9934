"""Where a rollout stands and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Stage(StrEnum):
    """How far a challenger has come."""

    SHADOW = "shadow"
    CANARY = "canary"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    ABORTED = "aborted"


LIVE = frozenset({Stage.SHADOW, Stage.CANARY})
"""Stages in which the challenger still sees cases."""


class Action(StrEnum):
    """What a step decided."""

    HOLD = "hold"
    ADVANCE = "advance"
    PROMOTE = "promote"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True)
class Rollout:
    """One challenger's way.

    Attributes:
        rollout_id: stable for challenger, champion and start.
        champion: version that serves beside it.
        champion_digest: its bytes.
        challenger: version on trial.
        challenger_digest: its bytes.
        stage: how far it has come.
        share_percent: share of subjects it answers, 0 in the shadow, 100 when promoted.
        started_at: when it began.
        stage_at: when this stage and share began.
        forced: a person sent it past the gates, with a reason.
        reason: why it stands where it stands, one sentence.
        brought_back: a person brought it back in place of the champion that had been promoted over it.
    """

    rollout_id: str
    champion: str
    champion_digest: str
    challenger: str
    challenger_digest: str
    stage: Stage
    share_percent: float
    started_at: datetime
    stage_at: datetime
    forced: bool = False
    reason: str = ""
    brought_back: bool = False

    @property
    def live(self) -> bool:
        """The challenger still sees cases."""
        return self.stage in LIVE

    @property
    def has_one_before(self) -> bool:
        """Another version was champion before this one, and was not brought back for it."""
        return bool(self.champion) and not self.brought_back


class Source(StrEnum):
    """How it is known how often reviewers err."""

    ASSUMED = "assumed"
    POLICY = "policy"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class ReviewerError:
    """How often a label is wrong at the most.

    Attributes:
        upper: upper bound of the rate, in [0, 0.5).
        source: how it is known.
        pairs: cases that two people judged.
        differed: of those, the ones on which they differed.
    """

    upper: float = 0.0
    source: Source = Source.ASSUMED
    pairs: int = 0
    differed: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of challenger against champion at one look; valid at every look (Ville).

    Attributes:
        cases: cases both models answered since the start.
        agreed: of those, the ones where both said the same: D = 0 without a label.
        labels: disagreements that people resolved.
        pending: disagreements that still wait for people.
        challenger_wrong: of the labelled, the ones the challenger got wrong.
        champion_wrong: of the labelled, the ones the champion got wrong.
        promote_e: e-value against "challenger is worse by the margin or more".
        rollback_e: e-value against "challenger is no worse".
        promote_at: promote when `promote_e` has reached this.
        rollback_at: roll back when `rollback_e` has reached this.
        served: decisions the challenger answered itself at the present share.
        history: (labels so far, promote_e, rollback_e) after every label, for the drawing.
        awaited: ids of the decisions that are pending, oldest first.
        margin: how much worse the challenger may be by the policy.
        bet_against: that margin, shrunk by as much as reviewers' errors hide.
        reviewers: how often their labels are wrong at the most, and how that is known.
        tried: cases the challenger was to answer itself since the start.
        unanswered: of those, the ones it failed on or was too slow for.
        unanswered_e: e-value against "it leaves no more unanswered than the policy allows".
    """

    cases: int
    agreed: int
    labels: int
    pending: int
    challenger_wrong: int
    champion_wrong: int
    promote_e: float
    rollback_e: float
    promote_at: float
    rollback_at: float
    served: int
    history: tuple[tuple[int, float, float], ...] = ()
    awaited: tuple[str, ...] = ()
    margin: float = 0.0
    bet_against: float = 0.0
    reviewers: ReviewerError = ReviewerError()
    tried: int = 0
    unanswered: int = 0
    unanswered_e: float = 1.0
