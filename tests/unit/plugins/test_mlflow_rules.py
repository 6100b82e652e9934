"""The table and its conditions, without a server."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hitl_mlops.plugins.mlflow_requests import asked_of_file
from hitl_mlops.plugins.mlflow_rules import ALLOWED, Action, Known, may
from hitl_mlops.servers.mlflow_people import Role

READY = Known(by="ann", trainer="tom", verdict="pass")
roles = some.frozensets(some.sampled_from(Role))


@given(roles, some.sampled_from(Action))
def test_what_nobody_may_nobody_may_in_any_company(who: frozenset[Role], action: Action) -> None:
    if not ALLOWED[action]:
        assert may(who, action, READY) is not None


@given(roles, some.sampled_from(Action))
def test_more_roles_never_allow_less(who: frozenset[Role], action: Action) -> None:
    if may(who, action, READY) is None:
        assert may(who | {Role.ADMIN}, action, READY) is None


@given(roles.filter(lambda who: Role.RELEASE_MANAGER not in who))
def test_without_being_a_release_manager_nobody_approves(who: frozenset[Role]) -> None:
    assert may(who, Action.APPROVE, READY) is not None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"trainer": None}, "Nobody knows who trained"),
        ({"trainer": "ann"}, "Who trained"),
        ({"verdict": None}, "no gate report"),
        ({"verdict": "inconclusive"}, "did not pass"),
        ({"fault": "The approval gives no reason."}, "no reason"),
        ({"past_the_app": ("the description",)}, "past the app: the description"),
    ],
)
def test_what_stands_against_an_approval_is_named(changes: dict[str, object], why: str) -> None:
    assert why in str(may({Role.RELEASE_MANAGER}, Action.APPROVE, replace(READY, **changes)))


def test_nothing_known_allows_neither_approval_nor_champion() -> None:
    assert may({Role.RELEASE_MANAGER}, Action.APPROVE, Known()) is not None
    assert may({Role.PIPELINE}, Action.MOVE_CHAMPION, Known()) is not None


@pytest.mark.parametrize("reason", ["approved", "was_champion", "first"])
def test_champion_goes_where_one_of_three_things_is_so(reason: str) -> None:
    known = replace(READY, **{reason: True})
    assert may({Role.PIPELINE}, Action.MOVE_CHAMPION, known) is None
    past = replace(known, past_the_app=("the tag hitl.gates",))
    assert may({Role.PIPELINE}, Action.MOVE_CHAMPION, past) is not None


@pytest.mark.parametrize(
    ("path", "action"),
    [
        ("1/r/artifacts/model/x", Action.REPLACE_BYTES),
        ("1/r/artifacts/model", Action.REPLACE_BYTES),
        ("1/r/artifacts", Action.REPLACE_BYTES),
        ("1/r/artifacts/z/../model/x", Action.REPLACE_BYTES),
        ("1/r/artifacts/model-2/x", Action.WRITE_FILE),
        ("1/r/artifacts/hitl/gates.json", Action.WRITE_REPORT),
    ],
)
def test_a_path_is_in_a_version_or_above_it_or_beside_it(path: str, action: Action) -> None:
    assert asked_of_file(path, deletes=False, sources=["1/r/artifacts/model"]).action is action
