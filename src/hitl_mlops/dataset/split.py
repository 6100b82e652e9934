"""Train and test, so that a case never moves from one to the other as data grow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hitl_mlops.errors import InputError
from hitl_mlops.ids import keyed_fraction


@dataclass(frozen=True, slots=True)
class Split:
    """Two masks over the rows; where neither holds, the row is later than the training may know.

    Attributes:
        train: rows to learn from.
        test: rows never learned from, at any time.
    """

    train: npt.NDArray[np.bool_]
    test: npt.NDArray[np.bool_]


def split_by_subject(
    rows: pa.Table, *, key: bytes, test_frac: float = 0.2, train_until: datetime | None = None
) -> Split:
    """Each subject is wholly on one side, fixed by a keyed hash of its name alone.

    Args:
        rows: with `subject`, and `at` where `train_until` is given.
        key: the project's; another key is another split.
        test_frac: share of subjects on the test side, in [0, 1].
        train_until: learn only from rows before it. Moving it on adds rows to train, from neither side.

    >>> table = pa.table({"subject": ["a", "b", "a"]})
    >>> sides = split_by_subject(table, key=b"k", test_frac=0.5)
    >>> bool(sides.test[0] == sides.test[2]) and not (sides.train & sides.test).any()
    True
    """
    if not 0 <= test_frac <= 1:
        raise InputError(f"The test share {test_frac} is not within 0 and 1.", remedy="Give e.g. 0.2.")
    coded = rows.column("subject").combine_chunks().dictionary_encode()
    of_subject = np.array(
        [keyed_fraction(key, "split", name) < test_frac for name in coded.dictionary.to_pylist()]
    )
    test = of_subject[coded.indices.to_numpy()] if len(coded) else np.zeros(0, dtype=bool)
    train = ~test
    if train_until is not None:
        times = rows.column("at").cast(pa.int64()).to_numpy()
        train &= times < pa.scalar(train_until, pa.timestamp("us", tz="UTC")).value
    return Split(train=train, test=test)
