r"""The digest of a dataset version: a hash over values, which anyone can write anew from this page.

Format 1. All integers are little-endian.

*Column block* (up to 65,536 rows of one column), for n rows:
  1. validity: ceil(n/8) bytes, bit i (least significant first) is 1 where row i is not null;
  2. values, null counting as zero or empty:
     - `bool`: one byte, 0 or 1; `int64`: 8 bytes; `date`: 4 bytes, days since 1970-01-01;
       `time`: 8 bytes, microseconds since 1970-01-01 UTC;
     - `float32`, `float64`: IEEE 754; every NaN is 0x7fc00000 or 0x7ff8000000000000, and -0.0 is +0.0;
     - `decimal(p,s)`: 16 bytes, the unscaled number in two's complement;
     - `string` (UTF-8), `binary`: n lengths of 8 bytes each, then all bytes, one after the other;
     - `list<…>`: n lengths of 8 bytes each, then the items of all rows as one column block.
*Block*: SHA-256 over its column blocks, in the order of the columns.
*Batch*, the rows that one commit appended to one log, cut from its first row into blocks:
  SHA-256( "hitl-batch-1\n" ‖ canonical JSON of [[name, type], …] ‖ "\n" ‖ blocks … ‖ row count as 8 bytes ).
*Head* of a log: H_0 = 32 zero bytes; H_n = SHA-256(H_{n-1} ‖ batch_n).
  An empty batch is not appended.
*Version*: "sha256:" and SHA-256 over the canonical JSON (keys sorted, no spaces) of
  {"columns": [[name, type], …] of the examples, "examples": {"head": hex, "rows": n}, "format": 1,
  "labels": {"head": hex, "rows": n}}.

Chunks, files, engines and Arrow's spelling of a type change nothing; extending costs only what is new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hitl_mlops.dataset.columns import Columns, columns_of
from hitl_mlops.ids import canonical_json, sha256_hex

BLOCK_ROWS = 65_536
EMPTY_HEAD = "0" * 64
"""The head of a log without batches, as hex."""

_INTEGER_WIDTHS = {pa.int64(): pa.int64(), pa.date32(): pa.int32(), pa.timestamp("us", tz="UTC"): pa.int64()}


def batch_digest(pieces: Iterable[pa.Table], columns: Columns) -> bytes:
    """SHA-256 of a batch given in pieces of any size, all of normal types; holds one block in memory.

    >>> one = pa.table({"x": [1.0, -0.0, None]})
    >>> two = pa.table({"x": pa.chunked_array([[1.0], [0.0, None]])})
    >>> batch_digest([one], [("x", "float64")]) == batch_digest([two], [("x", "float64")])
    True
    """
    names = [name for name, _ in columns]
    batch = hashlib.sha256(b"hitl-batch-1\n" + canonical_json([list(column) for column in columns]) + b"\n")
    rows = 0
    for block in _blocks(pieces):
        hasher = hashlib.sha256()
        for name in names:
            _feed(hasher, [chunk for chunk in block.column(name).chunks if len(chunk)])
        batch.update(hasher.digest())
        rows += block.num_rows
    batch.update(rows.to_bytes(8, "little"))
    return batch.digest()


def next_head(head: str, batch: bytes) -> str:
    """The head of a log after one more batch, as hex."""
    return sha256_hex(bytes.fromhex(head) + batch)


def head_after(head: str, table: pa.Table) -> str:
    """The head of a log after these rows; unchanged where there are none."""
    return next_head(head, batch_digest([table], columns_of(table))) if table.num_rows else head


def version_digest(
    columns: Columns, *, example_head: str, example_rows: int, label_head: str, label_rows: int
) -> str:
    """The name of a version, `sha256:…`."""
    form = {
        "format": 1,
        "columns": [list(column) for column in columns],
        "examples": {"head": example_head, "rows": example_rows},
        "labels": {"head": label_head, "rows": label_rows},
    }
    return f"sha256:{sha256_hex(canonical_json(form))}"


def _blocks(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    rest: pa.Table | None = None
    for piece in pieces:
        rest = piece if rest is None else pa.concat_tables([rest, piece])
        while rest.num_rows >= BLOCK_ROWS:
            yield rest.slice(0, BLOCK_ROWS)
            rest = rest.slice(BLOCK_ROWS)
    if rest is not None and rest.num_rows:
        yield rest


def _feed(hasher: Any, chunks: list[pa.Array]) -> None:
    if not chunks:
        return
    hasher.update(np.packbits(np.concatenate([_valid(chunk) for chunk in chunks]), bitorder="little"))
    kind = chunks[0].type
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        _feed_lengths(hasher, [pc.binary_length(chunk) for chunk in chunks])
        for chunk in chunks:
            hasher.update(_text_bytes(chunk.drop_null()))
    elif pa.types.is_list(kind):
        _feed_lengths(hasher, [pc.list_value_length(chunk) for chunk in chunks])
        _feed(hasher, [items for items in (chunk.flatten() for chunk in chunks) if len(items)])
    else:
        for chunk in chunks:
            hasher.update(_fixed_bytes(chunk))


def _valid(chunk: pa.Array) -> Any:
    if chunk.null_count == 0:
        return np.ones(len(chunk), dtype=bool)
    return chunk.is_valid().to_numpy(zero_copy_only=False)


def _feed_lengths(hasher: Any, lengths: list[pa.Array]) -> None:
    for length in lengths:
        hasher.update(length.fill_null(0).to_numpy().astype("<i8"))


def _text_bytes(array: pa.Array) -> memoryview:
    _, offsets, data = array.buffers()
    if not len(array) or data is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, dtype="<i4")[array.offset : array.offset + len(array) + 1]
    return memoryview(data)[int(ends[0]) : int(ends[-1])]


def _fixed_bytes(array: pa.Array) -> Any:
    kind = array.type
    if kind in _INTEGER_WIDTHS:
        numbers = array.cast(_INTEGER_WIDTHS[kind]).fill_null(0).to_numpy()
        return np.ascontiguousarray(numbers, dtype=numbers.dtype.newbyteorder("<"))
    if pa.types.is_boolean(kind):
        return array.fill_null(pa.scalar(value=False)).to_numpy(zero_copy_only=False).astype("u1")
    if pa.types.is_floating(kind):
        numbers = array.fill_null(0.0).to_numpy() + np.zeros(1, kind.to_pandas_dtype())  # -0.0 + 0.0 is +0.0
        bits = numbers.view("<u4" if kind == pa.float32() else "<u8")
        bits[np.isnan(numbers)] = 0x7FC00000 if kind == pa.float32() else 0x7FF8000000000000
        return bits
    filled = array.fill_null(pa.scalar(0, kind)) if array.null_count else array
    return memoryview(filled.buffers()[1])[filled.offset * 16 : (filled.offset + len(filled)) * 16]
