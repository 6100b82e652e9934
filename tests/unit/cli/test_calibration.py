"""`hitl policy calibrate` on a project with recorded decisions, and no server running."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import typer

from hitl_mlops.cli import calibration
from hitl_mlops.cli.output import add_group
from hitl_mlops.database.tables import resolutions
from hitl_mlops.errors import HitlError, InputError, NotFoundError
from hitl_mlops.overrides.record import Method, Resolution
from hitl_mlops.overrides.rows import resolution_row
from hitl_mlops.project import Project
from hitl_mlops.review.ticket import TicketKind
from tests.builders import NOW, a_case, a_decision, record

Calibrate = Callable[..., int]


@pytest.fixture
def calibrate(project: Path) -> Calibrate:
    """Runs the command on the project; its exit code."""
    app = typer.Typer()
    calibration.add_to_group(add_group(app, "policy", about="Policies."))

    def run(*words: str) -> int:
        code = app(["policy", "calibrate", "-p", str(project), *words], standalone_mode=False)
        return code if isinstance(code, int) else 0

    return run


@pytest.fixture
def reviewed(project: Path) -> Callable[[int], None]:
    """So many decisions of model 1 were made and reviewed; those below .8 were wrong."""

    def make(count: int) -> None:
        confidences = [0.6 + 0.4 * place / count for place in range(count)]
        decisions = [
            a_decision(case_id=f"c{place:05}", confidence=one, attributes={})
            for place, one in enumerate(confidences)
        ]
        cases = [a_case(case_id=one.case_id, attributes={}) for one in decisions]
        with Project.open(project) as opened:
            ids = record(opened.parts.log, cases, decisions)
            with opened.parts.database.transaction() as connection:
                said = zip(ids, decisions, strict=True)
                rows = [resolution_row(_said(name, one, one.confidence >= 0.8)) for name, one in said]
                connection.execute(sa.insert(resolutions), rows)

    return make


def _said(decision_id: str, decision: Any, right: bool) -> Resolution:
    return Resolution(
        resolution_id=f"r_{decision.case_id}",
        decision_id=decision_id,
        ticket_id=f"t_{decision.case_id}",
        ticket_kind=TicketKind.REVIEW.value,
        label=decision.label if right else "no",
        model_label=decision.label,
        method=Method.SINGLE,
        answer_keys=("k",),
        reviewers=("r1",),
        reason_codes=(None,),
        resolved_at=NOW,
    )


def test_it_prints_the_line_to_write_and_writes_nothing(
    calibrate: Calibrate, reviewed: Any, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reviewed(1_000)
    before = (project / "policy.yaml").read_bytes()

    assert calibrate("--model", "1") == 0
    shown = capsys.readouterr().out
    assert "at most 1 % of all decisions are automatic and wrong, with probability 95 %." in shown
    (line,) = (line for line in shown.splitlines() if "routes.auto" in line)
    assert 'confidence: ">= 0.92"' in line.partition('confidence: ">= 0.79')[0]
    assert "fewer of 1,000 decisions wait for people" in shown
    assert (project / "policy.yaml").read_bytes() == before


def test_programs_get_one_object_with_the_curve(
    calibrate: Calibrate, reviewed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    reviewed(1_000)

    assert calibrate("--model", "1", "--slips", "0.02", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["calibration"]["target"] == 0.02
    assert told["calibration"]["verdict"] == "certified"
    assert told["tests"]["auto"][0] == ">= 0.92"
    assert told["coverage_change"] > 0.2
    assert len(told["calibration"]["curve"]) > 40


def test_with_too_few_labels_it_ends_with_1_and_says_how_many(
    calibrate: Calibrate, reviewed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    reviewed(100)

    assert calibrate("--model", "1") == 1
    shown = capsys.readouterr().out
    assert "No threshold is proven. For 0.92 it takes about 199 more labels" in shown
    assert "in policy.yaml" not in shown


def test_only_decisions_before_a_time_are_looked_at(
    calibrate: Calibrate, reviewed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    reviewed(400)

    assert calibrate("--model", "1", "--until", f"{NOW:%Y-%m-%d}") == 1
    assert "0 decisions, 0 reviewed" in capsys.readouterr().out
    assert calibrate("--model", "1", "--until", "2027-01-01T00:00:00") == 0


def test_the_drawing_is_written_where_it_was_asked_for(
    calibrate: Calibrate, reviewed: Any, tmp_path: Path
) -> None:
    reviewed(400)

    assert calibrate("--model", "1", "--chart", str(tmp_path / "out.svg")) == 0
    assert (tmp_path / "out.svg").read_text().startswith("<svg")
    with pytest.raises(InputError, match="cannot be written"):
        calibrate("--model", "1", "--chart", str(tmp_path / "nowhere" / "out.svg"))


def test_before_there_is_a_champion_it_says_what_to_type(calibrate: Calibrate) -> None:
    with pytest.raises(NotFoundError) as told:
        calibrate()
    assert "hitl train" in told.value.remedy


@pytest.mark.parametrize("words", [("--slips", "0"), ("--slips", "1.5"), ("--delta", "nan")])
def test_a_share_that_is_none_is_refused(calibrate: Calibrate, words: tuple[str, str]) -> None:
    with pytest.raises(HitlError, match="is not in"):
        calibrate("--model", "1", *words)
