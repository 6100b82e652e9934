"""How a decision stands: what the model, people and whoever took it back add up to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hitl_mlops.decisions.record import Decision
from hitl_mlops.recourse.record import How, TakenBack
from hitl_mlops.routing.policy import Intervention


class State(StrEnum):
    """Whether the application may act."""

    RELEASED = "released"
    """The model decided and the policy lets it: act on `label`."""
    WITH_PEOPLE = "with_people"
    """People are asked: do not act. `label` is null until they have decided."""
    RESOLVED = "resolved"
    """People have decided: act on `label`."""
    REJECTED = "rejected"
    """Nobody decided in time: do not act, and wait no longer."""
    HALTED = "halted"
    """A person stopped it while it ran: do not go on."""
    REVERSED = "reversed"
    """A person took it back: undo it."""


class Resolved(Protocol):
    """What people decided: a resolution."""

    @property
    def resolution_id(self) -> str:
        """Its id."""
        ...

    @property
    def label(self) -> str:
        """The class they gave."""
        ...

    @property
    def resolved_at(self) -> datetime:
        """When."""
        ...


class Over(Protocol):
    """Nobody answered in time."""

    @property
    def move_id(self) -> str:
        """Id of the step that ended it."""
        ...

    @property
    def at(self) -> datetime:
        """When."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """How a decision stands.

    Attributes:
        state: who has it.
        label: what holds; None while nothing does.
        since: since when people have had their word, or had their time; None where they have not.
        cause: what their word was: id of the resolution, `halted` or `reversed`, or of the step that ended
            their time; empty where they had none.
    """

    state: State
    label: str | None
    since: datetime | None
    cause: str = ""

    @property
    def act(self) -> bool:
        """The application may act on the label now."""
        return self.state in (State.RELEASED, State.RESOLVED)


def standing(
    decision: Decision, resolution: Resolved | None, taken: TakenBack | None, over: Over | None = None
) -> Standing:
    """What holds of the decision.

    Whoever took it back has the last word, then people, also those who answered too late, then the clock,
    then the model where the policy releases it. A spot check looks like any released decision.
    """
    if taken is not None:
        state = State.HALTED if taken.how is How.HALTED else State.REVERSED
        return Standing(state, None, taken.word.at, taken.how.value)
    if resolution is not None:
        said = resolution
        return Standing(State.RESOLVED, said.label, said.resolved_at, said.resolution_id)
    if decision.to_review and not decision.spot_check:
        if over is not None:
            return Standing(State.REJECTED, None, over.at, over.move_id)
        return Standing(State.WITH_PEOPLE, None, None)
    return Standing(State.RELEASED, decision.label, None)


def may_change(decision: Decision, now: Standing, moment: datetime) -> bool:
    """Whether people may still change how it stands, as far as the application may know.

    They may while they have it, while it runs, and while it can be reversed.
    """
    if now.state is not State.RELEASED:
        return now.state is State.WITH_PEOPLE
    until = decision.reversible_until
    return decision.intervention is Intervention.DURING if until is None else moment <= until
