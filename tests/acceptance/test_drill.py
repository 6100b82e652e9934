"""`hitl drill`, whole, on the twins; and on servers of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from hitl_mlops.drill.record import Scenario
from tests.drill_room import a_loop

pytestmark = [pytest.mark.slow]


def test_all_five_rehearsals_pass(tmp_path: Path) -> None:
    loop = a_loop(tmp_path)
    told = loop.done("drill")
    assert told["passed"]
    assert {one["scenario"]: one["verdict"] for one in told["rehearsals"]} == dict.fromkeys(
        [one.value for one in Scenario], "passed"
    )
    text = Path(told["report"]).read_text()
    assert all(one.value in text for one in Scenario)
    assert not list((loop.folder / ".hitl").glob("drill-*"))
    assert loop.done("audit", "verify")["trail"]["problems"] == []


def test_one_rehearsal_is_held_by_its_name_and_a_wrong_name_names_those_there_are(tmp_path: Path) -> None:
    loop = a_loop(tmp_path)
    told = loop.done("drill", "label-studio-down", "--out", tmp_path / "report.md")
    assert [one["scenario"] for one in told["rehearsals"]] == ["label-studio-down"]
    assert told["report"] == str(tmp_path / "report.md")
    wrong = loop.done("drill", "earthquake", code=2)
    assert "bad-challenger" in wrong["remedy"]


def test_a_rehearsal_that_fails_ends_with_1(tmp_path: Path) -> None:
    never = (
        'guards:\n  breaker: {error_rate: "> 0.5", override_rate: "> 0.25", window: 9000, at_least: 9000}\n'
    )
    loop = a_loop(tmp_path, guards=never)
    said = loop.call("drill", "runaway-overrides", as_json=False)
    assert said.code == 1
    assert "not met: a breaker opens" in said.out


@pytest.mark.real
@pytest.mark.timeout(600)
def test_with_real_servers_both_outages_are_sat_out(tmp_path: Path) -> None:
    loop = a_loop(tmp_path)
    loop.edit("policy.yaml", "stages: [1, 5, 25, 50, 100]", "stages: [50, 100]")  # due with fewer answers
    told = loop.done("drill", "label-studio-down", "mlflow-down", "--real")
    assert told["real_servers"]
    assert [one["verdict"] for one in told["rehearsals"]] == ["passed", "passed"]
