from __future__ import annotations

import hashlib
import json
import struct

import pyarrow as pa
import pytest

from hitl_mlops.dataset.digest import EMPTY_HEAD, batch_digest, head_after, version_digest


def written_anew(table: pa.Table, columns) -> bytes:
    """The format of the docstring, in plain Python, for tables below one block."""

    def column(values, kind):
        count = len(values)
        bits = sum(1 << at for at, value in enumerate(values) if value is not None)
        out = bits.to_bytes((count + 7) // 8, "little")
        if kind == "string":
            raw = [(value or "").encode() for value in values]
        elif kind.startswith("list"):
            items = [item for value in values for item in value or []]
            lengths = b"".join(struct.pack("<q", len(value or [])) for value in values)
            return out + lengths + (column(items, kind[5:-1]) if items else b"")
        elif kind == "bool":
            return out + bytes(bool(value) for value in values)
        else:
            form = {"int64": "<q", "float64": "<d"}[kind]
            return out + b"".join(struct.pack(form, (value or 0) + 0) for value in values)
        return out + b"".join(struct.pack("<q", len(each)) for each in raw) + b"".join(raw)

    block = hashlib.sha256(b"".join(column(table[name].to_pylist(), kind) for name, kind in columns)).digest()
    schema = json.dumps([list(each) for each in columns], separators=(",", ":")).encode()
    whole = b"hitl-batch-1\n" + schema + b"\n" + block + struct.pack("<q", table.num_rows)
    return hashlib.sha256(whole).digest()


def test_the_format_can_be_written_anew_from_its_page():
    table = pa.table(
        {
            "i": [1, None, -(2**63)],
            "f": [0.5, None, -3.0],
            "s": ["é", None, ""],
            "b": [True, None, False],
            "l": [["p", None], None, []],
        }
    )
    columns = [("i", "int64"), ("f", "float64"), ("s", "string"), ("b", "bool"), ("l", "list<string>")]
    assert batch_digest([table], columns) == written_anew(table, columns)


def test_nan_of_any_payload_and_both_zeros_are_one_value():
    quiet = pa.array(memoryview(struct.pack("<2Q", 0x7FF8000000000000, 0)).cast("d"))
    other = pa.array(memoryview(struct.pack("<2Q", 0xFFF8000000000123, 1 << 63)).cast("d"))
    digests = {batch_digest([pa.table({"x": each})], [("x", "float64")]) for each in (quiet, other)}
    assert len(digests) == 1


def test_nan_is_not_null():
    one, two = pa.table({"x": [float("nan")]}), pa.table({"x": pa.array([None], pa.float64())})
    assert batch_digest([one], [("x", "float64")]) != batch_digest([two], [("x", "float64")])


def test_what_lies_under_a_null_does_not_count():
    hidden = pa.Array.from_buffers(
        pa.string(),
        2,
        [pa.py_buffer(b"\x02"), pa.py_buffer(struct.pack("<3i", 0, 3, 4)), pa.py_buffer(b"xyzq")],
    )
    columns = [("s", "string")]
    assert batch_digest([pa.table({"s": hidden})], columns) == batch_digest(
        [pa.table({"s": [None, "q"]})], columns
    )


def test_the_head_binds_batches_and_their_order():
    one, two = pa.table({"x": [1]}), pa.table({"x": [2]})
    heads = {
        head_after(head_after(EMPTY_HEAD, one), two),
        head_after(head_after(EMPTY_HEAD, two), one),
        head_after(EMPTY_HEAD, pa.concat_tables([one, two])),
    }
    assert len(heads) == 3
    assert head_after(EMPTY_HEAD, one.slice(0, 0)) == EMPTY_HEAD


@pytest.mark.parametrize("change", ["example_head", "example_rows", "label_head", "label_rows"])
def test_a_version_is_named_by_both_heads_and_lengths(change):
    parts = {"example_head": "a", "example_rows": 1, "label_head": "b", "label_rows": 2}
    changed = parts | {change: 3 if change.endswith("rows") else "c"}
    assert version_digest([("x", "int64")], **parts) != version_digest([("x", "int64")], **changed)
