"""Labelled cases in a file of the project's that no model learns from: a golden set, a stress set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hitl_mlops.dataset.assemble import label_text
from hitl_mlops.decisions.model import Model
from hitl_mlops.decisions.table_file import read_table
from hitl_mlops.decisions.task import Task
from hitl_mlops.errors import InputError
from hitl_mlops.gates.evidence import FixedSet
from hitl_mlops.gates.gather import answered, row_hashes
from hitl_mlops.ids import sha256_hex


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """Labelled cases in a file of the project's.

    Attributes:
        rows: one per case.
        labels: of each, as text.
        inputs: the columns that a model sees.
        source: the file's name and the hash of its bytes.
    """

    rows: pd.DataFrame
    labels: tuple[str, ...]
    inputs: list[str]
    source: str


def read_labelled_file(path: Path, task: Task) -> LabelledFile:
    """The file's cases; every one has the inputs and a label that is one of the classes.

    Raises:
        InputError: the file cannot be read, lacks a column or a label, or has a label that is no class.
    """
    rows = read_table(path)
    missing = [name for name in (*task.inputs, task.label) if name not in rows.columns]
    if missing or task.label is None:
        raise InputError(
            f"{path} has no column {', '.join(map(str, missing))}.",
            remedy="Bring the inputs and the label, as in model.base.",
            missing=missing,
        )
    labels = tuple(str(label_text(one)) for one in rows[task.label])
    strange = sorted(set(labels) - set(task.classes))
    if strange:
        raise InputError(
            f"{path} has labels that are no classes: {', '.join(strange[:5])}.",
            remedy=f"Give each case one of: {', '.join(task.classes)}.",
            classes=strange,
        )
    source = f"{path.name} sha256:{sha256_hex(path.read_bytes())[:12]}"
    return LabelledFile(rows, labels, list(task.inputs), source)


def on_file(
    given: LabelledFile, learned: pd.DataFrame, *, challenger: Model, champion: Model | None
) -> FixedSet:
    """Both models on the file's cases, without those whose inputs stand among the rows learned from."""
    known = set(row_hashes(learned[given.inputs]))
    fresh = np.array([one not in known for one in row_hashes(given.rows[given.inputs])], dtype=np.bool_)
    rows, truth = given.rows[fresh], np.asarray(given.labels, dtype=object)[fresh]
    theirs = None if champion is None else answered(champion, rows)[0] != truth
    ours = answered(challenger, rows)[0] != truth
    return FixedSet(np.asarray(ours), theirs, given.source, int((~fresh).sum()))
