"""What a drill found: what was done, how long it took, whom it touched, and whether it went as it must."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from time import perf_counter


class Scenario(StrEnum):
    """What can be rehearsed."""

    BAD_CHALLENGER = "bad-challenger"
    DRIFT = "drift"
    LABEL_STUDIO_DOWN = "label-studio-down"
    MLFLOW_DOWN = "mlflow-down"
    RUNAWAY_OVERRIDES = "runaway-overrides"


class Verdict(StrEnum):
    """How a rehearsal went."""

    PASSED = "passed"
    """All that must hold held."""
    FAILED = "failed"
    """Something that must hold did not."""
    UNGUARDED = "unguarded"
    """The policy has nothing against it: told with what it would have cost, and no failure."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done.

    Attributes:
        what: a sentence in the past tense.
        seconds: how long it took on this machine, ≥ 0.
    """

    what: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Demand:
    """Something that must hold.

    Attributes:
        says: what, in words.
        limit: the bound, and where it is from.
        found: what was found.
        met: it held.
    """

    says: str
    limit: str
    found: str
    met: bool


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How one scenario went.

    Attributes:
        scenario: which.
        verdict: how it went.
        told: one sentence with the figures that matter.
        affected: decisions that it touched.
        affected_are: what those decisions are, in words.
        people: what a person had to do, a line each.
        steps: what was done, in order.
        demands: what must hold.
        figures: name → number; names end in their unit.
    """

    scenario: Scenario
    verdict: Verdict
    told: str
    affected: int
    affected_are: str
    people: tuple[str, ...]
    steps: tuple[Step, ...]
    demands: tuple[Demand, ...]
    figures: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """How long all its steps took."""
        return sum(one.seconds for one in self.steps)


@dataclass(frozen=True, slots=True)
class Drill:
    """All rehearsals that were held together.

    Attributes:
        project: name of the project.
        held_at: when it began.
        policy_hash: content hash of the policy that was rehearsed.
        servers: what stood for Label Studio and MLflow, in words.
        real: they were real servers.
        rows: labelled rows of the base data that the stream was drawn from.
        seed: what chance was drawn from.
        rehearsals: one for each scenario.
    """

    project: str
    held_at: datetime
    policy_hash: str
    servers: str
    real: bool
    rows: int
    seed: int
    rehearsals: tuple[Rehearsal, ...]

    @property
    def passed(self) -> bool:
        """No rehearsal failed."""
        return all(one.verdict is not Verdict.FAILED for one in self.rehearsals)


@dataclass(slots=True)
class Minutes:
    """What is written down while a rehearsal goes on."""

    steps: list[Step] = field(default_factory=list)
    demands: list[Demand] = field(default_factory=list)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """What is done in the block is a step, with its time."""
        began = perf_counter()
        yield
        self.steps.append(Step(what, round(perf_counter() - began, 3)))

    def demand(self, says: str, *, limit: str, found: object, met: bool) -> None:
        """Something that must hold was looked at."""
        self.demands.append(Demand(says, limit, str(found), met))

    def verdict(self) -> Verdict:
        """Passed where every demand is met, and there is one."""
        held = self.demands and all(one.met for one in self.demands)
        return Verdict.PASSED if held else Verdict.FAILED
