from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.database.connect import Database
from hitl_mlops.dataset.manifest import DatasetVersion, Lineage
from hitl_mlops.errors import InputError
from hitl_mlops.training.recipe import Recipe
from hitl_mlops.training.record import ModelVersion
from hitl_mlops.training.registry import CHALLENGER, CHAMPION
from hitl_mlops.training.registry_in_memory import InMemoryRegistry
from hitl_mlops.training.train import TrainingSet, run_key, train, training_set
from tests.training_builders import DATASET, POLICY, a_table, a_table_task, every_fifth, release_notes

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class World:
    """The ports of a training, in memory."""

    def __init__(self) -> None:
        self.registry = InMemoryRegistry("loans")
        self.trail = InMemoryTrail()
        self.database = Database("sqlite://")
        self.database.create()

    def train(self, *, seed: int = 0, rows: TrainingSet | None = None) -> ModelVersion:
        return train(
            rows or a_training_set(),
            a_table_task(),
            Recipe(seed=seed),
            release_notes(),
            registry=self.registry,
            trail=self.trail,
            database=self.database,
            actor="flow:retrain",
            now=NOW,
        )

    def told(self) -> list[dict[str, object]]:
        return [entry.read() for entry in self.trail.entries()]


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.database.close()


def a_training_set() -> TrainingSet:
    frame = a_table()
    return TrainingSet(DATASET, 2, frame, every_fifth(frame))


def test_the_new_version_is_challenger_and_stands_in_the_trail(world: World) -> None:
    version = world.train()
    assert version.aliases == (CHALLENGER,)
    (entry,) = world.told()
    assert entry["kind"] == Kind.MODEL_REGISTERED
    assert entry["refs"] == {
        "model": ["1"],
        "bytes": [version.digest],
        "dataset": [DATASET],
        "policy": [POLICY],
        "series": ["retraining"],
    }
    assert entry["facts"]["digest"] == version.digest
    assert entry["facts"]["run_key"] == run_key(DATASET, Recipe(), POLICY)
    assert entry["facts"]["metrics"]["accuracy"] == version.metrics["accuracy"]


def test_the_same_again_gives_the_same_version_and_one_entry(world: World) -> None:
    assert world.train() == world.train()
    assert len(world.registry.versions()) == len(world.told()) == 1


def test_another_recipe_gives_another_version_that_takes_the_alias(world: World) -> None:
    world.train()
    second = world.train(seed=1)
    assert (second.version, second.aliases) == ("2", (CHALLENGER,))
    assert world.registry.get("1").aliases == ()


def test_a_champion_does_not_become_challenger_again(world: World) -> None:
    world.train()
    world.registry.set_alias(CHAMPION, "1")
    world.registry.drop_alias(CHALLENGER)
    assert world.train().aliases == (CHAMPION,)


def test_what_a_killed_training_left_undone_is_finished(world: World) -> None:
    killed = World()
    killed.registry = world.registry
    killed.train()
    world.registry.drop_alias(CHALLENGER)
    assert world.train().aliases == (CHALLENGER,)
    assert [entry["kind"] for entry in world.told()] == [Kind.MODEL_REGISTERED]
    killed.database.close()


def test_a_training_that_fails_leaves_nothing_and_no_lock(world: World) -> None:
    rows = a_training_set()
    broken = replace(rows, rows=rows.rows.assign(label="yes"))
    with pytest.raises(InputError):
        world.train(rows=broken)
    assert world.registry.versions() == []
    assert world.told() == []
    assert world.train().version == "1"


def test_notes_of_another_dataset_are_refused(world: World) -> None:
    with pytest.raises(InputError, match="The notes are of dataset"):
        world.train(rows=replace(a_training_set(), digest="sha256:other"))


def test_versions_of_one_dataset_predict_the_same_wherever_they_were_trained(world: World) -> None:
    other = World()
    given = a_table()
    first = world.registry.load(world.train().version).probabilities(given)
    second = other.registry.load(other.train().version).probabilities(given)
    np.testing.assert_array_equal(first, second)
    other.database.close()


def test_a_subject_is_wholly_held_back_or_wholly_learned_from() -> None:
    table = pa.table({"subject": [f"s{at % 40}" for at in range(400)], "label": ["a", "b"] * 200})
    dataset = DatasetVersion(3, DATASET, None, 400, 400, NOW, Lineage(0, "sha256:0"), {})
    learned = training_set(dataset, table, key=b"k")
    sides = learned.rows.assign(held=learned.held_back).groupby("subject")["held"].nunique()
    assert set(sides) == {1}
    assert 0 < learned.held_back.mean() < 0.5
    assert (learned.digest, learned.number) == (DATASET, 3)
