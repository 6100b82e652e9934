"""Which models answer now, and which of the two answers whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hitl_mlops.decisions.model import Model
from hitl_mlops.errors import ConfigurationError
from hitl_mlops.ids import keyed_fraction


@dataclass(frozen=True, slots=True)
class Serving:
    """The models that are live.

    While there is a challenger both models see every case; the one that does not answer speaks in the shadow.

    Attributes:
        champion: answers whom the challenger does not.
        challenger: the model on trial; None outside a rollout.
        share_percent: share of subjects the challenger answers, 0 … 100.
        rollout_id: the rollout; who falls into the share is drawn anew for each.
    """

    champion: Model
    challenger: Model | None = None
    share_percent: float = 0.0
    rollout_id: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.share_percent <= 100:  # noqa: PLR2004 - percent
            raise ConfigurationError(
                f"A share of {self.share_percent} % is none.", remedy="Give a share between 0 and 100."
            )
        if self.challenger is not None and not self.rollout_id:
            raise ConfigurationError("A challenger without a rollout.", remedy="Give the rollout's id.")

    def challenger_answers(self, key: bytes, subjects: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which subjects the challenger answers; shape (len(subjects),).

        Sticky: the same subject falls to the same side all through a rollout, and stays on the challenger's
        side when the share grows.
        """
        if self.challenger is None or self.share_percent == 0:
            return np.zeros(len(subjects), dtype=bool)
        drawn = {each: keyed_fraction(key, self.rollout_id, each) for each in dict.fromkeys(subjects)}
        return np.array([drawn[each] * 100 < self.share_percent for each in subjects], dtype=bool)
