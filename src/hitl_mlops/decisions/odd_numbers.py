"""How far numbers lie from those of the base data, beside each other.

One by one they are the schema's: a number beyond all of the base data counts here as the nearest of them, so
that a year, a counter or a price that rises is no reason by itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.odd_view import View
from hitl_mlops.decisions.schema import ColumnType, InputSchema
from hitl_mlops.decisions.task import InputKind, Task

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

WIDEST_BLOCK = 512
"""Relations are looked for among so many neighbouring columns: their number grows with the square."""
STIFFNESS = 0.001
"""Of a column's usual variance, added to what is left of it beside the others: a sum that always came out
exactly may be off by a rounding."""
_IQR_OF_ONE_SIGMA = 1.349
_USUAL = 3.0
"""Sigmas within which nearly all numbers lie."""
_LARGEST = 1e100
_FEWEST = 2
_ROUNDING = 1e-9
_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring columns.

    Attributes:
        columns: their places among the numbers.
        centre: mean of the scaled numbers. Shape (columns,).
        precision: inverse of their shrunk covariance. Shape (columns, columns).
    """

    columns: slice
    centre: FloatArray
    precision: FloatArray

    @property
    def steepest(self) -> float:
        """The largest that the squared distance can be of an offset of length 1."""
        return float(np.linalg.eigvalsh(self.precision)[-1])


@dataclass(frozen=True, slots=True)
class NumberView(View):
    """The Mahalanobis distance of scaled numbers (Ledoit & Wolf 2004 for the covariance).

    Attributes:
        names: the columns.
        middle: median of each; of pixels one mean each.
        scale: interquartile range over 1.349; of pixels one standard deviation for all.
        low: smallest number of each; of pixels one for all.
        high: largest number of each; of pixels one for all.
        straight: sigmas from which on further ones count less; of pixels infinity.
        blocks: what is compared with what.
    """

    names: tuple[str, ...]
    middle: FloatArray
    scale: FloatArray
    low: FloatArray
    high: FloatArray
    straight: FloatArray
    blocks: tuple[Block, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """One for each column."""
        return tuple(
            f"{name} does not fit the other inputs as it does in the base data" for name in self.names
        )

    def far(self, inputs: pd.DataFrame) -> FloatArray:
        """The distance, with every gap filled by what is likeliest beside the rest; 0 where all are gaps."""
        squared = np.zeros(len(inputs))
        for _, offsets, pulls in self._parts(inputs):
            squared += np.einsum("ij,ij->i", pulls, offsets)
        return np.asarray(np.sqrt(np.maximum(squared, 0.0)))

    def beyond(self, inputs: pd.DataFrame, bound: float) -> BoolArray:
        """See `View.beyond`.

        Most lie within it however their numbers go together, which is seen from how long the offset is.
        """
        doubtful = np.flatnonzero(~(self._at_most(inputs) <= bound))
        beyond = np.zeros(len(inputs), dtype=np.bool_)
        if doubtful.size:
            rows = inputs if doubtful.size == len(inputs) else inputs.iloc[doubtful]
            beyond[doubtful] = ~(self.far(rows) <= bound)
        return beyond

    def _at_most(self, inputs: pd.DataFrame) -> FloatArray:
        """No row lies farther; NaN where it has gaps. Drawn in, a number is nowhere larger."""
        numbers = self._scaled(inputs)
        squared = np.zeros(len(inputs))
        for block in self.blocks:
            part = numbers[:, block.columns]
            length = np.sqrt(np.einsum("ij,ij->i", part, part)) + np.linalg.norm(block.centre)
            squared += block.steepest * np.square(length)
        return np.asarray(np.sqrt(squared) * (1 + _ROUNDING))

    def blame(self, inputs: pd.DataFrame) -> FloatArray:
        """By how much the squared distance falls when the column counts as unknown. Shape (n, columns)."""
        blame = np.zeros((len(inputs), len(self.names)))
        for block, _, pulls in self._parts(inputs):
            blame[:, block.columns] = np.square(pulls) / np.diag(block.precision)
        return blame

    def _parts(self, inputs: pd.DataFrame) -> Iterator[tuple[Block, FloatArray, FloatArray]]:
        """Each block with the offsets from its centre, gaps filled, and those times the precision."""
        numbers = _bent(self._scaled(inputs), self.straight)
        for block in self.blocks:
            offsets = _filled(numbers[:, block.columns] - block.centre, block.precision)
            yield block, offsets, offsets @ block.precision

    def _scaled(self, inputs: pd.DataFrame) -> FloatArray:
        """The numbers in sigmas from the middle, none beyond the base data's."""
        numbers = np.clip(as_numbers(inputs, self.names), self.low, self.high)
        numbers -= self.middle
        numbers /= self.scale
        return np.asarray(numbers, dtype=np.float64)


def learn_numbers(shown: pd.DataFrame, task: Task, schema: InputSchema) -> NumberView | None:
    """What the numbers of these rows look like; None where fewer than two columns of numbers vary."""
    pixels = task.kind is InputKind.IMAGE
    names = tuple(spec.name for spec in schema.columns if spec.type is ColumnType.NUMBER)
    if len(names) < _FEWEST:
        return None
    numbers = as_numbers(shown, names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column may be empty in this half
        middle, scale = _pixel_scale(numbers) if pixels else _column_scale(numbers)
    usable = np.isfinite(middle) & np.isfinite(scale) & (scale > 0)
    if usable.sum() < _FEWEST:
        return None
    names = tuple(np.array(names, dtype=object)[usable].tolist())
    middle, scale = middle[usable], scale[usable]
    numbers = numbers[:, usable]
    low, high = (bound(numbers, axis=None if pixels else 0) for bound in (np.nanmin, np.nanmax))
    offsets = (numbers - middle) / scale
    straight = np.full(len(names), np.inf) if pixels else _straight(offsets)
    scaled = _bent(offsets, straight)
    starts = range(0, len(names), WIDEST_BLOCK)
    blocks = tuple(_block(scaled, slice(at, min(at + WIDEST_BLOCK, len(names)))) for at in starts)
    return NumberView(
        names, middle, scale, low * np.ones(len(names)), high * np.ones(len(names)), straight, blocks
    )


def as_numbers(inputs: pd.DataFrame, names: tuple[str, ...]) -> FloatArray:
    """The columns as numbers, shape (n, names); what is none is NaN, and none is beyond ±1e100."""
    chosen = inputs if inputs.columns.tolist() == [*names] else inputs[list(names)]
    if all(isinstance(kind, np.dtype) and kind.kind in "fiu" for kind in chosen.dtypes):
        numbers = chosen.to_numpy(dtype=np.float64)
    else:
        columns = [pd.to_numeric(chosen[name], errors="coerce") for name in names]
        numbers = np.column_stack([one.to_numpy(dtype=np.float64, na_value=np.nan) for one in columns])
    return np.asarray(np.clip(numbers, -_LARGEST, _LARGEST), dtype=np.float64)


def _bent(offsets: FloatArray, straight: FloatArray) -> FloatArray:
    """Numbers drawn in by asinh from so many sigmas on; infinity leaves all as they are."""
    if np.isinf(straight).all():
        return offsets
    bent = np.arcsinh(offsets / straight)
    bent *= straight
    return np.asarray(bent, dtype=np.float64)


def _straight(offsets: FloatArray) -> FloatArray:
    """Sigmas up to which a column counts nearly in full, so that 99 of 100 numbers come to lie within three.

    Else a column with a long tail would hide what is odd in all others. At most three, for what is beyond
    the base data's own tail.
    """
    far = np.nan_to_num(np.nanquantile(np.abs(offsets), 0.99, axis=0))
    low, high = np.full(far.shape, 1e-3), np.full(far.shape, _USUAL)
    for _ in range(40):
        middle = (low + high) / 2
        small = middle * np.arcsinh(far / middle) <= _USUAL
        low, high = np.where(small, middle, low), np.where(small, high, middle)
    return low


def _column_scale(numbers: FloatArray) -> tuple[FloatArray, FloatArray]:
    low, middle, high = np.nanpercentile(numbers, [25, 50, 75], axis=0)
    spread = (high - low) / _IQR_OF_ONE_SIGMA
    return middle, np.where(spread > 0, spread, np.nanstd(numbers, axis=0))


def _pixel_scale(numbers: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A corner that was always blank is measured like the others: it may hold ink tomorrow."""
    return np.nanmean(numbers, axis=0), np.full(numbers.shape[1], np.nanstd(numbers))


def _block(scaled: FloatArray, columns: slice) -> Block:
    from sklearn.covariance import LedoitWolf

    part = scaled[:, columns]
    centre = np.nanmean(part, axis=0)
    fitted = LedoitWolf(assume_centered=True).fit(np.where(np.isnan(part), 0.0, part - centre))
    covariance = np.asarray(fitted.covariance_, dtype=np.float64)
    usual = max(float(np.trace(covariance)) / len(covariance), np.finfo(np.float64).tiny)
    stiff = covariance + STIFFNESS * usual * np.eye(len(covariance))
    return Block(columns, np.asarray(centre, dtype=np.float64), np.linalg.inv(stiff).astype(np.float64))


def _filled(offsets: FloatArray, precision: FloatArray) -> FloatArray:
    """The offsets with each gap at its conditional mean, where the distance is smallest.

    Rows with equally many gaps are solved together, some at a time where they are many.
    """
    gaps = np.isnan(offsets)
    counts = gaps.sum(axis=1)
    if not counts.any():
        return offsets
    known = np.where(gaps, 0.0, offsets)
    pulls = known @ precision
    for count in np.unique(counts[counts > 0]).tolist():
        rows = np.flatnonzero(counts == count)
        for some in np.array_split(rows, -(-rows.size * count**2 // _CELLS_AT_ONCE)):
            places = np.nonzero(gaps[some])[1].reshape(-1, count)
            inner = precision[places[:, :, np.newaxis], places[:, np.newaxis, :]]
            pulled = np.take_along_axis(pulls[some], places, axis=1)
            known[some[:, np.newaxis], places] = -np.linalg.solve(inner, pulled[:, :, np.newaxis])[:, :, 0]
    return known
