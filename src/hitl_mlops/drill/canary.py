"""A challenger in the canary of a drill: cases come, people answer where the models differ, and one looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter

from hitl_mlops.decisions.record import Decision
from hitl_mlops.drill.room import Room, automatic
from hitl_mlops.rollout.state import Evidence, Rollout

BATCH, WIDE_BATCH = 100, 250
"""Cases between two looks: fewer once the evidence of harm has come near to its bound."""
NEAR = 0.1
"""What share of the bound that is."""


@dataclass(slots=True)
class Canary:
    """What has become of the challenger so far.

    Attributes:
        version: its name.
        answered: decisions that it made.
        harmed: of those, the automatic ones that are wrong.
        answers: what people answered, whether the models differed or not.
        verdict_s: from the last answers on the desk to the first batch after them.
    """

    version: str
    answered: list[Decision] = field(default_factory=list)
    harmed: int = 0
    answers: int = 0
    verdict_s: float = 0.0

    def count(self, room: Room, decisions: tuple[Decision, ...]) -> None:
        """What it answered of these is counted."""
        its = [one for one in decisions if one.model_version == self.version]
        truths = room.truths(its)
        self.answered += its
        self.harmed += sum(one.label != truths[one.decision_id] for one in automatic(its))


def stream(room: Room, canary: Canary, most: int, *, looks: bool = True) -> tuple[Rollout, Evidence]:
    """Cases came, and people answered what they were asked, until the rollout ended or no more come.

    With `looks` each collection is followed by a look, as the flow `advance_rollout` takes it.
    """
    until = room.arrived + most
    _, evidence = standing(room)
    while True:
        near = evidence.rollback_e >= NEAR * evidence.rollback_at
        batch = room.decide(room.draw(BATCH if near else WIDE_BATCH))
        canary.count(room, batch)
        canary.answers += room.answer_all(batch)
        began = perf_counter()
        room.project.collect()
        if looks and standing(room)[0].live:
            room.project.step_rollout()
        rollout, evidence = standing(room)
        if not rollout.live:
            after = room.decide(room.draw(BATCH))
            canary.verdict_s = perf_counter() - began
            canary.count(room, after)
            its = sum(one.model_version == canary.version for one in after)
            room.minutes.demand(
                "once it is rolled back, it answers nothing", limit="0 decisions", found=its, met=its == 0
            )
            return rollout, evidence
        if room.arrived >= until:
            return rollout, evidence


def standing(room: Room) -> tuple[Rollout, Evidence]:
    """Where the latest rollout stands."""
    rollout, evidence = room.project.rollout_status()
    assert rollout is not None  # noqa: S101 - one was started
    assert evidence is not None  # noqa: S101 - it compares two models
    return rollout, evidence
