"""How much each person's word weighs, as people were found to err; fixed for a ticket when it is opened.

Chances by Bayes' rule: of a class, its share times, for each answer, how often that person says what they
said of that class. Source: Dawid & Skene (1979), see `statistics.crowd`; the weighted method is its one-coin
form, in which a person errs as often in each class (Nitzan & Paroush 1982, *Optimal decision rules in
uncertain dichotomous choice situations*).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from hitl_mlops.ids import content_id
from hitl_mlops.statistics.crowd import Labels, dawid_skene

FEWEST_ITEMS = 50
"""With fewer cases that several people answered, nobody is known well enough to weigh more than others."""
RAREST = 0.005
"""No mistake is taken to be rarer than this: a few hundred answers cannot prove that it never happens."""


class Weighing(StrEnum):
    """What decides where people differ."""

    MAJORITY = "majority"
    WEIGHTED = "weighted"
    """Each counts by how often they are right."""
    DAWID_SKENE = "dawid_skene"
    """Each counts by how often they say which class of which."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What the answers to tickets opened from a time on are weighed with.

    Attributes:
        since: from when on tickets are opened that it holds for.
        method: how it weighs.
        certainty: the least chance at which a class is taken, in (0.5, 1].
        classes: the classes known when it was made.
        shares: how often each class is right, sums to 1; in the order of `classes`.
        people: roster id → chance that they say a class (inner) of a case of a class (outer).
        anybody: the same of somebody of whom nothing is known.
    """

    since: datetime
    method: Weighing
    certainty: float
    classes: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    people: Mapping[str, tuple[tuple[float, ...], ...]] | None = None
    anybody: tuple[tuple[float, ...], ...] = ()

    @property
    def scale_id(self) -> str:
        """Content hash of all it says."""
        people = {name: [list(row) for row in matrix] for name, matrix in (self.people or {}).items()}
        said = [self.since.isoformat(), self.method.value, self.certainty, list(self.classes)]
        return content_id("sc", [*said, list(self.shares), people, [list(row) for row in self.anybody]])

    def chances(self, said: Iterable[tuple[str, str]]) -> dict[str, float] | None:
        """Class → the chance that it is right, by what people said; None where a class is not known to it.

        Args:
            said: (person, class) of each answer, each person once.
        """
        logs = np.log(np.maximum(self.shares, RAREST))
        for person, label in said:
            if label not in self.classes:
                return None
            matrix = np.asarray((self.people or {}).get(person, self.anybody))
            logs = logs + np.log(np.maximum(self._counted(matrix)[:, self.classes.index(label)], RAREST))
        chances = np.exp(logs - logs.max())
        return dict(zip(self.classes, (chances / chances.sum()).tolist(), strict=True))

    def _counted(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        if self.method is not Weighing.WEIGHTED:
            return matrix
        right = float(np.diag(matrix) @ np.asarray(self.shares))
        others = max(len(self.classes) - 1, 1)
        return np.where(np.eye(len(matrix), dtype=bool), right, (1 - right) / others)


def make_scale(
    said: Sequence[tuple[str, str, str]], method: Weighing, certainty: float, *, now: datetime
) -> Scale | None:
    """How people were found to err; None where too few cases were answered by several.

    Args:
        said: (decision, person, class) of the answers that count, each person once for a decision.
        method: how answers are to be weighed.
        certainty: the least chance at which a class is to be taken.
        now: from when on it holds.
    """
    answers = Counter(decision for decision, _, _ in said)
    several = [one for one in said if answers[one[0]] > 1]
    items, people, classes = (sorted({one[place] for one in several}) for place in range(3))
    if len(items) < FEWEST_ITEMS or len(classes) < 2:  # noqa: PLR2004 - one class leaves nothing to weigh
        return None
    columns = (items, people, classes)
    places = [{name: place for place, name in enumerate(names)} for names in columns]
    of, who, what = (np.array([places[at][one[at]] for one in several], dtype=np.int64) for at in range(3))
    found = dawid_skene(Labels(of, who, what, len(items), len(people), len(classes)))
    shares = np.bincount(who, minlength=len(people)) / len(several)
    return Scale(
        since=now,
        method=method,
        certainty=certainty,
        classes=tuple(classes),
        shares=_plain(found.shares),
        people={name: _matrix(found.confusion[place]) for place, name in enumerate(people)},
        anybody=_matrix(np.einsum("p,pkl->kl", shares, found.confusion)),
    )


def _plain(row: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(one), 6) for one in row)


def _matrix(rows: npt.NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    return tuple(_plain(row) for row in rows)
