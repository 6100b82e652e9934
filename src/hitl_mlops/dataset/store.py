"""The port of the dataset store. Twin `store_in_memory`, real adapter `store_delta`.

Two logs, both append-only. *Examples*: one row per case with what a model may see (`example_id`,
`subject`, `at`, the kept columns, the inputs). *Label events*: one row each time a label was given
(`example_id`, `label`, `source`, `resolution_id`, `reviewers`, `model_label`, `model_version`,
`policy_hash`, `pi`, `decided_at`). A `withdrawn` event takes back the resolution that it names; the label
of an example at a version is that of its last event that was not taken back, so that a withdrawn override
lets the label before it stand again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from hitl_mlops.dataset.manifest import DatasetVersion, Lineage

LABEL_SCHEMA = pa.schema(
    [
        pa.field("example_id", pa.string(), nullable=False),
        pa.field("label", pa.string()),
        pa.field("source", pa.string(), nullable=False),  # base | agreed | override | withdrawn
        pa.field("resolution_id", pa.string()),
        pa.field("reviewers", pa.string()),  # roster ids, comma-separated
        pa.field("model_label", pa.string()),
        pa.field("model_version", pa.string()),
        pa.field("policy_hash", pa.string()),
        pa.field("pi", pa.float64()),
        pa.field("decided_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)


class DatasetStore(Protocol):
    """Keeps the two logs and the versions over them."""

    def commit(self, examples: pa.Table, labels: pa.Table, lineage: Lineage, now: datetime) -> DatasetVersion:
        """Extend both logs and name the result; costs what is new, not what is there.

        Examples already in the log (same `example_id`) are left out; label events already there (same
        `example_id`, `resolution_id` and `source`) too, and withdrawals of what was never there. Nothing new:
        answers the version that stands. A commit that was killed half-way is either finished or invisible
        when it is made again.

        Raises:
            InputError: a column is missing or of another type than the log's; an example id is empty or given
                twice; a label event names no example; a first commit without examples.
            BusyError: two commits at once, after the retries.
        """
        ...

    def fresh(self, examples: pa.Table, labels: pa.Table) -> tuple[pa.Table, pa.Table]:
        """The examples and label events that a commit now would append; same errors."""
        ...

    def versions(self) -> list[DatasetVersion]:
        """All versions, oldest first."""
        ...

    def version(self, name: str | int) -> DatasetVersion:
        """By number, digest or `latest`; raises NotFoundError naming the versions that exist."""
        ...

    def read(self, version: DatasetVersion) -> pa.Table:
        """Examples with their label at that version, the same values whenever it is read.

        The example columns and `label`, `source`, `resolution_id`, `pi`, `decided_at`; rows in log order;
        examples without a label are left out.

        Raises:
            IntegrityError: rows of the version are gone.
        """
        ...

    def labels(
        self,
        version: DatasetVersion,
        *,
        since: DatasetVersion | None = None,
        examples: Sequence[str] | None = None,
    ) -> pa.Table:
        """The label events up to that version, in log order, by LABEL_SCHEMA.

        Only those after `since`, where given (reads nothing before it); only of these examples, where given.
        """
        ...

    def recompute(self, version: DatasetVersion) -> str:
        """The digest computed anew from the values of both logs, in bounded memory; for auditors."""
        ...
