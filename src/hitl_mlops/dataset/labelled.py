"""Examples with the label that stands."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

LABEL_VIEW = ("label", "source", "resolution_id", "pi", "decided_at")
"""What reading puts beside an example."""


def standing_events(labels: pa.Table, example_rows: int) -> npt.NDArray[np.int64]:
    """For each example the place of the event that gives its label, -1 where none stands.

    Args:
        labels: events in log order with `example_row`, `source`, `resolution_id`.
        example_rows: length of the examples log.
    """
    standing = np.full(example_rows, -1, dtype=np.int64)
    counted = np.arange(labels.num_rows)
    withdrawal = pc.equal(labels.column("source"), "withdrawn")
    if pc.any(withdrawal).as_py():
        taken_back = labels.column("resolution_id").filter(withdrawal).drop_null().combine_chunks()
        gone = pc.or_(withdrawal, pc.is_in(labels.column("resolution_id"), value_set=taken_back))
        counted = np.flatnonzero(~gone.to_numpy())
    standing[labels.column("example_row").to_numpy()[counted]] = counted  # of several, NumPy keeps the last
    return standing


def labelled(examples: pa.Table, labels: pa.Table) -> pa.Table:
    """The examples that have a label, with the columns of LABEL_VIEW; rows in log order."""
    standing = standing_events(labels, examples.num_rows)
    has_label = standing >= 0
    if not has_label.all():
        examples, standing = examples.filter(pa.array(has_label)), standing[has_label]
    view = labels.select(LABEL_VIEW)
    if not np.array_equal(standing, np.arange(view.num_rows)):
        view = view.take(pa.array(standing))
    for name in LABEL_VIEW:
        examples = examples.append_column(name, view.column(name))
    return examples
