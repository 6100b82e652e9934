"""What can be seen of a table before anything is chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hitl_mlops.decisions.task import InputKind
from hitl_mlops.errors import InputError
from hitl_mlops.new_project.names import TEXT_NAMES, words_of
from hitl_mlops.new_project.pixels import holds_paths, pixel_block
from hitl_mlops.new_project.proposal import Wishes
from hitl_mlops.training.columns import ColumnType, FoundColumn, column_types

MOST_ROWS_LOOKED_AT = 50_000
"""Of longer tables so many rows, evenly spaced, tell the types; ids and labels are read in full."""
TEXT_WORDS = 3.0
"""Mean number of words from which a column of few rows is text."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A table and what was found of it.

    Attributes:
        frame: the table.
        types: every column but the block's → its type.
        block: pixel columns, row by row.
        paths: columns of picture files.
        wishes: what the user said.
    """

    frame: pd.DataFrame
    types: Mapping[str, FoundColumn]
    block: tuple[str, ...]
    paths: tuple[str, ...]
    wishes: Wishes

    def is_text(self, name: str) -> bool:
        """The column holds sentences; in a short table also one that is called text and has words."""
        if self.types[name].type is ColumnType.TEXT:
            return True
        if self.types[name].type not in (ColumnType.CATEGORY, ColumnType.DROPPED):
            return False
        return bool(set(words_of(name)) & TEXT_NAMES) and self.mean_words(name) >= TEXT_WORDS

    def mean_words(self, name: str) -> float:
        """Words in a filled cell, on average; 0 where all are empty."""
        filled = self.frame[name].dropna().head(MOST_ROWS_LOOKED_AT)
        return float(filled.map(lambda cell: len(str(cell).split())).mean()) if len(filled) else 0.0

    def is_whole(self, name: str) -> bool:
        """Every cell is filled."""
        return not bool(self.frame[name].isna().any())

    def is_unique(self, name: str) -> bool:
        """Every cell is filled, each with a value of its own."""
        return self.is_whole(name) and not bool(self.frame[name].map(str).duplicated().any())


def look(frame: pd.DataFrame, wishes: Wishes) -> Sight:
    """The table with the type of every column; changes nothing.

    Raises:
        InputError: the table has no rows, or a column that the user named is not there or was named twice.
    """
    columns = [str(name) for name in frame.columns]
    for option, name in wishes.columns().items():
        if name not in columns:
            raise InputError(
                f"The data have no column {name!r}.",
                remedy=f"Choose --{option} from {', '.join(columns[:30])}.",
                columns=columns,
            )
    doubled = [name for name, count in Counter(wishes.columns().values()).items() if count > 1]
    if doubled:
        raise InputError(
            f"The column {doubled[0]!r} was named for two roles.", remedy="Name a column for one role only."
        )
    if frame.empty:
        raise InputError("The data have no rows.", remedy="Bring a file with at least one row.")
    frame = frame.reset_index(drop=True)  # a Parquet file may bring an index with doubles
    block = _block(frame, wishes)
    others = [name for name in columns if name not in set(block)]
    types = {one.column: one for one in column_types(frame.iloc[:: every(len(frame))], others)}
    paths = tuple(name for name in others if holds_paths(frame[name]))
    return Sight(frame, types, block, paths, wishes)


def every(rows: int) -> int:
    """Each how-manieth row of so many is looked at.

    >>> every(1_000), every(50_001)
    (1, 2)
    """
    return max(1, -(-rows // MOST_ROWS_LOOKED_AT))


def _block(frame: pd.DataFrame, wishes: Wishes) -> tuple[str, ...]:
    if wishes.kind not in (None, InputKind.IMAGE) or wishes.text is not None:
        return ()
    return pixel_block(frame, any_name=wishes.kind is InputKind.IMAGE)


def spelled_labels(cells: pd.Series[Any]) -> pd.Series[Any]:
    """The labels that are there, as a dataset spells them: 8 and 8.0 are "8"; empty cells are left out.

    >>> spelled_labels(pd.Series([8.0, None, 1.0])).tolist()
    ['8', '1']
    """
    return cells.dropna().map(_spelled)


def _spelled(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
