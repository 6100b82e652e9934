"""Who may do what in MLflow: the file, the accounts, and what is refused."""

from __future__ import annotations

import stat

import pytest

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.servers import mlflow
from hitl_mlops.servers.mlflow_accounts import (
    FIRST_PEOPLE,
    accounts_file,
    demand_people,
    has_people,
    people_file,
    pipeline_login,
    read_or_make,
    release_manager_login,
    write_first_people,
)
from hitl_mlops.servers.mlflow_people import Role, read_people


def state_in(folder):
    state = folder / ".hitl"
    state.mkdir()
    return state


def test_the_file_that_is_written_first_reads_back(tmp_path):
    state = state_in(tmp_path)
    assert not has_people(state)
    write_first_people(state)
    assert demand_people(state) == FIRST_PEOPLE
    people_file(state).write_text("pipeline: [p]\n")
    write_first_people(state)
    assert demand_people(state).accounts == ("p",)


def test_an_account_may_be_in_several_groups_and_a_stranger_reads(tmp_path):
    file = tmp_path / "people.yaml"
    file.write_text("release-managers: [ann]\ntrainers: [ann, tom]\npipeline: [p]\n")
    people = read_people(file)
    assert people.roles_of("ann") == {Role.READER, Role.TRAINER, Role.RELEASE_MANAGER}
    assert people.roles_of("eve") == {Role.READER}
    assert people.roles_of("eve", is_admin=True) == {Role.READER, Role.ADMIN}
    assert people.accounts == ("ann", "tom", "p")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("releasers: [ann]\npipeline: [p]\n", "releasers"),
        ("release-managers: [p]\npipeline: [p]\n", "is also the pipeline"),
        ("release-managers: [ann\n", "not YAML"),
        ("release-managers: [7]\n", "not a text"),
        ("release-managers: [ann]\nrelease-managers: [eve]\n", "twice"),
    ],
)
def test_a_wrong_file_names_its_line(tmp_path, text, why):
    file = tmp_path / "people.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=f"line .*{why}"):
        read_people(file)


def test_a_project_without_a_pipeline_or_release_manager_is_told(tmp_path):
    state = state_in(tmp_path)
    people_file(state).write_text("trainers: [tom]\n")
    with pytest.raises(ConfigurationError, match="no account for the pipeline"):
        demand_people(state)
    people_file(state).write_text("pipeline: [p]\n")
    with pytest.raises(ConfigurationError, match="no release manager"):
        release_manager_login(state)


def test_passwords_are_made_once_for_everybody_and_are_the_owners_alone(tmp_path):
    state = state_in(tmp_path)
    assert pipeline_login(state) is None
    write_first_people(state)
    people = demand_people(state)
    first = read_or_make(state, people.accounts)
    assert stat.S_IMODE(accounts_file(state).stat().st_mode) == 0o600
    assert read_or_make(state, people.accounts) == first
    more = read_or_make(state, (*people.accounts, "ann"))
    assert more.passwords == {**first.passwords, "ann": more.passwords["ann"]}
    assert pipeline_login(state) == ("pipeline", first.passwords["pipeline"])
    assert not any(word in repr(first) for word in first.passwords.values())
    program = mlflow.program(state, port=1, accounts=first)
    assert not any(word in repr(program) for word in first.passwords.values())


def test_a_damaged_file_of_accounts_is_told(tmp_path):
    state = state_in(tmp_path)
    read_or_make(state, ())
    accounts_file(state).write_text("{}")
    with pytest.raises(ConfigurationError, match="accounts of this project's MLflow"):
        read_or_make(state, ())
