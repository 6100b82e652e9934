"""What champion and challenger said of the same cases, read from the log's blocks column by column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from hitl_mlops.decisions.block import ARMS, Block, id_of
from hitl_mlops.decisions.cases import microseconds, moment_of
from hitl_mlops.decisions.record import Arm
from hitl_mlops.rollout.state import Rollout

_CHALLENGER = ARMS.index(Arm.CHALLENGER)
_BOTH_SPOKE, _TRIED = "both_spoke", "tried"
_ROW = np.dtype(
    [
        ("at", "<i8"),
        ("key", ">u8"),
        ("rest", ">u4"),
        ("champion", "<i8"),
        ("challenger", "<i8"),
        (_BOTH_SPOKE, np.bool_),
        (_TRIED, np.bool_),
    ]
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Both models on one case.

    Attributes:
        decision_id: the decision.
        at: when the case was decided.
        champion: label of the champion; empty where it gave no usable answer.
        challenger: label of the challenger; empty likewise.
        truth: the label people gave; None while nobody has.
        resolved_at: when they gave it.
    """

    decision_id: str
    at: datetime
    champion: str
    challenger: str
    truth: str | None = None
    resolved_at: datetime | None = None

    @property
    def agreed(self) -> bool:
        """Both say the same: D = 0 whatever the truth, no label is needed."""
        return self.champion == self.challenger

    @property
    def difference(self) -> int:
        """Challenger wrong minus champion wrong, -1, 0 or 1; 0 where both say the same."""
        return int(self.challenger != self.truth) - int(self.champion != self.truth)


@dataclass(frozen=True, slots=True)
class Compared:
    """What is known of two models before anybody is asked.

    Attributes:
        differs: whether the two differ, for each case on which both spoke, in the order of decision.
        disagreements: those on which they do, in that order, without truth.
        served: cases that the challenger was to answer itself at the present share.
        unanswered: whether it gave no usable answer, for each case that it was to answer since the start.
    """

    differs: npt.NDArray[np.bool_]
    disagreements: tuple[Pair, ...]
    served: int
    unanswered: npt.NDArray[np.bool_]


def compare(rollout: Rollout, blocks: Iterable[Block]) -> Compared:
    """What the two models of the rollout said of the cases in the blocks decided since its start.

    Cases come in the order of their decision, those of one moment by decision id. A case on which only one of
    the two spoke is left out, as is one that another model answered.
    """
    words: dict[str, int] = {"": 0}
    read = [_rows(rollout, block, words) for block in blocks if block.at >= rollout.started_at]
    rows = np.concatenate([np.empty(0, _ROW), *read])
    rows = rows[np.lexsort((rows["rest"], rows["key"], rows["at"]))]
    seen, tried = rows[rows[_BOTH_SPOKE]], rows[rows[_TRIED]]
    differs = seen["champion"] != seen["challenger"]
    return Compared(
        differs,
        _pairs(seen[differs], list(words)),
        served=int((tried["at"] >= microseconds(rollout.stage_at)).sum()),
        unanswered=tried["challenger"] == words[""],
    )


def _rows(rollout: Rollout, block: Block, words: dict[str, int]) -> npt.NDArray[np.void]:
    """The block's rows with both labels as places among the words, which grow by those that are new."""
    stored, models = block.rows, block.header["models"]
    ours = {rollout.champion: 0, rollout.challenger: 1}
    who = np.array([*(ours.get(model["version"], -1) for model in models), -1])
    places = [
        np.array([*(words.setdefault(name, len(words)) for name in model["classes"]), words[""]])
        for model in models
    ]
    speaker, silent = stored["model"].astype(np.intp), stored["shadow_model"].astype(np.intp)
    said = _labels(places, speaker, stored["label"], words[""])
    beside = _labels(places, silent, stored["shadow_label"], words[""])
    by_challenger = stored["arm"] == _CHALLENGER
    rows = np.empty(len(stored), _ROW)
    rows["at"] = microseconds(block.at)
    rows["key"] = np.ascontiguousarray(stored["key"][:, :8]).view(">u8")[:, 0]
    rows["rest"] = np.ascontiguousarray(stored["key"][:, 8:12]).view(">u4")[:, 0]
    rows["champion"] = np.where(by_challenger, beside, said)
    rows["challenger"] = np.where(by_challenger, said, beside)
    rows[_TRIED] = by_challenger & (who[speaker] == 1)
    rows[_BOTH_SPOKE] = (who[speaker] == by_challenger) & (who[silent] == 1 - by_challenger.astype(np.intp))
    return rows


def _labels(
    places: Sequence[npt.NDArray[np.intp]],
    model: npt.NDArray[np.intp],
    label: npt.NDArray[np.int32],
    nothing: int,
) -> npt.NDArray[np.intp]:
    """The word of each label among the classes of the model that said it; `nothing` where nobody did."""
    found = np.full(len(model), nothing, dtype=np.intp)
    for number, words in enumerate(places):
        mine = model == number
        found[mine] = words[label[mine]]
    return found


def _pairs(rows: npt.NDArray[np.void], words: Sequence[str]) -> tuple[Pair, ...]:
    keys = [
        int(key).to_bytes(8) + int(rest).to_bytes(4)
        for key, rest in zip(rows["key"], rows["rest"], strict=True)
    ]
    said = zip(keys, rows["at"].tolist(), rows["champion"], rows["challenger"], strict=True)
    return tuple(
        Pair(id_of(key), moment_of(at), words[champion], words[challenger])
        for key, at, champion, challenger in said
    )
