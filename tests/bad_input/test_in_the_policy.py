"""Bad input in policy.yaml: told soon, with line and remedy, and nothing is decided by half a policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.project import Project
from hitl_mlops.routing.policy_file import read_policy
from tests.bad_input.cells import CELLS, BadCell, End
from tests.bad_input.room import ANSWERS_WITHIN_S, POLICY, good_case, state
from tests.bad_input.tally import TALLY
from tests.bad_input.wholes import WHOLES, BadWhole, given
from tests.fail_closed.room import took
from tests.freeze_room import open_again
from tests.gateway_room import Application

PLACES = {
    "amount": ("auto: 0.01", "auto: {}"),
    "at": ("version: 1", "version: 1\nescalation: [{{after: {}, to: supervisor}}]"),
}
"""Column of a case → where the policy wants such a value; elsewhere it wants a text."""
A_TEXT = ("name: large amounts are asked about", "name: {}")


def with_value(cell: BadCell) -> bytes:
    """The policy with the value where one of its sort is wanted."""
    old, new = PLACES.get(cell.column, A_TEXT)
    return POLICY.replace(old, new.format(cell.in_yaml())).encode()


def test_there_are_enough_classes() -> None:
    assert (
        sum(cell.policy is not End.NONE for cell in CELLS) + sum(one.policy is not None for one in WHOLES)
        >= 25
    )


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_a_bad_value_in_the_policy_is_told_with_its_line(tmp_path: Path, cell: BadCell) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(with_value(cell))
    TALLY.count("policy", cell.name)
    if cell.policy is End.TAKEN:
        assert read_policy(file).rules[0].name == cell.value
        return
    told_with_its_line(file)


@pytest.mark.parametrize(
    "whole", [one for one in WHOLES if one.policy is not None], ids=lambda whole: whole.name
)
def test_a_bad_policy_is_told_soon_with_its_line(tmp_path: Path, whole: BadWhole) -> None:
    assert whole.policy is not None
    file = tmp_path / "policy.yaml"
    file.write_bytes(given(whole.policy))
    TALLY.count("policy", whole.name)
    told_with_its_line(file)


def told_with_its_line(file: Path) -> None:
    def read() -> ConfigurationError:
        with pytest.raises(ConfigurationError) as told:
            read_policy(file)
        return told.value

    told, seconds = took(read)
    assert seconds < ANSWERS_WITHIN_S
    assert f"{file.name}, line " in told.fact
    assert told.remedy
    assert len(str(told)) < 1_000


@pytest.fixture
def project(service: Application) -> Iterator[Project]:
    """The project as another command opens it; its policy is put back."""
    file = service.project.settings.folder / "policy.yaml"
    yield open_again(file.parent, service.project.parts.given)
    file.write_text(POLICY)


@pytest.mark.parametrize("name", ["NaN", "a NUL", "half a character (a lone surrogate)"])
def test_a_bad_policy_decides_nothing_and_changes_nothing(project: Project, name: str) -> None:
    [cell] = [one for one in CELLS if one.name == name]
    before = state(project)
    (project.settings.folder / "policy.yaml").write_bytes(with_value(cell))
    with pytest.raises(ConfigurationError, match=r"policy\.yaml, line"):
        project.decide(pd.DataFrame([good_case(20_000)]))
    assert state(project) == before
