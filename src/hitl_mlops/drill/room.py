"""Where a rehearsal is held: a copy of the project, a stream of cases, and people who know what is true."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from hitl_mlops.decisions.predict import inputs_frame
from hitl_mlops.decisions.record import Decision
from hitl_mlops.drill.outside import Outside
from hitl_mlops.drill.place import DrillClock, DrillParts, keep_key, settings_of_copy
from hitl_mlops.drill.record import Minutes
from hitl_mlops.drill.stream import draw, named
from hitl_mlops.drill.world import World
from hitl_mlops.errors import HitlError, ServiceDownError
from hitl_mlops.ids import content_id
from hitl_mlops.learning import notes_of
from hitl_mlops.project import Project
from hitl_mlops.review.session import ReviewerSession
from hitl_mlops.review.ticket import Ticket, TicketKind, TicketState, ticket_id_of
from hitl_mlops.routing.policy import AUTOMATIC
from hitl_mlops.wiring import Parts

ACTOR = "drill"


@dataclass(slots=True)
class Room:
    """One rehearsal's own project, and what happens to it.

    Attributes:
        project: the copy, by the front door.
        outside: its desk and registry, and how they are stopped.
        world: what cases are drawn from, and what is true of them.
        clock: the time in it.
        minutes: what is written down.
        rng: chance.
        arrived: cases of the stream that came so far.
    """

    project: Project
    outside: Outside
    world: World
    clock: DrillClock
    minutes: Minutes
    rng: np.random.Generator
    arrived: int = 0
    _people: list[ReviewerSession] = field(default_factory=list)

    @classmethod
    def open(cls, own: Parts, world: World, outside: Outside, folder: Path) -> Room:
        """A copy of the project stands in the folder, with its first dataset version and no model yet."""
        keep_key(folder, world.seed)
        clock = DrillClock()
        settings = settings_of_copy(own.settings, own.task, folder)
        project = Project(settings, DrillParts(settings, world.pool, outside, clock), actor=ACTOR)
        project.build_dataset()
        return cls(project, outside, world, clock, Minutes(), np.random.default_rng(world.seed))

    # Models

    def register(self, low: float, high: float) -> str:
        """A version that errs on that share of the stream's rows, from `low` to `high` of all; its name."""
        learned = self.project.dataset()
        fitted = self.world.erring(low, high, learned)
        key = content_id("drill", [low, high])
        return self.project.parts.registry.register(
            fitted, notes_of(self.project.verbs, learned), run_key=key
        ).version

    def crown(self, low: float = 0.0, high: float = 0.0) -> str:
        """Such a version is the first champion."""
        version = self.register(low, high)
        self.project.rollouts.crown(version, "The champion of a drill.")
        return version

    # Cases

    def draw(self, count: int) -> pd.DataFrame:
        """The next rows of the stream."""
        return draw(self.world.pool, count, self._next(count), self.rng)

    def again(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The same rows, as new cases."""
        return named(rows, self._next(len(rows)))

    def _next(self, count: int) -> int:
        first, self.arrived = self.arrived, self.arrived + count
        return first

    def decide(self, rows: pd.DataFrame) -> tuple[Decision, ...]:
        """The rows were decided, but for those that the intake refused."""
        return self.project.decide(rows).decisions

    def truths(self, decisions: Sequence[Decision]) -> dict[str, str]:
        """Decision id → the label that is true of its case."""
        if not decisions:
            return {}
        cases = self.project.parts.log.cases(one.case_id for one in decisions)
        labels = self.world.truths(inputs_frame([cases[one.case_id] for one in decisions]))
        return {one.decision_id: label for one, label in zip(decisions, labels, strict=True)}

    # People

    def asked(self, decisions: Iterable[Decision]) -> list[Ticket]:
        """The tickets about these decisions that stand on the desk and are not answered."""
        ids = [ticket_id_of(one.decision_id, kind) for one in decisions for kind in TicketKind]
        return [one for one in self.project.parts.tickets.by_ids(ids) if one.state is TicketState.OPEN]

    def answer(self, tickets: Sequence[Ticket], labels: Mapping[str, str]) -> int:
        """Simulated people gave each ticket that label of its decision; how many answers it took."""
        self._people = self._people or list(self.outside.people())
        given = 0
        tasks = self.project.parts.tickets.tasks([one.ticket_id for one in tickets])
        for ticket in tickets:
            sheets = tasks[ticket.ticket_id]
            for person, task_id in zip(self._people, sheets, strict=False):
                self._answer(person, ticket, task_id, labels[ticket.decision_id])
            given += len(sheets)
        return given

    def answer_all(self, decisions: Sequence[Decision]) -> int:
        """The tickets about these decisions were pushed and answered with what is true; how many answers."""
        self.project.push()
        return self.answer(self.asked(decisions), self.truths(decisions))

    def _answer(self, person: ReviewerSession, ticket: Ticket, task_id: str, label: str) -> None:
        screen = self.project.settings.screen
        agreed = label == ticket.suggestion and not ticket.blind
        person.answer(
            task_id,
            label,
            f"in the drill it is {label}".ljust(screen.min_rationale_chars, "."),
            "agree" if agreed else "wrong_class",
            min(max(5.0, screen.min_seconds), screen.max_seconds),
            unique_id=f"{ticket.ticket_id} {task_id} {person.account}",
        )

    # What went as it must

    def demand_sound_trail(self) -> None:
        """The copy's own trail verifies, and its decisions are what it says."""
        check = self.project.verify_trail()
        problems = len(check.trail.problems) + len(check.changed)
        self.minutes.demand("the trail verifies", limit="0 problems", found=problems, met=check.sound)


def automatic(decisions: Iterable[Decision]) -> list[Decision]:
    """Those that went out without a person."""
    return [one for one in decisions if one.route in AUTOMATIC]


def server_is_missed(act: Callable[[], object]) -> bool:
    """Whether the call ends with the word that a server is down, and not otherwise."""
    try:
        act()
    except ServiceDownError:
        return True
    except HitlError:
        return False
    return False
