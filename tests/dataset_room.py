"""Tables and stores for the tests of the dataset room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from hitl_mlops.dataset.manifest import Lineage
from hitl_mlops.dataset.store import LABEL_SCHEMA
from hitl_mlops.overrides.record import Method, Resolution

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINEAGE = Lineage(0, "sha256:0")


def some_examples(*ids: str, **columns: Any) -> pa.Table:
    """Examples of these ids, with a column `x` unless others are given."""
    plain = {
        "example_id": list(ids),
        "subject": list(ids),
        "at": pa.array([NOW] * len(ids), pa.timestamp("us", "UTC")),
    }
    return pa.table(plain | (columns or {"x": pa.array([float(len(name)) for name in ids], pa.float64())}))


def some_labels(*events: tuple[str, str | None, str, str | None]) -> pa.Table:
    """Events of (example, label, source, resolution), a minute apart."""
    names = ("example_id", "label", "source", "resolution_id")
    rows = [
        dict(zip(names, event, strict=True))
        | {"decided_at": NOW + timedelta(minutes=at), "reviewers": "ann,bob", "pi": 0.5}
        for at, event in enumerate(events)
    ]
    return pa.Table.from_pylist(rows, schema=LABEL_SCHEMA)


def base_labels(*pairs: tuple[str, str]) -> pa.Table:
    return some_labels(*((example, label, "base", None) for example, label in pairs))


def a_resolution(**changes: Any) -> Resolution:
    plain: dict[str, Any] = {
        "resolution_id": "res_1",
        "decision_id": "d_case-1",
        "ticket_id": "t_1",
        "ticket_kind": "review",
        "label": "no",
        "model_label": "yes",
        "method": Method.SINGLE,
        "answer_keys": ("a_1",),
        "reviewers": ("ann",),
        "reason_codes": (None,),
        "resolved_at": NOW,
    }
    return Resolution(**(plain | changes))
