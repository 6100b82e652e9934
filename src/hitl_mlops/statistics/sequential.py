"""Evidence that may be looked at after every label: e-processes by betting.

A bet on "the mean is smaller than the margin" multiplies a stake of 1 by a factor whose mean is at most 1
when the claim is false. By Ville's inequality the stake then reaches 1/alpha at *any* time with probability
at most alpha, so one may look after every label and stop when one likes.

Source: Waudby-Smith & Ramdas (2024), *Estimating means of bounded random variables by betting*,
J. R. Stat. Soc. B 86(1).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from hitl_mlops.errors import InputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

STAKES = np.geomspace(0.02, 0.9, 12)
"""Bets as fractions of the largest one that cannot lose all: small ones for small effects."""

_LARGEST_LOG = 700.0  # e-values stay finite, so that they can be written as JSON


def non_inferiority_e(
    differences: npt.ArrayLike,
    margin: float,
    *,
    agreed: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    bound: float = 1.0,
) -> FloatArray:
    """The e-process against H0 "the challenger is worse by the margin or more", E[D] ≥ δ.

    The mean over a grid of λ of ∏(1 + λ(δ - D_t)), with 0 < λ < 1/(bound - δ) so that every factor stays
    positive. Promote when it has reached 1/alpha.

    Args:
        differences: D = challenger wrong - champion wrong of each labelled case, in [-1, 1], in the order in
            which the labels came; shape (n,), or (runs, n) for many processes at once.
        margin: δ, the loss that would still be accepted, in [0, bound).
        agreed: shape (n + 1,): how many cases on which both models agree stand before the first difference,
            between one and the next, and after the last (`agreed_between`). None: none. They are zeros
            without a label and speak for the challenger, by (1 + λδ) each.
        weights: 1/π of each case where cases were drawn with probability π; None: 1.
        bound: the largest |D·weight| that can occur; 1 without weights.

    Returns:
        Shape (n + 1,): element i is the e-value after i differences and the agreed cases that follow them;
        the last is the present one. Without any case: [1.0]. Finite always.

    Raises:
        InputError: a difference is NaN or beyond the bound, the margin is outside [0, bound), or a shape
            does not fit.

    >>> non_inferiority_e([], 0.01)
    array([1.])
    >>> float(non_inferiority_e([0.0] * 400, 0.01)[-1].round(1))  # 400 cases, all agreed
    6.0
    >>> float(non_inferiority_e([], 0.01, agreed=[400])[-1].round(1))  # the same in closed form
    6.0
    """
    _require_margin(margin, bound)
    values = _bounded(differences, weights, bound)
    zeros = _zero_counts(agreed, values.shape)
    bets = STAKES / (bound - margin)
    steps = (_with_start(np.log1p(bet * (margin - values))) + zeros * np.log1p(bet * margin) for bet in bets)
    return _mean_of_products(steps, values.shape)


def harm_e(
    differences: npt.ArrayLike,
    *,
    margin: float = 0.0,
    agreed: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    bound: float = 1.0,
) -> FloatArray:
    """The e-process against H0 "the challenger is no worse" by more than the margin, E[D] ≤ margin: harm.

    The mean over a grid of λ of ∏(1 + λ(D_t - margin)), 0 < λ < 1/(bound + margin). Without a margin agreed
    cases do not move it; with one they speak for the challenger and must be given. Roll back when it has
    reached 1/alpha_rollback. Arguments, result and errors as in `non_inferiority_e`.

    >>> harm_e([]), harm_e([0, 0])
    (array([1.]), array([1., 1., 1.]))
    >>> float(harm_e([1] * 10)[-1].round(1))  # wrong ten times where the champion was right
    69.3
    >>> float(harm_e([1] * 10, margin=0.01, agreed=[100] + [0] * 10)[-1].round(2))  # ten of 110 cases
    29.27
    """
    _require_margin(margin, bound)
    values = _bounded(differences, weights, bound)
    zeros = _zero_counts(agreed, values.shape)
    bets = STAKES / (bound + margin)
    steps = (_with_start(np.log1p(bet * (values - margin))) + zeros * np.log1p(-bet * margin) for bet in bets)
    return _mean_of_products(steps, values.shape)


def agreed_between(disagreed: npt.ArrayLike, labels: int) -> IntArray:
    """Agreed cases that may be credited to the first labels; shape (labels + 1,).

    Disagreements that still wait for a label must not let the agreed cases behind them count, or silence
    would promote. So the i-th label to arrive is credited with the agreed cases before the i-th
    disagreement in the order of the cases; what follows the (labels + 1)-th disagreement waits. This keeps
    the process valid as long as the order in which labels arrive does not depend on what they say.

    Args:
        disagreed: True where the two models differ, in the order of the cases, shape (cases,).
        labels: how many of the disagreements have a label so far.

    Raises:
        InputError: more labels than disagreements.

    >>> agreed_between([False, False, True, False, True, False], labels=1)
    array([2, 1])
    >>> agreed_between([False, False, True, False, True, False], labels=2)
    array([2, 1, 1])
    """
    differs = np.asarray(disagreed, dtype=np.bool_)
    places = np.flatnonzero(differs)
    if not 0 <= labels <= places.size:
        raise InputError(
            f"{labels} labels cannot belong to {places.size} disagreements.",
            remedy="Count each disagreement's label once.",
            labels=labels,
            disagreements=int(places.size),
        )
    ends = np.append(places, differs.size)[: labels + 1]
    return np.asarray(np.diff(ends, prepend=-1) - 1, dtype=np.int64)


def two_arm_differences(
    wrong: npt.ArrayLike, challenger: npt.ArrayLike, share: npt.ArrayLike, pi: npt.ArrayLike
) -> FloatArray:
    """D of a two-arm canary, where each case was answered by one model only; same shape as `wrong`.

    A wrong answer of the challenger counts +1/(share·π), one of the champion -1/((1 - share)·π): the mean
    is the difference of the two error rates (Horvitz & Thompson 1952). Cases that were not to be reviewed,
    or were right, are zeros; so `wrong` is False for both. Bound of the process: the largest of those
    weights that the shares and the floor of π allow.

    Args:
        wrong: the answer was reviewed and wrong.
        challenger: the challenger answered.
        share: the challenger's share of subjects at that time, in (0, 1).
        pi: probability with which the case was to be reviewed, in (0, 1].

    Raises:
        InputError: a share or π is outside its range, or NaN.

    >>> two_arm_differences([True, True, False], [True, False, True], 0.5, 0.25)
    array([ 8., -8.,  0.])
    """
    shares, chances = np.asarray(share, dtype=np.float64), np.asarray(pi, dtype=np.float64)
    if not (np.all((shares > 0) & (shares < 1)) and np.all((chances > 0) & (chances <= 1))):
        raise InputError(
            "A canary share or a review probability is outside its range.",
            remedy="Shares lie in (0, 1) and review probabilities in (0, 1]; leave other cases out.",
        )
    failed = np.asarray(wrong, dtype=np.bool_)
    signed = np.where(np.asarray(challenger, dtype=np.bool_), 1 / shares, -1 / (1 - shares))
    return np.asarray(np.where(failed, signed / chances, 0.0), dtype=np.float64)


def shrunk_margin(margin: float, reviewer_error_upper: float) -> float:
    """The margin to bet against when people err too: δ·(1 - 2e).

    With reviewers who are wrong in a share e of cases, the observed D shrinks towards 0 by about 1 - 2e,
    which would favour a bad challenger.

    Args:
        margin: δ between the true error rates.
        reviewer_error_upper: upper confidence bound of the reviewers' error rate, in [0, 0.5).

    Raises:
        InputError: the bound is NaN or not in [0, 0.5): such labels tell nothing.

    >>> round(shrunk_margin(0.01, 0.05), 4)
    0.009
    """
    if not 0 <= reviewer_error_upper < 0.5:  # noqa: PLR2004 - a coin
        raise InputError(
            f"Reviewers who err in up to {reviewer_error_upper:.0%} of cases can prove nothing.",
            remedy="Have the disagreements adjudicated, or measure their error with calibration items.",
            reviewer_error_upper=reviewer_error_upper,
        )
    return margin * (1 - 2 * reviewer_error_upper)


def error_behind_disagreement(differed: int, pairs: int, *, alpha: float = 0.05) -> float:
    """Upper bound of people's error rate e, from cases that two of them judged, each for himself.

    Two who err apart differ in at least 2e(1 - e) of cases; that is solved for the upper bound of the
    share in which they differed (Clopper & Pearson 1934). Errors that people share are not seen.

    Args:
        differed: pairs of answers that differ, 0 … pairs.
        pairs: how many cases two people judged.
        alpha: chance at the most that the true rate lies above.

    Returns:
        A rate in [0, 0.5]; without any pair 0.5: nothing is known.

    >>> round(error_behind_disagreement(10, 200), 3), error_behind_disagreement(0, 0)
    (0.044, 0.5)
    """
    from scipy.stats import beta

    share = 1.0 if differed >= pairs else float(beta.ppf(1 - alpha, differed + 1, pairs - differed))
    return 0.5 if share >= 0.5 else (1 - (1 - 2 * share) ** 0.5) / 2  # noqa: PLR2004 - a coin


def first_crossing(path: npt.ArrayLike, alpha: float) -> int | None:
    """The first place at which an e-process has reached 1/alpha; None if it never did. NaN never reaches it.

    A crossing stays one though the process falls afterwards: that is what Ville's inequality covers.

    >>> first_crossing([1.0, 5.0, 21.0, 3.0], alpha=0.05), first_crossing([1.0], alpha=0.05)
    (2, None)
    """
    reached = np.flatnonzero(np.asarray(path, dtype=np.float64) >= 1 / alpha)
    return int(reached[0]) if reached.size else None


def _mean_of_products(steps: Iterable[FloatArray], shape: tuple[int, ...]) -> FloatArray:
    """Mean over bets of exp(cumulated log factors), kept in logarithms; one bet in memory at a time."""
    total = np.full((*shape[:-1], shape[-1] + 1), -np.inf)
    for logs in steps:
        total = np.logaddexp(total, np.cumsum(logs, axis=-1))
    return np.asarray(np.exp(np.minimum(total - np.log(STAKES.size), _LARGEST_LOG)))


def _with_start(logs: FloatArray) -> FloatArray:
    return np.concatenate([np.zeros((*logs.shape[:-1], 1)), logs], axis=-1)


def _require_margin(margin: float, bound: float) -> None:
    if not 0 <= margin < bound:
        raise InputError(
            f"The margin {margin} is not in [0, {bound}).",
            remedy="Set rollout.shadow.margin in policy.yaml to a small share such as 0.01.",
            margin=margin,
        )


def _bounded(differences: npt.ArrayLike, weights: npt.ArrayLike | None, bound: float) -> FloatArray:
    values = np.asarray(differences, dtype=np.float64)
    if weights is not None:
        values = values * np.asarray(weights, dtype=np.float64)
    if not np.all(np.abs(values) <= bound * (1 + 1e-12)):  # NaN fails this too
        raise InputError(
            f"A difference is missing or beyond ±{bound:g}.",
            remedy="Leave unresolved cases out, and give the bound that 1/π allows.",
            bound=bound,
        )
    return np.clip(values, -bound, bound)


def _zero_counts(agreed: npt.ArrayLike | None, shape: tuple[int, ...]) -> FloatArray:
    expected = (*shape[:-1], shape[-1] + 1)
    if agreed is None:
        return np.zeros(expected)
    counts = np.asarray(agreed, dtype=np.float64)
    if counts.shape != expected or not np.all(counts >= 0):
        raise InputError(
            f"Counts of agreed cases have shape {counts.shape} where {expected} is needed, none negative.",
            remedy="Give one count before each difference and one after the last.",
        )
    return counts
