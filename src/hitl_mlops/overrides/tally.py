"""What a collection brought, summed over its pages."""

from __future__ import annotations

from dataclasses import dataclass, field

from hitl_mlops.overrides.decide import Step
from hitl_mlops.overrides.record import AnswerState, Collected, Resolution, ScreenedAnswer


@dataclass(slots=True)
class Tally:
    """Counts while pages come in. Only what was kept is added."""

    pages: int = 0
    pulled: int = 0
    new: int = 0
    accepted: int = 0
    superseded: int = 0
    quarantined: list[ScreenedAnswer] = field(default_factory=list)
    resolved: dict[str, Resolution] = field(default_factory=dict)
    withdrawn: list[str] = field(default_factory=list)
    disagreements: set[str] = field(default_factory=set)
    ties: set[str] = field(default_factory=set)

    def add(self, step: Step) -> None:
        """The step counts; what an earlier page said of the same tickets is overtaken."""
        self.pages += 1
        self.pulled += step.pulled
        self.new += len(step.new)
        self.accepted += sum(one.state is AnswerState.ACCEPTED for one in step.new)
        self.superseded += sum(one.state is AnswerState.SUPERSEDED for one in step.changed)
        self.quarantined += [ScreenedAnswer(one.answer, one.reasons) for one in step.new if one.reasons]
        for taken in step.settled.withdrawn:
            if self.resolved.pop(taken.resolution_id, None) is None:
                self.withdrawn.append(taken.resolution_id)
        self.resolved |= {one.resolution_id: one for one in step.settled.made}
        touched = {one.answer.ticket_id for one in (*step.new, *step.changed)}
        self.disagreements = (self.disagreements - touched) | set(step.settled.disagreements)
        self.ties = (self.ties - touched) | set(step.settled.ties)

    def collected(self) -> Collected:
        """The sum."""
        return Collected(
            pulled=self.pulled,
            new=self.new,
            accepted=self.accepted,
            quarantined=tuple(self.quarantined),
            resolved=tuple(self.resolved.values()),
            disagreements=tuple(sorted(self.disagreements)),
            withdrawn=tuple(self.withdrawn),
            ties=tuple(sorted(self.ties)),
            superseded=self.superseded,
        )
