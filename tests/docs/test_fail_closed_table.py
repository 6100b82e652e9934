"""The page on failing closed: each row names a test, and each test that it names is there."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "why" / "fail-closed.md"
ROWS = [line for line in PAGE.read_text().splitlines() if re.match(r"\| (?!down or wrong)", line)]
PURE = ROOT / "tests" / "fail_closed"


def named(row: str) -> list[tuple[str, str]]:
    """File and function of each test that the row names."""
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)


def functions_of(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_every_row_names_a_test_that_exists(row: str) -> None:
    assert named(row)
    for file, name in named(row):
        assert name.startswith("test_")
        assert name in functions_of(file), f"{file} has no {name}"


def test_every_cell_of_the_design_has_a_row_and_every_test_of_the_folder_is_named() -> None:
    told = " ".join(row.split("|")[1].lower() for row in ROWS)
    for word in (
        *("label studio", "mlflow", "database", "trail", "policy.yaml", "raises", "nan", "too slow"),
        *("malformed", "switches", "breaker is open", "missing, nan or too little", "alias was moved"),
    ):
        assert word in told
    listed = {name for row in ROWS for _, name in named(row)}
    written = {
        name
        for file in PURE.glob("test_*.py")
        for name in functions_of(str(file.relative_to(ROOT)))
        if name.startswith("test_")
    }
    assert written - listed <= BEYOND


BEYOND = {
    "test_a_changed_policy_comes_into_force_while_the_service_runs_and_the_trail_tells",
    "test_in_a_table_nobody_waits_for_single_answers_and_a_slow_shadow_is_heard",
    "test_a_shadow_in_time_is_heard_of_every_case",
}
"""Tests of the folder that show what works, not what closes."""
