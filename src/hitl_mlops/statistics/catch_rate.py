"""Whether a reviewer still checks: evidence from secret seeds, which may be looked at after every one.

A seed is a question whose suggestion is known to be wrong. Whoever stamps confirms it; a good model hides
that from every rate of overrides, as there is little to overrule.

Source: Wald (1945), *Sequential tests of statistical hypotheses*, as a mixture over alternatives (Robbins
1970, *Statistical methods related to the law of the iterated logarithm*); by Ville's inequality it may be
looked at all the time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hitl_mlops.errors import InputError

FloatArray = npt.NDArray[np.float64]

PROMISED = 0.8
"""The share of wrong suggestions that a reviewer is to catch."""
ALARM_ALPHA = 0.01
"""The chance at the most that one who does is ever suspected."""
_ALTERNATIVES = 15
_LARGEST_LOG = 700.0  # e-values stay finite, so that they can be written as JSON


def stamping_e(caught: npt.ArrayLike, *, promised: float = PROMISED) -> FloatArray:
    """The e-process against H0 "the reviewer catches the promised share of wrong suggestions, or more".

    The mean, over catch rates spread evenly below the promised one, of how much likelier what was seen is at
    that rate than at the promised. Whoever keeps the promise reaches 1/alpha with probability alpha at the
    most, whenever one looks. It suspects; a person talks to the reviewer.

    Args:
        caught: whether each seed was caught, in their order; shape (n,), or (runs, n) for many at once.
        promised: the share, in (0, 1).

    Returns:
        Shape (n + 1,): element i is the e-value after i seeds; [1.0] without any. Finite always.

    Raises:
        InputError: the share is not in (0, 1).

    >>> stamping_e([]), float(stamping_e([False] * 4)[-1].round(1))  # four of four confirmed
    (array([1.]), 155.8)
    """
    if not 0 < promised < 1:
        raise InputError(
            f"Nobody can promise to catch a share of {promised}.", remedy="Give one between 0 and 1."
        )
    seen = np.asarray(caught, dtype=np.bool_)
    total = np.full((*seen.shape[:-1], seen.shape[-1] + 1), -np.inf)
    for rate in promised * (np.arange(_ALTERNATIVES) + 0.5) / _ALTERNATIVES:
        steps = np.where(seen, np.log(rate / promised), np.log((1 - rate) / (1 - promised)))
        path = np.concatenate([np.zeros((*seen.shape[:-1], 1)), np.cumsum(steps, axis=-1)], axis=-1)
        total = np.logaddexp(total, path)
    return np.asarray(np.exp(np.minimum(total - np.log(_ALTERNATIVES), _LARGEST_LOG)))
