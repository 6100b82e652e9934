"""`hitl review select` as somebody at a shell sees it."""

from __future__ import annotations

import pytest

from tests.freeze_room import POLICY, a_project, some_cases
from tests.loop_room import Loop


@pytest.fixture
def loop(tmp_path):
    project = a_project(tmp_path, policy=POLICY + "review: {budget_hours_per_week: 1}\n")
    project.decide(some_cases(0, 200))
    project.close()
    return Loop(project.settings.folder, apart=False)


def test_what_was_chosen_is_told_with_its_reasons_its_time_and_the_next_command(loop):
    said = loop.call("review", "select", "--at-most", "10", as_json=False)
    assert said.code == 0, said.err
    for words in ("10 of", "in doubt", "at random", "π =", "10 min", "→ hitl review push"):
        assert words in said.out


def test_a_dry_run_names_the_command_that_would_do_it(loop):
    said = loop.call("review", "select", "--at-most", "10", "--dry-run", as_json=False)
    assert "would be asked about" in said.out
    assert "→ hitl review select --at-most 10" in said.out
    assert loop.done("review", "select", "--at-most", "10", "--dry-run")["opened"] == 0


def test_a_week_that_is_full_asks_nothing_and_says_why(loop):
    opened = loop.done("review", "select")["opened"]
    assert 0 < opened <= 60
    again = loop.call("review", "select", as_json=False)
    assert again.code == 0
    assert "No question fits" in again.out


def test_without_a_budget_and_a_number_the_remedy_is_told(loop):
    (loop.folder / "policy.yaml").write_text(POLICY)
    said = loop.call("review", "select", as_json=False)
    assert said.code == 2
    assert "budget_hours_per_week" in said.err
    assert "--at-most" in said.err


def test_the_figures_tell_what_reviewing_took(loop):
    assert loop.done("kpis")["reviewing"]["cost_per_corrected"] is None
    assert "Nobody has answered yet." in loop.call("kpis", as_json=False).out
