"""A threshold with a guarantee: at most so many of all decisions are automatic and wrong.

Learn-then-Test (Angelopoulos, Bates, Candes, Jordan & Lei 2021, *Learn then test: calibrating predictive
algorithms to achieve risk control*): each threshold is a hypothesis "more than the target slip here", with a
valid p-value. Thresholds are tested from the strictest on, each at the full delta, until the first that is
not rejected (fixed sequence testing: Bauer 1991, *Multiple testing in clinical trials*). A false promise
needs the first true hypothesis of that order to be rejected, which happens with probability delta at most.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from hitl_mlops.errors import InputError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

THRESHOLDS: FloatArray = np.concatenate(
    [np.arange(10_000, 9_990, -1) / 10_000, np.arange(999, -1, -1) / 1_000]
)
"""What is tested, the strictest first: fixed before any data are seen, which the guarantee needs."""

MOST_TIMES = 1_000
"""Data that would have to be a thousand times as many are told as never enough."""

_STAKES = np.arange(1, 1_000) / 1_000
_SURE_OF_A_GAP = 5.0  # standard deviations; by chance about once in three million


@dataclass(frozen=True, slots=True)
class PastDecisions:
    """Decisions of one model and what people said of them; arrays of one length, in any order.

    Attributes:
        confidence: in [0, 1], higher is surer.
        wrong: people say it was wrong; False where there is no label.
        reviewed: it has a label.
        awaited: it was to be reviewed and has no label yet. It counts as wrong until it has one.
        pi: probability, fixed at routing, with which it was to be reviewed, in (0, 1].
        eligible: automatic where the confidence suffices; the others never are, and count as decisions.
        floor: the smallest pi that could have been given, in (0, 1].
    """

    confidence: FloatArray
    wrong: BoolArray
    reviewed: BoolArray
    awaited: BoolArray
    pi: FloatArray
    eligible: BoolArray
    floor: float

    def automatic(self, threshold: float) -> BoolArray:
        """Which decisions are automatic from that confidence on."""
        return self.eligible & (self.confidence >= threshold)


@dataclass(frozen=True, slots=True)
class Certificate:
    """The lowest threshold that is proven.

    Attributes:
        threshold: automatic from this confidence on; None where none is proven that lets anything through.
        proven: each threshold in turn: rejected, and every stricter one with it. Shape (thresholds,).
        p_values: of "more than the target slip at this threshold". Shape (thresholds,).
        thresholds: descending.
        exact: by binomial tails; otherwise by a bet.
    """

    threshold: float | None
    proven: BoolArray
    p_values: FloatArray
    thresholds: FloatArray
    exact: bool


def past_decisions(
    confidence: npt.ArrayLike,
    wrong: npt.ArrayLike,
    reviewed: npt.ArrayLike | None = None,
    pi: npt.ArrayLike | None = None,
    *,
    eligible: npt.ArrayLike | None = None,
    awaited: npt.ArrayLike | None = None,
    floor: float | None = None,
) -> PastDecisions:
    """The arrays, checked; by default every decision was reviewed, with pi = 1.

    A decision with pi = 1 and no label counts as awaited. Without `floor` it is the smallest pi given.

    Raises:
        InputError: shapes differ; a confidence is NaN or outside [0, 1]; a pi is outside (0, 1] or below the
            floor; a reviewed decision is neither right nor wrong; or far fewer were reviewed or are awaited
            than pi says, so that labels must be missing from the data.
    """
    sure = np.asarray(confidence, dtype=np.float64)
    chances = np.ones_like(sure) if pi is None else np.asarray(pi, dtype=np.float64)
    seen = np.ones(sure.shape, dtype=np.bool_) if reviewed is None else np.asarray(reviewed, dtype=np.bool_)
    waits = np.zeros_like(seen) if awaited is None else np.asarray(awaited, dtype=np.bool_)
    may = np.ones_like(seen) if eligible is None else np.asarray(eligible, dtype=np.bool_)
    failed = np.asarray(wrong, dtype=np.float64)
    if len({part.shape for part in (sure, failed, seen, waits, chances, may)}) > 1:
        raise InputError("The columns of the decisions differ in shape.", remedy="Give one value of each.")
    smallest = float(chances.min(initial=1.0)) if floor is None else floor
    _require_values(sure, failed[seen], chances, smallest)
    waits = ~seen & (waits | (chances == 1))
    _require_reviews(seen | waits, chances)
    return PastDecisions(sure, seen & (failed > 0), seen, waits, chances, may, smallest)


def certify(
    past: PastDecisions, *, target: float, delta: float, thresholds: FloatArray = THRESHOLDS
) -> Certificate:
    """The lowest threshold at which the slip rate is at most `target`, with probability 1 - delta or more.

    A slip is a decision that is automatic *and* wrong; its rate is over all decisions. The probability is
    over the draw of the past decisions, for future ones like them. Where two thresholds let the same
    decisions through, the stricter is given.

    Args:
        past: decisions that are independent and alike, whose pi does not depend on being wrong.
        target: slip rate, in (0, 1).
        delta: probability of a false promise, in (0, 1).
        thresholds: descending, and chosen without looking at the labels.

    Raises:
        InputError: target or delta is outside (0, 1), or the thresholds do not descend.

    >>> almost, enough = (past_decisions([0.9] * count, [False] * count) for count in (298, 299))
    >>> certify(almost, target=0.01, delta=0.05).threshold  # 0.99^298 = 0.0500…, still above 0.05
    >>> certify(enough, target=0.01, delta=0.05).threshold  # 0.99^299 = 0.0495
    0.9
    """
    _require_targets(target, delta, thresholds)
    p_values = slip_p_values(past, target=target, delta=delta, thresholds=thresholds)
    proven = np.logical_and.accumulate(p_values <= delta)
    if not past.reviewed.any():
        proven = np.zeros_like(proven)
    last = int(proven.sum()) - 1
    let_through = _counts_from(past.confidence[past.eligible], thresholds)
    found = None
    if last >= 0 and let_through[last] > 0:
        found = float(thresholds[np.searchsorted(let_through, let_through[last])])
    return Certificate(found, proven, p_values, thresholds, _exact(past))


def slip_p_values(
    past: PastDecisions,
    *,
    target: float,
    delta: float,
    thresholds: FloatArray = THRESHOLDS,
    times: float = 1.0,
) -> FloatArray:
    """A valid p-value of "the slip rate is `target` or more" for each threshold; shape (thresholds,).

    Where pi is the same everywhere: binomial tails, exact. Else by a bet on slips weighted by 1/pi (Horvitz
    & Thompson 1952), which lie in [0, 1/floor] and have the slip rate as their mean: see `fixed_bet`.

    Args:
        past: the decisions.
        target: slip rate, in (0, 1).
        delta: level for which the bet is chosen; the p-value is valid at every level.
        thresholds: descending.
        times: as if everything had been seen so many times; for planning only.

    >>> one_slip = past_decisions([0.9] * 500, [True] + [False] * 499)
    >>> slip_p_values(one_slip, target=0.01, delta=0.05, thresholds=np.array([0.95, 0.9])).round(4)
    array([0.0066, 0.0398])
    """
    slipped = past.eligible & (past.awaited | past.wrong)
    order = np.argsort(-past.confidence[slipped], kind="stable")
    counts = _counts_from(past.confidence[slipped], thresholds)
    decisions = past.confidence.size * times
    if _exact(past):
        return np.asarray(binom.cdf(np.floor(counts * times), np.floor(decisions), target * past.floor))
    bet = fixed_bet(decisions, target=target, delta=delta, floor=past.floor)
    won = np.log1p(bet * target)
    lost = np.log1p(bet * (target - 1 / past.pi[slipped][order])) - won
    stakes = decisions * won + times * np.concatenate([[0.0], np.cumsum(lost)])[counts]
    return np.asarray(np.exp(-np.maximum(stakes, 0.0)))


def fixed_bet(decisions: float, *, target: float, delta: float, floor: float) -> float:
    """The share of a stake of 1 put on "fewer than the target slip", fixed before any label is seen.

    Each decision multiplies the stake by 1 + bet * (target - slip/pi). That is never negative, and its mean
    is at most 1 where the slip rate is the target or more; so is the mean of the product, and by Markov's
    inequality the stake reaches 1/delta with probability delta at most: one over the stake is a p-value
    (Waudby-Smith & Ramdas 2024, *Estimating means of bounded random variables by betting*, with a constant
    bet). Of all constant bets it is the one that still wins with the most slips of weight 1/floor among so
    many decisions: at level delta never weaker than Hoeffding's (1963) bound.

    >>> bet = fixed_bet(20_000, target=0.01, delta=0.05, floor=0.03)
    >>> round(bet * (1 / 0.03 - 0.01), 3)  # part of the stake that one slip among the spot checks costs
    0.813
    """
    largest = 1 / floor
    bets = _STAKES / (largest - target)
    won = np.log1p(bets * target)
    bears = (decisions * won + np.log(delta)) / (won - np.log1p(bets * (target - largest)))
    return float(bets[np.argmax(bears)])


def decisions_needed(past: PastDecisions, threshold: float, *, target: float, delta: float) -> int | None:
    """How many decisions like these prove the threshold, all told; None where a thousand times these do not.

    An estimate for planning: it takes slips to go on as seen so far.

    >>> decisions_needed(past_decisions([0.9] * 100, [False] * 100), 0.9, target=0.01, delta=0.05)
    299
    """
    count, at = past.confidence.size, np.array([threshold])

    def proves(decisions: int) -> bool:
        times = decisions / count
        return bool(slip_p_values(past, target=target, delta=delta, thresholds=at, times=times)[0] <= delta)

    if count == 0 or not past.reviewed.any():
        return None
    sizes = range(count, MOST_TIMES * count + 1)
    place = bisect_left(sizes, x=True, key=proves)
    return sizes[place] if place < len(sizes) else None


def _exact(past: PastDecisions) -> bool:
    """Every decision was to be reviewed with the same probability: reviewed slips are binomial."""
    return bool(np.all(past.pi == past.floor))


def _counts_from(confidence: FloatArray, thresholds: FloatArray) -> IntArray:
    """How many confidences are at or above each threshold."""
    below = np.searchsorted(np.sort(confidence), thresholds, side="left")
    return np.asarray(confidence.size - below, dtype=np.int64)


def _require_values(sure: FloatArray, failed: FloatArray, chances: FloatArray, floor: float) -> None:
    if not np.all((sure >= 0) & (sure <= 1)):
        raise InputError(
            "A confidence is missing or outside [0, 1].",
            remedy="Leave out decisions on which the model gave no usable answer.",
        )
    if not np.all((chances > 0) & (chances <= 1)):
        raise InputError(
            "A decision has no review probability in (0, 1].",
            remedy="Use only decisions whose probability was fixed at routing.",
        )
    if not 0 < floor <= chances.min(initial=1.0):
        raise InputError(
            f"The floor {floor:g} of the review probability is not in (0, {chances.min(initial=1.0):g}].",
            remedy="Give the smallest probability that the policy can fix.",
        )
    if not np.all((failed == 0) | (failed == 1)):
        raise InputError(
            "A reviewed decision is neither right nor wrong.", remedy="Leave unresolved decisions unreviewed."
        )


def _require_reviews(drawn: BoolArray, chances: FloatArray) -> None:
    """Decisions that were drawn and then lost would pass for right ones."""
    expected, spread = chances.sum(), np.sqrt((chances * (1 - chances)).sum())
    if expected - drawn.sum() > _SURE_OF_A_GAP * spread + 1e-9 * expected:
        raise InputError(
            f"{int(drawn.sum())} decisions are reviewed or awaited where the probabilities say "
            f"about {expected:.0f}.",
            remedy="Mark those that were drawn for review and have no label yet as awaited.",
            drawn=int(drawn.sum()),
            expected=float(expected),
        )


def _require_targets(target: float, delta: float, thresholds: FloatArray) -> None:
    for name, value in (("target", target), ("delta", delta)):
        if not 0 < value < 1:
            raise InputError(f"The {name} {value:g} is not in (0, 1).", remedy="Write a share such as 0.01.")
    if thresholds.size == 0 or np.any(np.diff(thresholds) >= 0):
        raise InputError("The thresholds do not descend.", remedy="Give them from the strictest on.")
