"""What was trained, and what the registry knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hitl_mlops.training.clusters import ErrorCluster


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A model that learned, before it has a version.

    Attributes:
        estimator: fitted scikit-learn estimator with `predict_proba`.
        classes: labels in the order of its probability columns.
        inputs: columns it reads, in its order.
        recipe: the recipe's name, with the hash of its parameters.
        dataset_digest: what it learned from.
        dataset_number: the number of that version.
        train_rows: how many examples it learned from.
        test_rows: how many were held back.
        metrics: figures on the held-back part, `accuracy`, `log_loss`, …
        signature_sample: a few input rows, for the registry's signature.
        recalibrate: how its confidences were set right.
    """

    estimator: Any
    classes: tuple[str, ...]
    inputs: tuple[str, ...]
    recipe: str
    dataset_digest: str
    dataset_number: int
    train_rows: int
    test_rows: int
    metrics: Mapping[str, float]
    signature_sample: Any
    recalibrate: str = "none"


@dataclass(frozen=True, slots=True)
class ReleaseNotes:
    """What a release manager should know of a challenger.

    Attributes:
        dataset_number: the dataset version it learned from.
        dataset_digest: its digest.
        new_labels: labels since the champion's dataset.
        overrides: of those, the ones in which people differed from the model.
        overrides_by_class: `model → people` pairs with their count, most first.
        policy_hash: the policy in force.
        champion: version of the champion it would replace; None for the first.
        first_answer_at: when people gave the first of the answers that no model had learned from; None: none.
        clusters: where people overrule the champion, the weightiest first.
    """

    dataset_number: int
    dataset_digest: str
    new_labels: int
    overrides: int
    overrides_by_class: tuple[tuple[str, str, int], ...]
    policy_hash: str
    champion: str | None
    first_answer_at: datetime | None = None
    clusters: tuple[ErrorCluster, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A version as the registry has it.

    Attributes:
        name: the registered model.
        version: the registry's version, as text.
        digest: content hash of the artifact bytes, `sha256:…`.
        run_key: the deterministic key of the training that made it.
        created_at: when.
        tags: the registry's tags.
        aliases: `champion`, `challenger`, …
        metrics: figures of the training run.
        description: what its page shows, Markdown.
    """

    name: str
    version: str
    digest: str
    run_key: str
    created_at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    description: str = ""
