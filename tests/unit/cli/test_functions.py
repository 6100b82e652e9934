"""Functions of the user's own, named in hitl.yaml: checked by `hitl policy check` and `hitl doctor`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hitl_mlops.cli.main import run
from hitl_mlops.errors import ConfigurationError
from hitl_mlops.project import Project
from tests.builders import a_case, a_decision, record

POLICY = """\
functions: {is_odd: [x]}
derive: {odd: is_odd}
regulation: [{name: odd ones, when: {odd: true}, at_least: senior}]
routes:
  auto: {confidence: ">= 0.9"}
  standard: {confidence: "0.7..0.9"}
  senior: {confidence: "< 0.7"}
"""
Said = Callable[..., dict[str, Any]]


@pytest.fixture
def said(project: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """Runs a command that ends with that code; its one JSON object."""

    def call(*words: str, code: int = 0) -> dict[str, Any]:
        assert run([*words, "-p", str(project), "--json"]) == code
        value = json.loads(capsys.readouterr().out)
        assert isinstance(value, dict)
        return value

    return call


def brings(project: Path, source: str, *, line: str = "is_odd: {module}:is_odd") -> None:
    """The project has the policy, a module with that source, and names its function so."""
    module = f"own_{abs(hash(str(project)))}"  # modules of one name would be one module
    (project / "policy.yaml").write_text(POLICY)
    (project / f"{module}.py").write_text(source)
    with (project / "hitl.yaml").open("a") as file:
        file.write(f"\nfunctions:\n  {line.format(module=module)}\n")


GOOD = "def is_odd(rows):\n    return rows['x'] % 2 == 1\n"


def test_a_table_of_cases_is_routed_with_the_projects_functions(project: Path, said: Said) -> None:
    brings(project, GOOD)
    (project / "cases.csv").write_text("confidence,x,expected\n0.95,2,auto\n0.95,3,senior\n")
    found = said("policy", "check", "--cases", str(project / "cases.csv"))
    assert (found["findings"], found["cases"], found["differing"]) == ([], 2, [])


def test_the_parts_hand_out_the_functions_and_a_case_brings_what_they_read(project: Path) -> None:
    brings(project, GOOD)
    with Project.open(project) as opened:
        assert sorted(opened.parts.checks) == ["find_pii", "is_odd"]
        assert opened.parts.task.attributes == ("x",)


def test_a_function_that_the_policy_names_and_hitl_yaml_does_not_bring_is_told(
    project: Path, said: Said
) -> None:
    brings(project, GOOD, line="is_even: {module}:is_odd")
    [finding] = [one for one in said("policy", "check", code=1)["findings"] if one["severity"] == "error"]
    assert finding["line"] == 2
    assert "'is_odd', which hitl.yaml does not bring" in finding["fact"]
    [doctor] = [one for one in said("doctor", code=2)["checks"] if one["name"] == "functions"]
    assert (doctor["is_ok"], "is_odd" in doctor["found"]) == (False, True)
    with Project.open(project) as opened, pytest.raises(ConfigurationError, match="is_odd"):
        _ = opened.parts.checks


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("", "is_odd: {module}:is_odd", "has no function 'is_odd'"),
        ("is_odd = 3", "is_odd: {module}:is_odd", "of type int"),
        ("import nothing_of_that_name", "is_odd: {module}:is_odd", "ModuleNotFoundError"),
        (GOOD, "is_odd: {module}", "not package.module:function"),
    ],
)
def test_a_function_that_cannot_be_loaded_is_told_by_check_and_doctor(
    project: Path, said: Said, source: str, line: str, words: str
) -> None:
    brings(project, source, line=line)
    assert words in said("policy", "check", code=2)["fact"]
    [doctor] = [one for one in said("doctor", code=2)["checks"] if one["name"] == "functions"]
    assert (doctor["is_ok"], words in doctor["found"]) == (False, True)


def test_a_class_that_the_model_never_says_is_an_error(project: Path, said: Said) -> None:
    brings(project, GOOD)
    (project / "policy.yaml").write_text("outputs: {prohibited: [yess]}\n" + POLICY)
    [finding] = said("policy", "check", code=1)["findings"]
    assert (finding["line"], finding["remedy"]) == (1, "Did you mean yes?")


def test_a_new_policy_is_tried_on_the_record_with_functions_and_costs(project: Path, said: Said) -> None:
    brings(project, GOOD)
    decisions = [a_decision(case_id=f"c{x}", confidence=0.95, attributes={"x": x}) for x in range(10)]
    with Project.open(project) as opened:
        cases = [a_case(case_id=one.case_id, attributes=one.attributes) for one in decisions]
        record(opened.parts.log, cases, decisions)
    (project / "new.yaml").write_text("costs: {wrong: {default: 100}, review: 6, budget: 6}\n" + POLICY)
    found = said("policy", "simulate", "--policy", str(project / "new.yaml"))
    assert found["new"]["decisions"] == {"auto": 5, "senior": 5}
    assert found["new"]["costs"]["mistakes"] == pytest.approx(5 * 0.05 * 100)
    assert run(["policy", "simulate", "--policy", str(project / "new.yaml"), "-p", str(project)]) == 0


def test_a_new_policy_that_names_a_function_nobody_brings_is_not_tried(project: Path, said: Said) -> None:
    brings(project, GOOD)
    (project / "new.yaml").write_text(POLICY.replace("is_odd", "is_strange"))
    told = said("policy", "simulate", "--policy", str(project / "new.yaml"), code=2)
    assert "'is_strange'" in told["fact"]
