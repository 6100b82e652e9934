"""The port of the model registry. Twin `registry_in_memory`, real adapter `registry_mlflow`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from hitl_mlops.decisions.model import Model
from hitl_mlops.errors import InputError, NotFoundError
from hitl_mlops.training.record import FittedModel, ModelVersion, ReleaseNotes

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
APPROVAL_TAG, APPROVER_TAG = "hitl.approval", "hitl.approver"
RETRAINING = "retraining"
"""What the entries of the trail are about that tell of trainings and of what spoke for them."""
RUN_KEY_TAG, DIGEST_TAG, DATASET_TAG = "hitl.run_key", "hitl.digest", "hitl.dataset"
GATES_TAG, POLICY_TAG, VERDICT_TAG = "hitl.gates", "hitl.policy", "hitl.verdict"
"""Of the latest gate report: its digest, the policy it was judged by, its verdict."""


class ModelRegistry(Protocol):
    """Keeps model versions, their notes, tags and aliases."""

    def register(self, fitted: FittedModel, notes: ReleaseNotes, *, run_key: str) -> ModelVersion:
        """Store the model and name a new version; the same run key gives the version that exists.

        The first version is nobody's champion until `set_alias` says so. The dataset is logged as an input
        with its own digest. The description holds the notes as Markdown. Killed half-way and called again,
        it finishes; there is at most one version per key.

        Raises:
            ConfigurationError: the estimator holds types that are not trusted.
            ServiceDownError: the registry does not answer.
            BusyError: its database is locked.
        """
        ...

    def get(self, version: str) -> ModelVersion:
        """The version; raises NotFoundError naming those that exist."""
        ...

    def versions(self) -> list[ModelVersion]:
        """All versions, oldest first."""
        ...

    def alias(self, alias: str) -> ModelVersion | None:
        """The version that carries the alias now."""
        ...

    def set_alias(self, alias: str, version: str) -> None:
        """Move the alias; it is there when read again.

        Raises:
            NotFoundError: there is no such version.
            BusyError: somebody else moved it at the same time.
        """
        ...

    def drop_alias(self, alias: str) -> None:
        """Take the alias away; gone already is no error."""
        ...

    def load(self, version: str, *, digest: str | None = None) -> Model:
        """The model, its bytes hashed while loading.

        Raises:
            IntegrityError: the bytes are not those of `digest`, or of the version's own digest tag.
            ServiceDownError: the registry does not answer and no digest-checked copy is at hand.
        """
        ...

    def set_tag(self, version: str, key: str, value: str) -> None:
        """Set a tag of the version."""
        ...

    def describe(self, version: str, markdown: str) -> None:
        """Replace the description that the version's page shows."""
        ...

    def attach(self, version: str, files: Mapping[str, bytes]) -> None:
        """Store files (name → bytes) as artifacts of the version's run, under `hitl/`.

        A name that is there already gets the new bytes.

        Raises:
            InputError: a name is no plain file name.
        """
        ...

    def attached(self, version: str, name: str) -> bytes:
        """A file stored by `attach`; raises NotFoundError."""
        ...


def check_file_name(name: str) -> None:
    """The name is a plain file name, which leads nowhere else.

    Raises:
        InputError: it is not.
    """
    if not re.fullmatch(r"\w[\w .-]{0,99}", name):
        raise InputError(
            f"{name!r} is no plain file name.",
            remedy="Use letters, digits, dots, dashes and underscores, up to 100 characters.",
        )


def no_version(name: str, version: str, known: Sequence[str]) -> NotFoundError:
    """The error for a version that does not exist."""
    there = f"its versions: {', '.join(known[-20:])}" if known else "it has none yet"
    return NotFoundError(
        f"Model {name} has no version {version}; {there}.",
        remedy="Name one of these." if known else "Make the first with: hitl train",
        version=version,
        known=list(known),
    )


def no_file(version: str, name: str) -> NotFoundError:
    """The error for a file that was never attached."""
    return NotFoundError(
        f"No file {name} is attached to model {version}.",
        remedy=f"Gate reports are attached by: hitl gate {version}",
        version=version,
        name=name,
    )
