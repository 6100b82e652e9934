"""`hitl policy check|schema|simulate` on a project whose servers do not run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sqlalchemy as sa
from ruamel.yaml import YAML

from hitl_mlops.cli.main import run
from hitl_mlops.database.tables import resolutions
from hitl_mlops.overrides.record import Method, Resolution
from hitl_mlops.overrides.rows import resolution_row
from hitl_mlops.project import Project
from hitl_mlops.review.ticket import TicketKind
from tests.builders import NOW, a_case, a_decision, record

DEAD_RULE = """
rules:
  - {name: some, when: {x: ">= 3"}, route: standard}
  - {name: many, when: {x: ">= 9"}, route: senior}
routes:
  auto: {confidence: ">= 0.9"}
  standard: {confidence: "0.7..0.9"}
  senior: {confidence: "< 0.7"}
"""
Words = Callable[..., Any]


@pytest.fixture
def told(project: Path, capsys: pytest.CaptureFixture[str]) -> Words:
    """Runs a command of the group on the project with --json; exit code and answer."""

    def run_it(*words: str) -> tuple[int, Any]:
        code = run(["policy", *words, "-p", str(project), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run_it


@pytest.fixture
def decided(project: Path) -> Path:
    """The project with 40 reviewed decisions, of which the unsure were wrong."""
    decisions = [
        a_decision(case_id=f"c{place:02}", confidence=0.6 + 0.01 * place, attributes={})
        for place in range(40)
    ]
    with Project.open(project) as opened:
        cases = [a_case(case_id=one.case_id, attributes={}) for one in decisions]
        said = zip(record(opened.parts.log, cases, decisions), decisions, strict=True)
        with opened.parts.database.transaction() as connection:
            connection.execute(sa.insert(resolutions), [resolution_row(_said(*one)) for one in said])
    return project


def _said(decision_id: str, decision: Any) -> Resolution:
    return Resolution(
        resolution_id=f"r_{decision.case_id}",
        decision_id=decision_id,
        ticket_id=f"t_{decision.case_id}",
        ticket_kind=TicketKind.REVIEW.value,
        label=decision.label if decision.confidence >= 0.8 else "no",
        model_label=decision.label,
        method=Method.SINGLE,
        answer_keys=("k",),
        reviewers=("r1",),
        reason_codes=(None,),
        resolved_at=NOW,
    )


def test_what_init_wrote_passes(told: Words) -> None:
    code, found = told("check")
    assert code == 0
    assert {one["severity"] for one in found["findings"]} == {"info"}


def test_an_error_is_told_with_its_line_and_code_1(
    project: Path, told: Words, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "policy.yaml").write_text(DEAD_RULE)
    code, found = told("check")
    assert code == 1
    assert [(one["severity"], one["line"]) for one in found["findings"]] == [("error", 4)]
    assert run(["policy", "check", "-p", str(project)]) == 1
    shown = capsys.readouterr().out
    assert "error: line 4: The rule 'many' fires only where" in shown
    assert "→ Move it before them" in shown


def test_a_column_that_the_data_do_not_have_is_an_error(project: Path, told: Words) -> None:
    (project / "policy.yaml").write_text(DEAD_RULE.replace("x: ", "z: "))
    first = told("check")[1]["findings"][0]
    assert (first["severity"], first["fact"]) == ("error", "The policy reads 'z', which no case has.")


def test_a_policy_can_be_checked_without_a_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yaml").write_text(DEAD_RULE.replace("x: ", "z: "))
    assert (
        run(["policy", "check", "--policy", str(tmp_path / "mine.yaml"), "-p", str(tmp_path), "--json"]) == 1
    )
    assert len(json.loads(capsys.readouterr().out)["findings"]) == 1


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_table_of_cases_is_held_against_the_policy(
    project: Path, told: Words, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cases, rows = tmp_path / f"cases{suffix}", [(0.95, "auto"), (0.8, "auto")]
    lines = {
        ".csv": ["confidence,expected", *(f"{confidence},{expected}" for confidence, expected in rows)],
        ".jsonl": [json.dumps({"confidence": confidence, "expected": name}) for confidence, name in rows],
    }[suffix]
    cases.write_text("\n".join(lines) + "\n")
    code, found = told("check", "--cases", str(cases))
    assert (code, found["cases"]) == (1, 2)
    assert [(one["row"], one["expected"], one["got"]) for one in found["differing"]] == [
        (2, "auto", "standard")
    ]
    assert found["differing"][0]["reasons"] == ["confidence → standard"]
    run(["policy", "check", "--cases", str(cases), "-p", str(project)])
    assert "confidence → standard" in capsys.readouterr().out


def test_the_schema_is_printed_and_the_projects_policy_keeps_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["policy", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    written = YAML(typ="safe", pure=True).load((project / "policy.yaml").read_text())
    jsonschema.Draft202012Validator(schema).validate(written)
    assert run(["policy", "schema", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == schema


def test_a_new_policy_is_tried_on_what_was_recorded(
    decided: Path, told: Words, capsys: pytest.CaptureFixture[str]
) -> None:
    (decided / "new.yaml").write_text("routes: {auto: {confidence: '>= 0.7'}, senior: {confidence: '< 0.7'}}")
    words = ["--policy", str(decided / "new.yaml"), "--per-hour", "10", "--minutes", "2", "--slip-cost", "5"]
    code, found = told("simulate", *words)
    assert (code, found["decisions"], found["moved"]) == (0, 40, 40)
    assert found["moves"] == {"standard → auto": 30, "standard → senior": 10}
    assert found["old"]["slips"]["value"] == 0
    assert found["new"]["slips"]["value"] == pytest.approx(10 / 40)
    assert found["new"]["slip_cost"] == pytest.approx(50)
    assert found["old"]["queue"] == {"tickets": 40, "late": 0, "longest_wait_h": pytest.approx(4)}
    assert found["old"]["review_hours"] == pytest.approx(40 * 2 / 60)
    assert run(["policy", "simulate", *words, "-p", str(decided)]) == 0
    shown = capsys.readouterr().out
    assert "40 would take another route" in shown
    assert "25.0 %" in shown
    assert "closed late" in shown


def test_without_a_decision_there_is_nothing_to_try(project: Path, told: Words) -> None:
    code, found = told("simulate", "--policy", str(project / "policy.yaml"))
    assert code == 2
    assert "hitl decide" in found["remedy"]
