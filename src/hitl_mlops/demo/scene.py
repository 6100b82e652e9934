"""What the chapters share: the project, its people, the cheques so far, and who tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hitl_mlops.demo.cheques import Cheques
from hitl_mlops.demo.meanwhile import Meanwhile
from hitl_mlops.demo.narrator import Doing, Narrator
from hitl_mlops.demo.team import Question, Team
from hitl_mlops.errors import NotFoundError
from hitl_mlops.outcomes import Decided
from hitl_mlops.project import Project
from hitl_mlops.review.ticket import TicketKind, TicketState, ticket_id_of

if TYPE_CHECKING:
    import pandas as pd

    from hitl_mlops.decisions.record import Decision
    from hitl_mlops.training.registry import ModelRegistry

HELD_OUT = 200
"""Cheques at the end of the stream that are never decided: on them both models are compared."""


@dataclass(slots=True)
class Scene:
    """Where the story has come to.

    Attributes:
        folder: the project's folder.
        project: the front door.
        cheques: the data, with the truth that only the simulation knows.
        team: the simulated reviewers, logged in.
        narrator: who tells.
        urls: server → address.
        worker: the flows' worker, being started beside.
        arrived: how many cheques of the stream were decided.
    """

    folder: Path
    project: Project
    cheques: Cheques
    team: Team
    narrator: Narrator
    urls: dict[str, str]
    worker: Meanwhile[object]
    arrived: int = 0
    decisions: dict[str, Decision] = field(default_factory=dict)

    def decide_next(self, count: int) -> Decided:
        """The next cheques of the stream were decided; none of those held out for the end.

        Raises:
            NotFoundError: the stream has run dry.
        """
        until = self.arrived + count
        if until > len(self.cheques.stream) - HELD_OUT:
            raise NotFoundError(
                f"All {self.arrived} cheques of the demo were decided before the rollout was.",
                remedy="Please report this, with the file .hitl/logs/demo.log of the demo's folder.",
            )
        made = self.project.decide(self.cheques.stream.iloc[self.arrived : until])
        self.arrived = until
        self.decisions |= {one.decision_id: one for one in made.decisions}
        return made

    def registry_as(self, account: str) -> ModelRegistry:
        """The registry, asked under that account of MLflow's."""
        from hitl_mlops.servers.mlflow_accounts import read_or_make
        from hitl_mlops.training.mlflow_login import Login

        accounts = read_or_make(self.project.settings.state, (account,))
        return self.project.parts.registry_of(Login(*accounts.login(account)))

    def open_questions(self, decisions: Sequence[Decision]) -> list[Question]:
        """What is asked on the desk about these decisions and not yet answered."""
        by_ticket = {
            ticket_id_of(one.decision_id, kind): one
            for one in decisions
            for kind in (TicketKind.REVIEW, TicketKind.SPOT_CHECK, TicketKind.SHADOW)
        }
        book = self.project.parts.tickets
        found = book.by_ids(by_ticket)
        tasks = book.tasks([one.ticket_id for one in found])
        return [
            Question(
                ticket,
                by_ticket[ticket.ticket_id].case_id,
                self.cheques.truth[by_ticket[ticket.ticket_id].case_id],
                by_ticket[ticket.ticket_id].label,
                tuple(tasks[ticket.ticket_id]),
            )
            for ticket in found
            if ticket.state is TicketState.OPEN
        ]

    def review(self, decisions: Sequence[Decision], under_way: Doing, doing: str) -> int:
        """The team answered all that is open about these decisions; how many answers that took."""
        questions = self.open_questions(decisions)
        given = self.team.answer(
            questions, lambda done: under_way.now(f"{doing}: {done} of {len(questions)} answered")
        )
        return len(given)

    def held_out(self) -> pd.DataFrame:
        """The cheques that were never decided, as the new scanner read them."""
        return self.cheques.stream.iloc[-HELD_OUT:]
