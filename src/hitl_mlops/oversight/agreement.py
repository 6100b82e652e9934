"""How far people agree, and the classes on which they do not. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

import numpy as np

from hitl_mlops.oversight.answered import Answered
from hitl_mlops.review.ticket import SAMPLED, TicketKind
from hitl_mlops.statistics.agreement import (
    Agreement,
    alpha_by_class,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
)

LATEST = 5_000
ASKED_APART = frozenset({*SAMPLED, TicketKind.SHADOW, TicketKind.LEARNING})
"""Kinds whose people are not asked because others differed."""


@dataclass(frozen=True, slots=True)
class Both:
    """One ticket that two people or more answered.

    Attributes:
        decision_id: what it asked about.
        first: who answered first, and the class they gave.
        second: who answered next, and the class they gave. A third is asked only where two differ.
        at: when the second answered.
    """

    decision_id: str
    first: tuple[str, str]
    second: tuple[str, str]
    at: datetime

    @property
    def labels(self) -> tuple[str, str]:
        """What both said."""
        return self.first[1], self.second[1]

    @property
    def differ(self) -> bool:
        """They gave two classes."""
        return self.first[1] != self.second[1]


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two people: ids in order, cases that both answered, Cohen's kappa; None where none is possible."""

    people: tuple[str, str]
    cases: int
    kappa: float | None


@dataclass(frozen=True, slots=True)
class AgreementFigures:
    """How far people agree.

    Attributes:
        overall: Krippendorff's alpha, over the first two answers of each ticket.
        fleiss: Fleiss' kappa of the same answers; None where none is possible.
        pairs: Cohen's kappa of each two people who answered the same tickets.
        by_class: class → alpha of "this class, or another"; `units` counts the cases it was given to.
    """

    overall: Agreement
    fleiss: float | None
    pairs: tuple[PairAgreement, ...]
    by_class: Mapping[str, Agreement]


def answered_by_two(answers: Iterable[Answered]) -> list[Both]:
    """The tickets that two answered with a class each, by the time of the second, then decision.

    Of more than 5,000 the latest.
    """
    on_ticket: dict[str, dict[str, Answered]] = defaultdict(dict)
    for one in sorted(answers, key=lambda each: (each.answered_at, each.key)):
        if one.kind in ASKED_APART and one.label is not None and not one.escalated:
            on_ticket[one.ticket_id].setdefault(one.person, one)
    found = []
    for ones in on_ticket.values():
        if len(ones) > 1:
            first, second = list(ones.values())[:2]
            said = [(one.person, str(one.label)) for one in (first, second)]
            found.append(Both(first.decision_id, said[0], said[1], second.answered_at))
    return sorted(found, key=lambda one: (one.at, one.decision_id))[-LATEST:]


def agreement_figures(both: Sequence[Both]) -> AgreementFigures:
    """How far people agree on these."""
    units = [one.labels for one in both]
    by_class = {str(name): found for name, found in alpha_by_class(units).items()}
    return AgreementFigures(krippendorff_alpha(units), _fleiss(units), tuple(_pairs(both)), by_class)


def _fleiss(units: Sequence[tuple[str, str]]) -> float | None:
    names = {name: place for place, name in enumerate(sorted({one for unit in units for one in unit}))}
    counts = np.zeros((len(units), len(names)))
    for row, unit in enumerate(units):
        np.add.at(counts[row], [names[one] for one in unit], 1.0)
    found = fleiss_kappa(counts)
    return None if found is None else round(found, 6)


def _pairs(both: Iterable[Both]) -> Iterable[PairAgreement]:
    """Each two people, by id."""
    cases: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for one in both:
        for (name, said), (other, said_too) in combinations(sorted((one.first, one.second)), 2):
            cases[name, other].append((said, said_too))
    for people, found in sorted(cases.items()):
        kappa = cohen_kappa([one for one, _ in found], [one for _, one in found])
        yield PairAgreement(people, len(found), None if kappa is None else round(kappa, 6))
