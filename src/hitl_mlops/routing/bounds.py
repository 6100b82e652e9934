"""What a policy binds beside the confidence: law, actions, outputs, costs, and a weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from hitl_mlops.routing.conditions import Condition

Amount: TypeAlias = float | str
"""A number, or the column that holds it."""


@dataclass(frozen=True, slots=True)
class Regulation:
    """A rule of law or of the house. All that fit apply, whatever the confidence; never towards less.

    Attributes:
        name: what the decision's reasons call it.
        law: where it is written, such as "GDPR Art. 9"; empty where nowhere.
        when: the cases it is about; in doubt it is about them.
        at_least: the least route it demands.
    """

    name: str
    law: str
    when: Condition
    at_least: str

    @property
    def title(self) -> str:
        """Name and reference, for people."""
        return f"{self.name} ({self.law})" if self.law else self.name


@dataclass(frozen=True, slots=True)
class Permission:
    """Classes that a model may carry out by itself.

    Attributes:
        may: the classes.
        model: the versions that may; empty: each.
        when: the cases it is given for; None: all. In doubt it is not given.
    """

    may: tuple[str, ...]
    model: tuple[str, ...] = ()
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class OutputRule:
    """A rule of the business about what the model says.

    Attributes:
        name: what the decision's reasons call it.
        when: the answers it is about: all of these hold; none: each answer. In doubt it is about them.
        must: what must hold of them; in doubt it does not.
        route: where one goes that breaks it; None: the policy's closed route.
    """

    name: str
    when: tuple[Condition, ...]
    must: Condition
    route: str | None = None


@dataclass(frozen=True, slots=True)
class Outputs:
    """What no model may say by itself: prohibited classes, and broken rules."""

    prohibited: tuple[str, ...] = ()
    rules: tuple[OutputRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Costs:
    """What mistakes and reviews cost, in one unit of the owner's.

    Attributes:
        wrong: class → what it costs to carry it out where it is wrong, ≥ 0.
        wrong_default: the same of every other class; None: unknown, so people decide.
        review: what a review costs, ≥ 0; None: not weighed.
        budget: the most that a decision without people may be expected to cost; None: no bound.
        route: where a case goes that is too dear to leave to the model.
    """

    wrong: Mapping[str, Amount]
    wrong_default: Amount | None
    review: float | None
    budget: float | None
    route: str


@dataclass(frozen=True, slots=True)
class Factor:
    """One reason for which a case weighs more, with its share in the impact.

    Attributes:
        name: what the decision's reasons call it.
        weight: > 0; the impact is the weighted mean of all factors.
        when: it counts in full where this holds, else not at all; None: `of` counts.
        of: a column that counts linearly, 0 at `start` or beyond, 1 at `end` or beyond.
        start: value of the column that counts nothing.
        end: value that counts in full.
    """

    name: str
    weight: float
    when: Condition | None = None
    of: str = ""
    start: float = 0.0
    end: float = 1.0


@dataclass(frozen=True, slots=True)
class Impact:
    """What hangs on a case as a score in [0, 1]: by weighted factors, or by a function of the user's."""

    factors: tuple[Factor, ...] = ()
    model: str | None = None
