"""The column types a dataset keeps, and how a user's table is brought to them without losing a value.

Ten types are kept: `bool`, `int64`, `float32`, `float64`, `string`, `binary`, `time` (µs, UTC), `date`,
`decimal(p,s)` and `list<…>` of these. Every other Arrow spelling of the same values (small integers, large
strings, dictionaries, seconds or nanoseconds) becomes one of them, so that a digest depends on values alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from hitl_mlops.errors import InputError

Columns = Sequence[tuple[str, str]]
"""Names and types in order, as a manifest spells them."""

_TYPES: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
    "time": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
}
_NAMES = {kind: name for name, kind in _TYPES.items()}
_DECIMAL = re.compile(r"decimal\((\d+),(-?\d+)\)")


def type_name(kind: pa.DataType) -> str:
    """How a kept type is spelled in manifests and digests.

    >>> type_name(pa.list_(pa.float64()))
    'list<float64>'
    """
    if pa.types.is_list(kind):
        return f"list<{type_name(kind.value_type)}>"
    if pa.types.is_decimal128(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return _NAMES[kind]


def parse_type(name: str) -> pa.DataType:
    """The type that `type_name` spelled.

    >>> parse_type("list<string>").value_type == pa.string()
    True
    """
    if name.startswith("list<"):
        return pa.list_(parse_type(name[5:-1]))
    if match := _DECIMAL.fullmatch(name):
        return pa.decimal128(int(match[1]), int(match[2]))
    return _TYPES[name]


def columns_of(table: pa.Table) -> tuple[tuple[str, str], ...]:
    """Names and kept types of a normal table, in order."""
    return tuple((field.name, type_name(field.type)) for field in table.schema)


def schema_of(columns: Columns) -> pa.Schema:
    """The Arrow schema that `columns_of` told."""
    return pa.schema([pa.field(name, parse_type(kind)) for name, kind in columns])


def normal_table(table: pa.Table) -> pa.Table:
    """The same values in kept types, without metadata.

    A time without zone is read as UTC. A column of nulls alone becomes text.

    Raises:
        InputError: a type that has no kept form, a value that its kept form cannot hold, a name given twice.
    """
    names = table.column_names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"The table has the column {twice[0]!r} more than once.",
            remedy="Rename or drop one of them.",
            columns=twice,
        )
    arrays = [_cast(column, _normal_type(column.type, name), name) for name, column in _items(table)]
    return pa.table(arrays, names=names)


def conform(table: pa.Table, columns: Columns, what: str) -> pa.Table:
    """The table with exactly these columns, in this order; values are changed in type, never in meaning.

    Whole numbers may stand for decimals and the reverse where nothing is lost, text for times (ISO 8601),
    and nulls for anything.

    Raises:
        InputError: columns are missing or unknown, or a type cannot be brought to the log's; all are named.
    """
    schema = schema_of(columns)
    if table.schema.names == schema.names and table.schema.types == schema.types:
        return pa.Table.from_arrays(table.columns, schema=schema)
    table = normal_table(table)
    wanted = dict(columns)
    missing = [name for name in wanted if name not in table.column_names]
    unknown = [name for name in table.column_names if name not in wanted]
    if missing or unknown:
        parts = [f"lack {', '.join(missing)}"] * bool(missing)
        parts += [f"bring {', '.join(unknown)}, which the dataset does not know"] * bool(unknown)
        raise InputError(
            f"The {what} {' and '.join(parts)}.",
            remedy=f"Bring exactly the columns of the first version: {', '.join(wanted)}; "
            "for other columns start another project with `hitl init`.",
            missing=missing,
            unknown=unknown,
        )
    arrays = [_as_logged(table.column(name), parse_type(kind), name, what) for name, kind in columns]
    return pa.table(arrays, schema=schema)


def _items(table: pa.Table) -> list[tuple[str, pa.ChunkedArray]]:
    return list(zip(table.column_names, table.columns, strict=True))


def _normal_type(kind: pa.DataType, name: str) -> pa.DataType:  # noqa: PLR0911 - one line per type
    types = pa.types
    if kind in _NAMES or types.is_decimal128(kind):
        return kind
    if types.is_dictionary(kind):
        return _normal_type(kind.value_type, name)
    if types.is_integer(kind):
        return pa.int64()
    if types.is_float16(kind):
        return pa.float32()
    if types.is_timestamp(kind):
        return _TYPES["time"]
    if types.is_date(kind):
        return pa.date32()
    if types.is_large_string(kind) or types.is_string_view(kind) or types.is_null(kind):
        return pa.string()
    if types.is_large_binary(kind) or types.is_binary_view(kind) or types.is_fixed_size_binary(kind):
        return pa.binary()
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return pa.list_(_normal_type(kind.value_type, name))
    raise InputError(
        f"The column {name!r} holds {kind}, which a dataset does not keep.",
        remedy="Bring it as numbers, text, times or lists of these; a nested value as JSON text.",
        column=name,
        type=str(kind),
    )


def _cast(column: pa.ChunkedArray, kind: pa.DataType, name: str) -> pa.ChunkedArray:
    if column.type == kind:
        return column
    try:
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as exc:
        raise InputError(
            f"The column {name!r} has a value that {type_name(kind)} cannot hold: {exc}.",
            remedy="Round times to microseconds, keep whole numbers below 2^63, or bring the column as text.",
            column=name,
        ) from exc


def _as_logged(column: pa.ChunkedArray, kind: pa.DataType, name: str, what: str) -> pa.ChunkedArray:
    if column.type == kind or column.null_count == len(column):
        return column.cast(kind) if column.type == kind else pa.chunked_array([pa.nulls(len(column), kind)])
    try:
        cast = column.cast(kind) if _may_stand_for(column.type, kind) else None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        cast = None
    if cast is None or not _same_numbers(column, cast):
        raise InputError(
            f"The column {name!r} of the {what} is {type_name(column.type)}, "
            f"in the dataset {type_name(kind)}.",
            remedy=f"Bring {name!r} as {type_name(kind)}, as in the first version.",
            column=name,
            type=type_name(column.type),
            wanted=type_name(kind),
        )
    return cast


def _may_stand_for(kind: pa.DataType, wanted: pa.DataType) -> bool:
    types = pa.types
    if types.is_list(kind) and types.is_list(wanted):
        return kind.value_type == wanted.value_type or _may_stand_for(kind.value_type, wanted.value_type)
    numbers = {"int64", "float32", "float64"}
    if type_name(kind) in numbers:
        return type_name(wanted) in numbers or types.is_decimal128(wanted)
    return kind == pa.string() and type_name(wanted) in {"time", "date"}


def _same_numbers(column: pa.ChunkedArray, cast: pa.ChunkedArray) -> bool:
    narrow = pa.types.is_float32(cast.type) and pa.types.is_float64(column.type)
    if not narrow:
        return True
    same = pc.or_(pc.equal(cast.cast(pa.float64()), column), pc.is_nan(column))
    return bool(pc.all(same).as_py() in (True, None))
