"""Small data sets, fitted models and notes for the tests of training and of its registries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.training.fit import fit
from hitl_mlops.training.recipe import Recipe
from hitl_mlops.training.record import FittedModel, ReleaseNotes

DATASET = "sha256:" + "d" * 64
POLICY = "sha256:" + "e" * 64


def a_table(rows: int = 120, seed: int = 0) -> pd.DataFrame:
    """A table of every kind of column, with gaps; `label` follows amount and kind."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "amount": rng.normal(size=rows),
            "kind": rng.choice(["a", "b", "c"], rows),
            "flag": rng.choice([True, False], rows),
            "when": pd.date_range("2024-01-01", periods=rows, freq="7h").astype(str),
            "note": [" ".join(rng.choice(["late", "paid", "card", "lost", "new"], 6)) for _ in range(rows)],
            "code": [f"x{place}" for place in range(rows)],
        }
    )
    frame["label"] = np.where((frame["amount"] > 0) | (frame["kind"] == "a"), "yes", "no")
    frame.loc[::7, "amount"] = np.nan
    frame.loc[::11, "kind"] = None
    return frame


def a_table_task(**changes: Any) -> Task:
    task = Task("loans", InputKind.TABLE, ("amount", "kind", "flag", "when", "note", "code"), ("no", "yes"))
    return replace(task, **changes)


def some_texts(rows: int = 60) -> pd.DataFrame:
    words = {"card": "my card is lost please help", "cash": "the machine kept my cash today"}
    labels = ["card" if place % 2 else "cash" for place in range(rows)]
    return pd.DataFrame(
        {"text": [f"{words[label]} {at}" for at, label in enumerate(labels)], "label": labels}
    )


def a_text_task(**changes: Any) -> Task:
    return replace(Task("tickets", InputKind.TEXT, ("text",), ("card", "cash")), **changes)


def every_fifth(frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """A mask that holds back every fifth row."""
    return np.arange(len(frame)) % 5 == 0


def a_fitted_model(recipe: Recipe | None = None, **changes: Any) -> FittedModel:
    frame = a_table()
    fitted = fit(
        frame,
        a_table_task(),
        recipe or Recipe(),
        held_back=every_fifth(frame),
        dataset_digest=DATASET,
        dataset_number=2,
    )
    return replace(fitted, **changes)


def release_notes(**changes: Any) -> ReleaseNotes:
    notes = ReleaseNotes(2, DATASET, 214, 61, (("8", "3", 40), ("1", "7", 21)), POLICY, "1")
    return replace(notes, **changes)
