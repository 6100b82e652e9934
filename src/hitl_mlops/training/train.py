"""The verb: a challenger has learned from a dataset version, is registered, and stands in the trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.database.connect import Database
from hitl_mlops.dataset.manifest import DatasetVersion
from hitl_mlops.dataset.split import split_by_subject
from hitl_mlops.decisions.task import Task
from hitl_mlops.errors import InputError
from hitl_mlops.ids import content_id
from hitl_mlops.training.fit import fit
from hitl_mlops.training.lock import training_lock
from hitl_mlops.training.recipe import Recipe
from hitl_mlops.training.record import ModelVersion, ReleaseNotes
from hitl_mlops.training.registry import CHALLENGER, CHAMPION, RETRAINING, ModelRegistry
from hitl_mlops.training.replay import replayed, reviewed_rows

TOLD_CLUSTERS = 10
"""How many clusters of overrides one entry of the trail tells; their values stay outside it."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The rows of a dataset version, ready to learn from.

    Attributes:
        digest: of the dataset version.
        number: of the dataset version.
        rows: one per example: the task's inputs and `label`.
        held_back: true for rows that only measure; shape (n,).
    """

    digest: str
    number: int
    rows: pd.DataFrame
    held_back: npt.NDArray[np.bool_]


def training_set(
    dataset: DatasetVersion, rows: pa.Table, *, key: bytes, until: datetime | None = None
) -> TrainingSet:
    """The rows of the version (`DatasetStore.read`), split by subject: one in five only measures.

    Args:
        dataset: names the version.
        rows: its rows, with `subject`, `label`, and `at` where `until` is given.
        key: the project's; it fixes which subjects are held back, now and in later versions.
        until: rows of this time and later only measure too, so that the figures are those of the time after;
            None: no row is held back for its time.
    """
    held_back = ~split_by_subject(rows, key=key, train_until=until).train
    return TrainingSet(dataset.digest, dataset.number, rows.to_pandas(), held_back)


def run_key(dataset_digest: str, recipe: Recipe, policy_hash: str) -> str:
    """The name of a training: the same dataset, recipe and policy have the same."""
    return content_id(
        "train", {"dataset": dataset_digest, "recipe": recipe.fingerprint(), "policy": policy_hash}
    )


def train(  # the ports it acts on, by name
    learned: TrainingSet,
    task: Task,
    recipe: Recipe,
    notes: ReleaseNotes,
    *,
    registry: ModelRegistry,
    trail: Trail,
    database: Database,
    actor: str,
    now: datetime,
) -> ModelVersion:
    """A version that learned from the set is registered, is challenger, and has its entry in the trail.

    The same dataset, recipe and policy again give the version that exists, without learning anew; what a
    killed training left undone is finished. A champion does not become challenger again.

    Raises:
        BusyError: another retraining runs.
        InputError: the rows cannot be learned from, or the notes are of another dataset.
        ConfigurationError: the recipe is none, failed, or holds types that are not trusted.
        ServiceDownError: the registry does not answer.
    """
    if notes.dataset_digest != learned.digest:
        raise InputError(
            f"The notes are of dataset {notes.dataset_digest}, the rows of {learned.digest}.",
            remedy="Gather the notes from the version that is learned from.",
        )
    key = run_key(learned.digest, recipe, notes.policy_hash)
    with training_lock(database, now):
        version = next((known for known in registry.versions() if known.run_key == key), None)
        if version is None:
            fitted = fit(
                learned.rows,
                task,
                recipe,
                held_back=learned.held_back,
                dataset_digest=learned.digest,
                dataset_number=learned.number,
            )
            version = registry.register(fitted, notes, run_key=key)
        if not {CHAMPION, CHALLENGER} & set(version.aliases):
            registry.set_alias(CHALLENGER, version.version)
        _tell(trail, version, notes, _learned(learned, recipe, notes, version), actor, now)
        return registry.get(version.version)


def _learned(
    learned: TrainingSet, recipe: Recipe, notes: ReleaseNotes, version: ModelVersion
) -> dict[str, Any]:
    """What it learned from, where people overruled the champion most, and how long answers waited for it."""
    rows = ~learned.held_back & replayed(learned.rows, recipe.replay)
    reviewed = int((rows & reviewed_rows(learned.rows)).sum())
    waited = version.created_at - notes.first_answer_at if notes.first_answer_at else None
    return {
        "base_rows": int(rows.sum()) - reviewed,
        "reviewed_rows": reviewed,
        "replay": recipe.replay,
        "feedback_to_retrain_s": None if waited is None else round(max(0.0, waited.total_seconds()), 3),
        "clusters": [
            {"overrides": one.overrides, "impact": float(f"{one.impact:.6g}"), "slice": one.slice}
            | {"from": one.model_label, "to": one.label}
            for one in notes.clusters[:TOLD_CLUSTERS]
        ],
    }


def _tell(
    trail: Trail,
    version: ModelVersion,
    notes: ReleaseNotes,
    learned: Mapping[str, Any],
    actor: str,
    now: datetime,
) -> None:
    """The trail has one entry of the registration, however often it is told."""
    told = (entry.read() for entry in trail.about(version.digest))
    if any(entry["kind"] == Kind.MODEL_REGISTERED for entry in told):
        return
    trail.append(
        [
            Event(
                kind=Kind.MODEL_REGISTERED,
                actor=actor,
                at=now,
                refs={
                    "model": [version.version],
                    "bytes": [version.digest],
                    "dataset": [notes.dataset_digest],
                    "policy": [notes.policy_hash],
                    "series": [RETRAINING],
                },
                facts={
                    "name": version.name,
                    "digest": version.digest,
                    "run_key": version.run_key,
                    "champion": notes.champion,
                    "learned": dict(learned),
                    "metrics": {
                        name: value
                        for name, value in version.metrics.items()
                        if not name.startswith("recall.")
                    },
                },
            )
        ]
    )
