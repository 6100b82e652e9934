"""The verb: a new dataset version, and its entry in the trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.dataset.assemble import Additions, lineage_of
from hitl_mlops.dataset.manifest import DatasetVersion
from hitl_mlops.dataset.store import DatasetStore

NAMED_AT_ONCE = 500
"""How many resolutions one entry of the trail names."""


def build_version(
    additions: Additions, store: DatasetStore, trail: Trail, *, actor: str, now: datetime
) -> DatasetVersion:
    """The additions are in the dataset and the version that holds them is in the trail.

    What the dataset knows already is left out, also of the lineage; nothing new: the version that stands.
    Made again after a kill it finishes what is missing, the trail's entry included.

    Raises:
        InputError, BusyError: see `DatasetStore.commit`.
    """
    examples, labels = store.fresh(additions.examples, additions.labels)
    lineage = lineage_of(labels, source=additions.lineage.source)
    version = store.commit(examples, labels, lineage, now)
    record_version(version, store, trail, actor=actor, now=now)
    return version


def record_version(
    version: DatasetVersion, store: DatasetStore, trail: Trail, *, actor: str, now: datetime
) -> None:
    """The version stands in the trail, once, with the resolutions that it adds to its parent."""
    known = (entry.read()["kind"] for entry in trail.about(version.digest))
    if Kind.DATASET_COMMITTED in known:
        return
    before = store.version(version.parent) if version.parent else None
    added = store.labels(version, since=before).column("resolution_id").drop_null().to_pylist()
    pieces = [added[at : at + NAMED_AT_ONCE] for at in range(0, len(added), NAMED_AT_ONCE)] or [[]]
    trail.append([committed(version, piece, actor=actor, now=now) for piece in pieces])


def committed(version: DatasetVersion, resolutions: Sequence[str], *, actor: str, now: datetime) -> Event:
    """The trail's event of a version, naming these of its resolutions: no case and no person."""
    refs = {"dataset": [version.digest], "resolution": list(resolutions)}
    if version.parent:
        refs["parent"] = [version.parent]
    facts = {
        "number": version.number,
        "example_rows": version.example_rows,
        "label_rows": version.label_rows,
        "resolutions": version.lineage.resolutions,
        "resolutions_digest": version.lineage.resolutions_digest,
        "lineage_digest": version.lineage.digest(),
    }
    return Event(Kind.DATASET_COMMITTED, actor, now, refs, facts)
