"""Recourse on a database in memory: decisions of each kind, a clock one sets, and a policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.callbacks.book_sql import SqlCallbackBook
from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import metadata
from hitl_mlops.decisions.record import Case, Decision
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import NotFoundError
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.recourse.afterwards import Recourse, Surroundings
from hitl_mlops.recourse.book_sql import SqlRecourseBook
from hitl_mlops.recourse.policy import recourse_policy
from hitl_mlops.review.open import Deadlines, Shown
from hitl_mlops.review.tickets import TicketBook
from hitl_mlops.routing.policy import Intervention
from hitl_mlops.routing.policy_file import parse_policy
from tests.builders import NOW, a_case, a_decision

POLICY = """
routes:
  auto: {confidence: ">= 0.9", reversible_for: 24h}
  standard: {confidence: "0.5..0.9", signatures: 1}
  senior: {confidence: "< 0.5", signatures: 1, skill: senior, within: 4h}
  two: {when: {confidence: "< 0.1"}, signatures: 2}
recourse: {complaints_within: 10d}
"""
TASK = Task("p", InputKind.TABLE, ("x",), ("yes", "no"))
DECISIONS = {
    "before": {"route": "standard", "signatures": 1, "intervention": Intervention.BEFORE},
    "during": {"route": "auto", "signatures": 0, "intervention": Intervention.DURING},
    "after": {
        "route": "auto",
        "signatures": 0,
        "intervention": Intervention.AFTER,
        "reversible_until": NOW + timedelta(hours=24),
    },
    "done": {"route": "auto", "signatures": 0, "intervention": Intervention.AFTER},
}
"""Decision `d_NAME` → what it is."""


class FewDecisions:
    """As much of the decision log as recourse asks for."""

    def __init__(self) -> None:
        self.kept: dict[str, Decision] = {}

    def get(self, decision_id: str) -> Decision:
        if decision_id not in self.kept:
            raise NotFoundError(f"There is no decision {decision_id!r}.")
        return self.kept[decision_id]

    def case(self, case_id: str) -> Case:
        return a_case(case_id=case_id)


@dataclass
class Room:
    """A recourse and all that it stands on."""

    now: datetime = NOW
    log: FewDecisions = field(default_factory=FewDecisions)
    trail: InMemoryTrail = field(default_factory=InMemoryTrail)

    def __post_init__(self) -> None:
        self.database = Database("sqlite://")
        self.database.create()
        with self.database.transaction() as connection:  # one in memory is shared by a process
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
        for name, changes in DECISIONS.items():
            self.decide(case_id=name, **changes)
        policy = recourse_policy(parse_policy(POLICY))
        self.tickets, self.callbacks = TicketBook(self.database), SqlCallbackBook(self.database)
        self.recourse = Recourse(
            book=SqlRecourseBook(self.database),
            log=self.log,
            trail=self.trail,
            tickets=self.tickets,
            callbacks=self.callbacks,
            transaction=self.database.transaction,
            around=Surroundings(
                person=lambda name: f"p_{len(name)}",
                resolutions=AnswerBook(self.database).resolutions_of,
                classes=lambda: TASK.classes,
                policy=lambda: policy,
                shown=lambda: Shown(TASK),
                deadlines=lambda: Deadlines({"senior": 4.0}),
                addresses=("https://shop.example/hitl",),
            ),
            clock=lambda: self.now,
            actor="test",
        )

    def decide(self, **changes: Any) -> Decision:
        """The decision `d_CASE`."""
        decision = a_decision(decision_id=f"d_{changes['case_id']}", **changes)
        self.log.kept[decision.decision_id] = decision
        return decision

    def told(self) -> list[dict[str, Any]]:
        """What the trail was told."""
        return [entry.read() for entry in self.trail.entries()]
