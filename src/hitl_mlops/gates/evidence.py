"""All that is known of a challenger when it is judged: values, gathered before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from hitl_mlops.errors import InputError
from hitl_mlops.gates.measures import Drift

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class JudgedCases:
    """Cases that both models answered now, one row each; base data and live decisions together.

    Attributes:
        truth: what people resolved, or the label of the base data; read only where `labelled`.
        challenger: the challenger's answers.
        challenger_confidence: of those answers, in [0, 1].
        champion: the champion's answers; None where there is no champion.
        pi: probability with which the case was to be labelled, in (0, 1]; 1 for base data.
        labelled: there is a truth.
        held_back: the challenger did not learn from this case, nor from another of its subject.
        live: it was a live decision, not base data.
        slices: column → value of each case, as text.
        complete: all cases of the time are here, labelled or not. Then a case on which both models agree
            speaks without a label, and few labels go a long way; False: only labelled ones were gathered.
    """

    truth: TextArray
    challenger: TextArray
    challenger_confidence: FloatArray
    champion: TextArray | None
    pi: FloatArray
    labelled: BoolArray
    held_back: BoolArray
    live: BoolArray
    slices: Mapping[str, TextArray] = field(default_factory=dict)
    complete: bool = False

    def __post_init__(self) -> None:
        columns = {
            "truth": self.truth,
            "challenger": self.challenger,
            "challenger_confidence": self.challenger_confidence,
            "champion": self.challenger if self.champion is None else self.champion,
            "pi": self.pi,
            "labelled": self.labelled,
            "held_back": self.held_back,
            "live": self.live,
            **self.slices,
        }
        odd = {name: len(column) for name, column in columns.items() if len(column) != len(self.truth)}
        if odd:
            raise InputError(
                f"Evidence of {len(self.truth)} cases has columns of other lengths: {odd}.",
                remedy="Give one value per case in every column.",
            )

    def __len__(self) -> int:
        return len(self.truth)

    def where(self, chosen: BoolArray) -> JudgedCases:
        """The chosen rows."""
        return JudgedCases(
            truth=self.truth[chosen],
            challenger=self.challenger[chosen],
            challenger_confidence=self.challenger_confidence[chosen],
            champion=None if self.champion is None else self.champion[chosen],
            pi=self.pi[chosen],
            labelled=self.labelled[chosen],
            held_back=self.held_back[chosen],
            live=self.live[chosen],
            slices={name: values[chosen] for name, values in self.slices.items()},
            complete=self.complete,
        )

    @property
    def differs(self) -> BoolArray:
        """The models' answers differ; without a champion none do."""
        return np.asarray(self.champion != self.challenger, dtype=np.bool_) & (self.champion is not None)

    @property
    def known(self) -> BoolArray:
        """It is known which model was wrong or that none was more wrong: labelled, or complete and agreed."""
        return self.labelled | ~self.differs if self.complete else self.labelled

    @property
    def challenger_wrong(self) -> BoolArray:
        """The challenger's answer is not the truth; means nothing where there is none."""
        return np.asarray(self.challenger != self.truth, dtype=np.bool_)

    @property
    def champion_wrong(self) -> BoolArray:
        """The champion's answer is not the truth; without a champion none is."""
        if self.champion is None:
            return np.zeros(len(self), dtype=np.bool_)
        return np.asarray(self.champion != self.truth, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class GoldenResult:
    """What both models said of a fixed set of cases that neither ever learned from.

    Attributes:
        challenger_wrong: per case.
        champion_wrong: per case, in the same order; None where there is no champion.
    """

    challenger_wrong: BoolArray
    champion_wrong: BoolArray | None


@dataclass(frozen=True, slots=True)
class LabelQuality:
    """How good the labels are that it learned from.

    Attributes:
        answers: revisions collected since the champion's dataset.
        quarantined: of those, the ones the screen refused.
        labels: resolutions that came of the others.
        reviewers: distinct people behind them.
    """

    answers: int
    quarantined: int
    labels: int
    reviewers: int


@dataclass(frozen=True, slots=True)
class ChallengerEvidence:
    """One challenger, and all that is known of it.

    Attributes:
        model_version: the challenger.
        model_digest: its bytes.
        champion: what it is compared with; None for the first.
        dataset_digest: what it learned from.
        classes: labels it can answer.
        cases: base data and live decisions; the judge reads only the held-back rows.
        overlap: subjects that stand both in what it learned from and in the held-back rows.
        label_quality: of the labels; None where none were collected.
        golden: the fixed set; None where the project keeps none.
        drift: what moved between what the champion learned from and what came since; None: not measured.
    """

    model_version: str
    model_digest: str
    champion: str | None
    dataset_digest: str
    classes: tuple[str, ...]
    cases: JudgedCases
    overlap: int = 0
    label_quality: LabelQuality | None = None
    golden: GoldenResult | None = None
    drift: Drift | None = None
