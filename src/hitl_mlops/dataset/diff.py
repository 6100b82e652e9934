"""What changed between two versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from hitl_mlops.dataset.manifest import DatasetVersion
from hitl_mlops.dataset.store import DatasetStore
from hitl_mlops.errors import InputError


@dataclass(frozen=True, slots=True)
class DatasetDiff:
    """What the newer version says otherwise; ids in the order of their first new event.

    Attributes:
        old: number of the older version.
        new: number of the newer.
        added: examples that got a label and had none.
        changed: examples whose label is another.
        confirmed: examples that were labelled again with the same label.
        withdrawn: examples that had a label and have none.
        by_class: (old label, new label) → examples, of added, changed and withdrawn; None for no label.
        by_reviewer: roster id → label events of theirs after `old`, withdrawals not counted.
    """

    old: int
    new: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    confirmed: tuple[str, ...]
    withdrawn: tuple[str, ...]
    by_class: Mapping[tuple[str | None, str | None], int]
    by_reviewer: Mapping[str, int]


def diff(store: DatasetStore, old: DatasetVersion, new: DatasetVersion) -> DatasetDiff:
    """What `new` says otherwise than `old`; reads the events after `old`, and those examples' earlier ones.

    Raises:
        InputError: `new` is older than `old`.
    """
    if new.number < old.number:
        raise InputError(
            f"Version {new.number} is older than version {old.number}.",
            remedy=f"Type `hitl dataset diff {new.number} {old.number}`.",
        )
    events = store.labels(new, since=old)
    touched = list(dict.fromkeys(events.column("example_id").to_pylist()))
    earlier = store.labels(old, examples=touched) if touched else events
    before = standing_labels(earlier)
    after = standing_labels(pa.concat_tables([earlier, events]))
    pairs = {example: (before.get(example), after.get(example)) for example in touched}
    return DatasetDiff(
        old=old.number,
        new=new.number,
        added=tuple(name for name, (was, now) in pairs.items() if was is None and now is not None),
        changed=tuple(name for name, (was, now) in pairs.items() if None not in (was, now) and was != now),
        confirmed=tuple(name for name, (was, now) in pairs.items() if was is not None and was == now),
        withdrawn=tuple(name for name, (was, now) in pairs.items() if was is not None and now is None),
        by_class=dict(Counter(pair for pair in pairs.values() if pair[0] != pair[1]).most_common()),
        by_reviewer=_by_reviewer(events),
    )


def standing_labels(events: pa.Table) -> dict[str, str]:
    """Example id → the label of its last event that was not taken back."""
    rows: list[dict[str, Any]] = events.select(["example_id", "label", "source", "resolution_id"]).to_pylist()
    gone = {row["resolution_id"] for row in rows if row["source"] == "withdrawn"} - {None}
    return {
        row["example_id"]: row["label"]
        for row in rows
        if row["source"] != "withdrawn" and row["resolution_id"] not in gone
    }


def _by_reviewer(events: pa.Table) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for source, names in zip(
        events.column("source").to_pylist(), events.column("reviewers").to_pylist(), strict=True
    ):
        if source != "withdrawn" and names:
            counts.update(names.split(","))
    return dict(counts.most_common())
