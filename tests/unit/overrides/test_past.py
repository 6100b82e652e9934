"""Similar cases that people resolved are found among the latest, and never the case itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from hitl_mlops.explaining import explain_waiting
from hitl_mlops.overrides.past import HELD_FOR, SHOWN, PastCases
from hitl_mlops.project import Project
from tests.freeze_room import a_project, open_again, some_cases
from tests.guard_room import answer_all

POLICY = """\
version: 1
routes:
  senior: {confidence: ">= 0", skill: senior}
"""


@pytest.fixture
def project(tmp_path: Path):
    made = a_project(tmp_path, policy=POLICY)
    yield made
    made.close()


def amounts(project: Project, names: list[str]) -> list[float]:
    cases = project.parts.log.cases(names)
    return [float(cases[name].inputs["amount"]) for name in names]


def test_the_nearest_that_people_resolved_are_told_with_what_they_said(project: Project) -> None:
    decided = project.decide(known := some_cases(0, 60)).decisions
    answer_all(project, decided, right=False)
    project = open_again(project.settings.folder, project.parts.registry)
    frame = some_cases(1_000, 1)
    [new] = project.decide(frame).decisions
    explain_waiting(project.verbs)
    [ticket] = [one for one in project.parts.tickets.waiting() if one.decision_id == new.decision_id]
    told = str(ticket.shown["similar_html"])
    past = project.parts.past.similar(list(project.parts.log.cases([new.case_id]).values()))[new.case_id]
    assert len(past) == SHOWN
    assert all(one.case_id in told and one.label != one.model_label for one in past)
    distances = [
        abs(amount - frame["amount"][0]) for amount in amounts(project, [one.case_id for one in past])
    ]
    known = known[known["branch"] == frame["branch"][0]]
    nearest = sorted(abs(known["amount"] - frame["amount"][0]))[:SHOWN]
    assert distances == pytest.approx(nearest)
    assert "spoke" in str(ticket.shown["why_html"])
    project.close()


def test_a_case_is_not_like_itself_and_nothing_is_like_one_before_anybody_answered(project: Project) -> None:
    decided = project.decide(some_cases(0, 4)).decisions
    cases = list(project.parts.log.cases(one.case_id for one in decided).values())
    assert project.parts.past.similar(cases) == {}
    answer_all(project, decided, right=True)
    later = project.parts.clock() + 2 * HELD_FOR
    past = PastCases(
        project.parts.answers,
        project.parts.log,
        lambda: project.parts._yardstick,
        lambda: later,
    )
    for name, found in past.similar(cases).items():
        assert len(found) == SHOWN
        assert name not in {one.case_id for one in found}


def test_what_fails_is_left_out_and_opens_no_ticket_less(project: Project) -> None:
    def broken() -> object:
        raise RuntimeError("no yardstick")

    answer_all(project, project.decide(some_cases(0, 4)).decisions, right=True)
    later = project.parts.clock() + timedelta(minutes=5)
    past = PastCases(project.parts.answers, project.parts.log, broken, lambda: later)  # type: ignore[arg-type]
    assert past.similar(list(project.parts.log.cases(["c0"]).values())) == {}


def test_new_answers_are_seen_after_a_minute(project: Project) -> None:
    now = [project.parts.clock()]
    past = PastCases(
        project.parts.answers, project.parts.log, lambda: project.parts._yardstick, lambda: now[0]
    )
    decided = project.decide(pd.concat([some_cases(0, 4)])).decisions
    cases = list(project.parts.log.cases(["c0"]).values())
    assert past.similar(cases) == {}
    answer_all(project, decided, right=True)
    assert past.similar(cases) == {}
    now[0] += HELD_FOR
    assert past.similar(cases)
