"""What spoke for a model's answer, and what against it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MOST_PARTS = 8
"""Parts that are told: more are not read."""


class ExplainedBy(StrEnum):
    """How it was found out."""

    LINEAR = "linear"
    """Coefficient times standardised value, for the answer less the next likeliest class, in log-odds."""
    OCCLUSION = "occlusion"
    """What the answer's probability loses when the part is put out of sight."""
    SHAP = "shap"
    """Shapley value of the part, in probability of the answer."""


@dataclass(frozen=True, slots=True)
class Part:
    """A column, a word or a region of a picture.

    Attributes:
        name: column or word; of a region where it lies, `row 2, column 5`.
        value: as it stands in the case; empty for words and regions.
        weight: above 0 it spoke for the answer, below 0 against it; the unit is that of the method.
    """

    name: str
    value: str
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """What spoke for an answer.

    Attributes:
        method: how it was found out.
        against: the next likeliest class, against which the answer was weighed.
        parts: the strongest, at most eight, strongest first; none weighs 0.
        heat: of a picture, rows of cells from above; what spoke for the answer in each, in parts of the
            strongest, in [-1, 1]. Empty for what is no picture.
    """

    method: ExplainedBy
    against: str
    parts: tuple[Part, ...]
    heat: tuple[tuple[float, ...], ...] = ()


def strongest(parts: list[Part]) -> tuple[Part, ...]:
    """Those that weigh most either way, at most eight, none of weight 0; ties by name.

    >>> [part.name for part in strongest([Part("a", "", 0.1), Part("b", "", -0.4), Part("c", "", 0.0)])]
    ['b', 'a']
    """
    return tuple(sorted((one for one in parts if one.weight), key=lambda one: (-abs(one.weight), one.name)))[
        :MOST_PARTS
    ]
