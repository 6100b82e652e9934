"""What a commit adds to the two logs: decided from values alone, the same for every store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hitl_mlops.dataset.columns import Columns, columns_of, conform, normal_table, type_name
from hitl_mlops.dataset.digest import EMPTY_HEAD, head_after, version_digest
from hitl_mlops.dataset.keys import ABSENT, KeyTable, example_keys, key_table, label_keys, places
from hitl_mlops.dataset.manifest import DatasetVersion, Lineage
from hitl_mlops.dataset.store import LABEL_SCHEMA
from hitl_mlops.errors import InputError

LABEL_COLUMNS = tuple((field.name, type_name(field.type)) for field in LABEL_SCHEMA)
LOGGED_LABEL_COLUMNS = (*LABEL_COLUMNS, ("example_row", "int64"))
"""As the log keeps an event: with the place of its example, so that reading needs no join."""

REQUIRED = {"example_id": "string", "subject": "string", "at": "time"}
RESERVED = frozenset({*LABEL_SCHEMA.names, "example_row"} - {"example_id"})
"""Names that an example column may not have: reading puts the label's columns beside the example's."""


@dataclass(frozen=True, slots=True)
class Extension:
    """What is new, and what both logs are called with it.

    Attributes:
        examples: new examples, in kept types.
        labels: new label events, by LOGGED_LABEL_COLUMNS.
        columns: of the examples.
        first_rows: lengths of both logs before: examples, labels.
        heads: heads of both logs after: examples, labels.
        example_table: key table of the new examples.
        label_table: key table of the new label events.
    """

    examples: pa.Table
    labels: pa.Table
    columns: Columns
    first_rows: tuple[int, int]
    heads: tuple[str, str]
    example_table: KeyTable
    label_table: KeyTable

    @property
    def empty(self) -> bool:
        """Nothing is new."""
        return not (self.examples.num_rows or self.labels.num_rows)


def extend(
    parent: DatasetVersion | None,
    examples: pa.Table,
    labels: pa.Table,
    known_examples: Sequence[KeyTable],
    known_labels: Sequence[KeyTable],
) -> Extension:
    """The rows that are not known yet, with the heads of the logs after them; see `DatasetStore.commit`."""
    examples = _conformed_examples(parent, examples)
    keys = example_keys(examples)
    new = places(known_examples, keys) == ABSENT
    if not new.all():
        examples, keys = examples.filter(pa.array(new)), keys[:, new]
    first_rows = (parent.example_rows, parent.label_rows) if parent else (0, 0)
    example_table = key_table(keys, first_rows[0])
    _check_twice(examples, example_table, first_rows[0])
    labels = _placed_labels(conform(labels, LABEL_COLUMNS, "label events"), [*known_examples, example_table])
    labels, label_table = _unknown_labels(labels, known_labels, first_rows[1])
    heads = [parent.details[log]["head"] if parent else EMPTY_HEAD for log in ("examples", "labels")]
    return Extension(
        examples=examples,
        labels=labels,
        columns=columns_of(examples),
        first_rows=first_rows,
        heads=(head_after(heads[0], examples), head_after(heads[1], labels)),
        example_table=example_table,
        label_table=label_table,
    )


def named(
    parent: DatasetVersion | None,
    extension: Extension,
    batches: tuple[int | None, int | None],
    lineage: Lineage,
    now: datetime,
) -> DatasetVersion:
    """The version that stands once the extension is in both logs as these batches."""
    example_rows = extension.first_rows[0] + extension.examples.num_rows
    label_rows = extension.first_rows[1] + extension.labels.num_rows
    example_head, label_head = extension.heads
    return DatasetVersion(
        number=parent.number + 1 if parent else 1,
        digest=version_digest(
            extension.columns,
            example_head=example_head,
            example_rows=example_rows,
            label_head=label_head,
            label_rows=label_rows,
        ),
        parent=parent.digest if parent else None,
        example_rows=example_rows,
        label_rows=label_rows,
        created_at=now,
        lineage=lineage,
        details={
            "columns": [list(column) for column in extension.columns],
            "examples": {"head": example_head, "batch": batches[0]},
            "labels": {"head": label_head, "batch": batches[1]},
        },
    )


def _conformed_examples(parent: DatasetVersion | None, examples: pa.Table) -> pa.Table:
    if parent is not None:
        examples = conform(examples, parent.columns, "examples")
    else:
        examples = normal_table(examples)
        if not examples.num_rows:
            raise InputError(
                "The first version has no examples.",
                remedy="Name a file with rows as `model.base` in hitl.yaml.",
            )
        _check_first(examples)
    for name in REQUIRED:
        if examples.column(name).null_count:
            raise InputError(
                f"{examples.column(name).null_count} examples have no {name}.",
                remedy="Give every case an id, a subject and a time, or leave these keys out of hitl.yaml.",
                column=name,
            )
    return examples


def _check_first(examples: pa.Table) -> None:
    columns = dict(columns_of(examples))
    wrong = [name for name, kind in REQUIRED.items() if columns.get(name) != kind]
    taken = sorted(RESERVED.intersection(columns) | {name for name in columns if name.startswith("_")})
    if wrong:
        raise InputError(
            f"The examples need {', '.join(f'{name} ({REQUIRED[name]})' for name in wrong)}.",
            remedy="Name the columns of id, subject and time in hitl.yaml.",
            missing=wrong,
        )
    if taken:
        raise InputError(
            f"A dataset keeps the names {', '.join(taken)} for itself.",
            remedy="Rename these columns in your data and in hitl.yaml.",
            columns=taken,
        )


def _check_twice(examples: pa.Table, table: KeyTable, first_row: int) -> None:
    again = (table[0][1:] == table[0][:-1]) & (table[1][1:] == table[1][:-1])
    if again.any():
        rows = np.sort(table[2][1:][again]).astype(np.int64) - first_row
        twice = sorted(set(examples.column("example_id").take(pa.array(rows[:5])).to_pylist()))
        raise InputError(
            f"{len(rows)} example ids are given more than once, e.g. {', '.join(twice)}.",
            remedy="Make the id column unique, or leave `task.id` out of hitl.yaml.",
            examples=twice,
        )


def _placed_labels(labels: pa.Table, tables: Sequence[KeyTable]) -> pa.Table:
    rows = places(tables, example_keys(labels))
    withdrawn = pc.equal(labels.column("source"), "withdrawn").to_numpy()
    stray = (rows == ABSENT) & ~withdrawn
    if stray.any():
        ids = labels.column("example_id").filter(pa.array(stray)).slice(0, 5).to_pylist()
        raise InputError(
            f"{int(stray.sum())} label events name no example, e.g. {', '.join(ids)}.",
            remedy="Give the example together with its label.",
            examples=ids,
        )
    if pc.any(pc.and_(pc.is_null(labels.column("label")), pa.array(~withdrawn))).as_py():
        raise InputError("A label event has no label.", remedy="Only a withdrawal may come without a label.")
    labels = labels.append_column("example_row", pa.array(rows))
    return labels if (rows != ABSENT).all() else labels.filter(pa.array(rows != ABSENT))


def _unknown_labels(labels: pa.Table, known: Sequence[KeyTable], first_row: int) -> tuple[pa.Table, KeyTable]:
    keys = label_keys(labels)
    kept = places(known, keys) == ABSENT
    table = key_table(keys, first_row)
    again = (table[0][1:] == table[0][:-1]) & (table[1][1:] == table[1][:-1])
    kept[table[2][1:][again].astype(np.intp) - first_row] = False
    if kept.all():
        return labels, table
    return labels.filter(pa.array(kept)), key_table(keys[:, kept], first_row)
