"""A policy on trial beside the one in force: what it is, and which subjects it routes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from hitl_mlops.errors import RefusedError
from hitl_mlops.ids import keyed_fraction
from hitl_mlops.rollout.state import Rollout
from hitl_mlops.routing.attributes import DISAGREEMENT
from hitl_mlops.routing.policy import Policy
from hitl_mlops.routing.policy_file import parse_policy


@dataclass(frozen=True, slots=True)
class Trial:
    """One policy's way, by the machinery of rollouts.

    Attributes:
        way: how far it has come: `champion` is the hash of the policy in force, `challenger` its own, shares
            are of subjects; promoted means proven, as only a person puts a policy in force.
        file: the file that it was read from.
        text: what that file said when the trial began; what it says later changes nothing.
    """

    way: Rollout
    file: str
    text: str

    @property
    def policy(self) -> Policy:
        """The policy on trial."""
        return _parsed(self.text, self.file)

    def stands_beside(self, in_force: Policy) -> bool:
        """It is still compared with the policy that it was started beside."""
        return self.way.live and self.way.champion == in_force.hash

    def routes(self, key: bytes, subjects: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which subjects go by the policy on trial; shape (len(subjects),).

        Sticky: the same subject goes by the same policy all through a trial, and stays with the one on trial
        when the share grows.
        """
        drawn = {each: keyed_fraction(key, self.way.rollout_id, each) for each in dict.fromkeys(subjects)}
        return np.array([drawn[each] * 100 < self.way.share_percent for each in subjects], dtype=bool)


@lru_cache(maxsize=4)
def _parsed(text: str, file: str) -> Policy:
    return parse_policy(text, file)


def demand_comparable(new: Policy, in_force: Policy, kept: Collection[str]) -> None:
    """The new policy can be tried beside the one in force: they differ in routes and in what asks for them.

    Args:
        new: the policy to be tried.
        in_force: the one that decides now.
        kept: columns that are kept of every case.

    Raises:
        RefusedError: both say the same, the guards differ, or it reads what is not recorded.
    """
    if new.hash == in_force.hash:
        raise RefusedError(
            "Both policies say the same.", remedy="Change the routes, the rules or the spot checks of one."
        )
    if new.section("guards") != in_force.section("guards"):
        raise RefusedError(
            "The policies have other guards, which are for all cases alike.",
            remedy="Write the section guards as it is in the policy in force.",
        )
    unknown = sorted({*new.kept} - {*kept})
    if DISAGREEMENT in new.reads or DISAGREEMENT in in_force.reads or unknown:
        raise RefusedError(
            f"The policies read what is not kept with a decision: {', '.join(unknown) or DISAGREEMENT}.",
            remedy="Leave it out, or have the policy in force read it first (hitl policy check).",
            missing=unknown,
        )
