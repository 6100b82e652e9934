"""How strange a text reads beside those of the base data, and how long it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.odd_view import View
from hitl_mlops.decisions.schema import ColumnType, InputSchema
from hitl_mlops.decisions.task import InputKind, Task

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import HashingVectorizer

FloatArray = npt.NDArray[np.float64]

SENTENCE_WORDS = 3.0
"""Mean number of words from which a column of a table is text; names, codes and times are none."""
READ_CHARS = 1_000
"""Of a longer text the beginning is read; its length counts whole."""
_BUCKETS = 2**20


@dataclass(frozen=True, slots=True)
class StrangeText(View):
    """The share of a text's pieces of two to four characters that no text of the base data has.

    Attributes:
        name: the column.
        unseen: 1 for a piece never seen, by its hash. Shape (2^20,).
    """

    name: str
    unseen: FloatArray = field(repr=False)

    @property
    def faults(self) -> tuple[str, ...]:
        """The one."""
        return (f"{self.name} reads unlike the texts of the base data",)

    def far(self, inputs: pd.DataFrame) -> FloatArray:
        """The share, in [0, 1]; 0 for an empty text."""
        pieces = _reader().transform(_texts(inputs[self.name]))
        count = np.asarray(pieces.sum(axis=1)).ravel()
        return np.asarray((pieces @ self.unseen) / np.maximum(count, 1.0))

    def blame(self, inputs: pd.DataFrame) -> FloatArray:
        """All. Shape (n, 1)."""
        return np.ones((len(inputs), 1))


@dataclass(frozen=True, slots=True)
class LongText(View):
    """The logarithm of a text's length.

    Attributes:
        name: the column.
    """

    name: str

    @property
    def faults(self) -> tuple[str, ...]:
        """The one."""
        return (f"{self.name} is far longer than the texts of the base data",)

    def far(self, inputs: pd.DataFrame) -> FloatArray:
        """Of the number of characters and one; 0 for an empty text."""
        column = inputs[self.name]
        return np.asarray(np.log1p([0 if gap else len(str(text)) for text, gap in _with_gaps(column)]))

    def blame(self, inputs: pd.DataFrame) -> FloatArray:
        """All. Shape (n, 1)."""
        return np.ones((len(inputs), 1))


def learn_texts(shown: pd.DataFrame, task: Task, schema: InputSchema) -> Iterator[StrangeText | LongText]:
    """Both views of every column of sentences, learned from these rows."""
    if task.kind is InputKind.IMAGE:
        return
    for spec in schema.columns:
        if spec.type is not ColumnType.TEXT:
            continue
        texts = _texts(shown[spec.name])
        words = np.mean([len(text.split()) for text in texts])
        if task.kind is InputKind.TEXT or words >= SENTENCE_WORDS:
            seen = np.asarray(_reader().transform(texts).sum(axis=0)).ravel()
            yield StrangeText(spec.name, (seen == 0).astype(np.float64))
            yield LongText(spec.name)


def _reader() -> HashingVectorizer:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        n_features=_BUCKETS, analyzer="char_wb", ngram_range=(2, 4), norm=None, alternate_sign=False
    )


def _texts(column: pd.Series[Any]) -> list[str]:
    return ["" if gap else str(text)[:READ_CHARS] for text, gap in _with_gaps(column)]


def _with_gaps(column: pd.Series[Any]) -> Iterator[tuple[Any, bool]]:
    return zip(column.tolist(), column.isna().tolist(), strict=True)
