"""All that is known of a challenger when it is judged: values, gathered before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from hitl_mlops.errors import InputError
from hitl_mlops.gates.measures import Drift
from hitl_mlops.statistics.agreement import Agreement

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
        groups: protected column → group of each case; None where it is not known.
        complete: all cases of the time are here, labelled or not. Then a case on which both models agree
            speaks without a label, and few labels go a long way; False: only labelled ones were gathered.
        champion_confidence: of the champion's answers, in [0, 1]; None: not asked for.
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
    groups: Mapping[str, TextArray] = field(default_factory=dict)
    complete: bool = False
    champion_confidence: FloatArray | None = None

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
            **self.groups,
        }
        if self.champion_confidence is not None:
            columns["champion_confidence"] = self.champion_confidence
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
        sure = self.champion_confidence
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
            groups={name: values[chosen] for name, values in self.groups.items()},
            complete=self.complete,
            champion_confidence=None if sure is None else sure[chosen],
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
class FixedSet:
    """What both models said of a fixed set of labelled cases that neither ever learned from.

    Attributes:
        challenger_wrong: per case.
        champion_wrong: per case, in the same order; None where there is no champion.
        source: where the cases come from.
        learned: cases that were left out, since their inputs stand in what it may have learned from.
    """

    challenger_wrong: BoolArray
    champion_wrong: BoolArray | None
    source: str = ""
    learned: int = 0


@dataclass(frozen=True, slots=True)
class ReviewerHealth:
    """How one reviewer's answers stand beside the screen and beside other people's. Without a name.

    Attributes:
        answers: revisions that count.
        refused: of those, the ones the screen refused.
        compared: accepted answers on tickets that somebody else answered too.
        differed: of those, the ones with another label than the resolution.
    """

    answers: int
    refused: int
    compared: int = 0
    differed: int = 0


@dataclass(frozen=True, slots=True)
class LabelQuality:
    """How good the labels are that it learned from.

    Attributes:
        answers: revisions collected since the champion's dataset.
        quarantined: of those, the ones the screen refused.
        labels: resolutions that came of the others.
        reviewers: distinct people behind them.
        agreement: between the first two people who answered the same ticket; None where nobody did.
        health: one row per account that answered.
    """

    answers: int
    quarantined: int
    labels: int
    reviewers: int
    agreement: Agreement | None = None
    health: tuple[ReviewerHealth, ...] = ()


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What the data tell of themselves.

    Attributes:
        leaks: input column → mean recall over all classes of the best guess from it alone, in [0, 1].
        duplicates: held-back cases whose inputs also stand in what it may have learned from.
        held_back: held-back cases that were looked at.
        learned: class → rows that the challenger may have learned from.
        learned_before: class → rows that the champion may have learned from; empty where unknown.
    """

    leaks: Mapping[str, float] = field(default_factory=dict)
    duplicates: int = 0
    held_back: int = 0
    learned: Mapping[str, int] = field(default_factory=dict)
    learned_before: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a model takes, measured on this machine while it was judged.

    Attributes:
        rows: cases it was timed on.
        alone_ms: milliseconds for a case asked alone, the 95th of 100.
        batch_ms: milliseconds for a case in a batch.
        size_bytes: of its stored files; None where unknown.
    """

    rows: int
    alone_ms: float
    batch_ms: float
    size_bytes: int | None = None


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
        stress: the hard cases; None where the project keeps none and reviewers marked none.
        data: what the data tell of themselves; None: not looked at.
        drift: what moved between what the champion learned from and what came since; None: not measured.
        footprint: what it takes; None: not measured.
        champion_footprint: what the champion takes; None: not measured.
    """

    model_version: str
    model_digest: str
    champion: str | None
    dataset_digest: str
    classes: tuple[str, ...]
    cases: JudgedCases
    overlap: int = 0
    label_quality: LabelQuality | None = None
    golden: FixedSet | None = None
    stress: FixedSet | None = None
    data: DataFacts | None = None
    drift: Drift | None = None
    footprint: Footprint | None = None
    champion_footprint: Footprint | None = None
