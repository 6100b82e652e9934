"""The decision table: findings in, an answer with its reasons out. Pure.

| what was found | answer |
|---|---|
| decisions are bad, widespread or who knows where, and severe | contain: all to people, roll back, retrain |
| decisions are bad in slices | pause those slices, ask people about samples of them, retrain |
| decisions are bad, widespread, not severe | queue a retraining |
| drift, enough overrides, or the schedule | queue a retraining |
| nothing fired, a figure is unknown | a person should look |
| nothing fired, every figure is known | nothing |

What is asked for stays asked for while it is not done. Only the retraining itself waits: for the cool-down to
pass, and for something new to learn from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from hitl_mlops.routing.switches import EVERYTHING
from hitl_mlops.triggers.findings import HARMS, Finding, Readings, State
from hitl_mlops.triggers.policy import Act, RetrainPolicy


class Answer(IntEnum):
    """What is to be done, the stricter the higher."""

    NOTHING = 0
    LOOK = 1
    """A person should look: a figure is unknown."""
    QUEUE = 2
    """A retraining is queued."""
    PAUSE = 3
    """Slices go to people; samples of them are asked about; a retraining is queued."""
    CONTAIN = 4
    """Everything goes to people and what is on trial is rolled back; a retraining is queued."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do.

    Attributes:
        act: what.
        scope: of which decisions, as a switch names them; empty where it is not of decisions.
        automatic: it is done without asking; else a person is told.
        waits: why it is not done now; empty: it is.
    """

    act: Act
    scope: str = ""
    automatic: bool = False
    waits: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """What one look came to.

    Attributes:
        answer: what is to be done.
        tasks: the acts, in the order in which they are done.
        findings: what every trigger said.
        reasons: a sentence for everything that fired or is unknown, and for what waits.
        at: when.
    """

    answer: Answer
    tasks: tuple[Task, ...]
    findings: tuple[Finding, ...]
    reasons: tuple[str, ...]
    at: datetime

    @property
    def unknown(self) -> tuple[str, ...]:
        """Triggers whose figure is missing."""
        return tuple(one.trigger.value for one in self.findings if one.state is State.UNKNOWN)

    @property
    def fired(self) -> tuple[str, ...]:
        """Triggers that spoke for acting."""
        return tuple(one.trigger.value for one in self.findings if one.fired)

    def has(self, act: Act, *, automatic: bool = True) -> bool:
        """The act is to be done now, without asking or by a person."""
        return any(one.act is act and one.automatic is automatic and not one.waits for one in self.tasks)


@dataclass(frozen=True, slots=True)
class Memory:
    """What earlier looks left.

    Attributes:
        standing: names of the triggers that had fired at the last look.
        retrained_at: when a challenger last learned; None: never.
        frozen: scopes of the switches that are on.
        live: a rollout is under way.
        before: another model was champion before the present one, and can be brought back.
    """

    standing: frozenset[str] = frozenset()
    retrained_at: datetime | None = None
    frozen: frozenset[str] = frozenset()
    live: bool = False
    before: bool = False


def decide(
    findings: Sequence[Finding], readings: Readings, policy: RetrainPolicy, memory: Memory, now: datetime
) -> Decided:
    """What the findings ask for; the strictest row of the table that holds."""
    harms = [one for one in findings if one.fired and one.trigger in HARMS]
    slices = tuple(dict.fromkeys(scope for one in harms for scope in one.slices))
    if any(one.widespread and one.severe for one in harms):
        answer = Answer.CONTAIN
    elif slices:
        answer = Answer.PAUSE
    elif any(one.fired for one in findings):
        answer = Answer.QUEUE
    elif any(one.state is State.UNKNOWN for one in findings):
        answer = Answer.LOOK
    else:
        answer = Answer.NOTHING
    waits = _waits(readings, policy, memory, now)
    tasks = tuple(_tasks(answer, slices, policy, memory, waits))
    told = tuple(one.reason for one in findings if one.state is not State.QUIET)
    held = (waits,) if waits and answer >= Answer.QUEUE else ()
    return Decided(answer, tasks, tuple(findings), (*told, *held), now)


def _waits(readings: Readings, policy: RetrainPolicy, memory: Memory, now: datetime) -> str:
    if memory.retrained_at is not None and now < memory.retrained_at + policy.cool_down:
        due = memory.retrained_at + policy.cool_down
        return (
            f"A challenger learned at {memory.retrained_at:%Y-%m-%d %H:%M} UTC; "
            f"the next may at {due:%Y-%m-%d %H:%M} UTC."
        )
    if readings.new_labels is not None and readings.new_labels < policy.new_labels:
        return (
            f"{readings.new_labels} labels are new, {policy.new_labels} are needed: "
            "first people must answer more."
        )
    return ""


def _tasks(
    answer: Answer, slices: Collection[str], policy: RetrainPolicy, memory: Memory, waits: str
) -> Iterator[Task]:
    def task(act: Act, scope: str = "", waits: str = "") -> Task:
        return Task(act, scope, act in policy.automatic, waits)

    done = "It is frozen already."
    if answer is Answer.CONTAIN:
        yield task(Act.FREEZE, EVERYTHING, done if EVERYTHING in memory.frozen else "")
        yield task(
            Act.ROLL_BACK, waits="" if memory.live or memory.before else "There is nothing to go back to."
        )
    if answer >= Answer.PAUSE:
        covered = answer is Answer.CONTAIN and Act.FREEZE in policy.automatic
        for scope in slices:
            frozen = covered or bool({scope, EVERYTHING} & memory.frozen)
            yield task(Act.PAUSE, scope, done if frozen else "")
        yield task(Act.ENQUEUE)
    if answer >= Answer.QUEUE:
        yield task(Act.RETRAIN, waits=waits)
