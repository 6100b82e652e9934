"""A file of cases or of base data as a table: CSV, TSV, Parquet or JSON Lines."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hitl_mlops.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

PARQUET = (".parquet", ".pq")
SUFFIXES = (".csv", ".tsv", ".parquet", ".pq", ".jsonl", ".ndjson")
_NO_NUMBER = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
_SPARE_CELLS = 1_000_000
_OTHER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_table(path: Path | str) -> pd.DataFrame:
    """The file as a table, one row per case, in the file's order.

    A column of a text file becomes numbers or true/false only where every value reads as one; numbers
    with leading zeros or more digits than a float holds stay text, and so do times. An empty
    field is missing.

    Raises:
        InputError: no such file, another format, empty, cut off, not UTF-8, a row with too few or too many
            fields, a column name twice; the fact names the file, and the line where there is one.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"{path} is none of the formats that can be read.",
            remedy=f"Save it as one of: {', '.join(SUFFIXES)}.",
        )
    data = _bytes(path)
    if suffix in PARQUET:
        frame = _parquet(path, data)
    elif suffix in (".jsonl", ".ndjson"):
        frame = _json_lines(path, _text(path, data))
    else:
        frame = _separated(path, data, "\t" if suffix == ".tsv" else ",")
    if frame.empty:
        raise _no_rows(path)
    return frame


class TableFile:
    """A file of cases that is read piece by piece; a Parquet file is never held whole.

    Args:
        path: the file.

    Raises:
        InputError: as `read_table`.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._parquet = _open_parquet(self.path) if self.path.suffix.lower() in PARQUET else None
        self._whole = pd.DataFrame() if self._parquet else read_table(self.path)
        self.rows: int = self._parquet.metadata.num_rows if self._parquet else len(self._whole)

    def pieces(self, rows: int, columns: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """The table's rows in order, so many at a time; of those columns alone where they are named.

        Columns that the file does not have are left out.
        """
        if self._parquet is not None:
            there = [name for name in self._parquet.schema_arrow.names if columns is None or name in columns]
            try:
                for batch in self._parquet.iter_batches(rows, columns=there, use_threads=False):
                    yield batch.to_pandas()
            except (OSError, ValueError) as error:
                raise _no_parquet(self.path) from error
            except MemoryError as error:  # a few kB may say a text of 1 MB a million times
                raise InputError(
                    f"{self.path} is small only because its values repeat: {rows:,} rows of it do not fit "
                    "into memory.",
                    remedy="Shorten its texts.",
                    file=str(self.path),
                ) from error
        else:
            there = [name for name in self._whole.columns if columns is None or name in columns]
            for start in range(0, len(self._whole), rows):
                yield self._whole.iloc[start : start + rows][there].reset_index(drop=True)


def _open_parquet(path: Path) -> pq.ParquetFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path, pre_buffer=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        _bytes(path)  # says so where the file is not there, or is empty
        raise _no_parquet(path) from error
    _refuse_doubles(path, file.schema_arrow.names)
    if not file.metadata.num_rows:
        raise _no_rows(path)
    return file


def _no_parquet(path: Path) -> InputError:
    return InputError(
        f"{path} is no whole Parquet file.",
        remedy="It may be half-written: write or copy it again.",
        file=str(path),
    )


def _no_rows(path: Path) -> InputError:
    return InputError(f"{path} has no rows.", remedy="Bring a file with at least one row.", file=str(path))


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or type(error).__name__}.",
            remedy="Give the path of a file that exists and that this user may read.",
            file=str(path),
        ) from error
    if not data.strip():
        raise InputError(f"{path} is empty.", remedy="Bring a file with rows.", file=str(path))
    return data


def _text(path: Path, data: bytes) -> str:
    if not data.startswith(_OTHER_MARKS):
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise _at(path, line, "these bytes are not UTF-8.", "Save the file as UTF-8.") from error
    raise _at(path, 1, "this is UTF-16.", "Save the file as UTF-8.")


def _at(path: Path, line: int, fact: str, remedy: str) -> InputError:
    return InputError(f"{path}, line {line}: {fact}", remedy=remedy, file=str(path), line=line)


def _refuse_doubles(path: Path, names: Sequence[str]) -> None:
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise _at(path, 1, f"the column {doubled[0]!r} is there twice.", "Rename or take out one of them.")
    if any(not str(name).strip() for name in names):
        raise _at(path, 1, "a column has no name.", "Name every column in the first line.")


def _parquet(path: Path, data: bytes) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _no_parquet(path) from error
    _refuse_doubles(path, table.column_names)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _separated(path: Path, data: bytes, separator: str) -> pd.DataFrame:
    import pyarrow as pa

    text = _text(path, data)
    try:
        header = next(csv.reader(io.StringIO(text), delimiter=separator), [])
    except csv.Error as error:
        raise _at(path, 1, f"{error}.", "Name the columns in the first line; is it a table?") from error
    _refuse_doubles(path, header)
    _refuse_other_separator(path, header, separator)
    _refuse_open_quote(path, text, separator)
    try:
        table, wrong = _read_texts(text, header, separator)
    except pa.ArrowException as error:
        fact = str(error).splitlines()[0]
        raise InputError(
            f"{path} is no whole table: {fact}", remedy="Write it again.", file=str(path)
        ) from error
    for row in wrong[:1]:
        fact = f"{row.actual_columns} fields where the first line names {row.expected_columns}."
        remedy = "Complete the row, or quote fields that hold commas; was the file cut off?"
        raise _at(path, row.number, fact, remedy)
    columns = {name: _typed(column) for name, column in zip(header, table.columns, strict=True)}
    frame: pd.DataFrame = pa.table(columns).to_pandas()
    return frame


def _read_texts(text: str, header: list[str], separator: str) -> tuple[pa.Table, list[Any]]:
    """Every field as text, and the rows that have more or fewer fields than the first line."""
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    wrong: list[Any] = []

    def note(row: Any) -> str:
        wrong.append(row)
        return "skip"

    table = arrow_csv.read_csv(
        pa.BufferReader(text.encode()),
        read_options=arrow_csv.ReadOptions(use_threads=False),
        parse_options=arrow_csv.ParseOptions(
            delimiter=separator, newlines_in_values='"' in text, invalid_row_handler=note
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
        ),
    )
    return table, wrong


def _refuse_other_separator(path: Path, header: list[str], separator: str) -> None:
    for other in (";", "\t", "|", ","):
        if len(header) == 1 and other != separator and header[0].count(other) > 0:
            raise _at(
                path,
                1,
                f"the columns are separated by {other!r}.",
                f"Save the file with {separator!r} between columns.",
            )


def _refuse_open_quote(path: Path, text: str, separator: str) -> None:
    if text.count('"') % 2 == 0:  # whoever opens every quote closes it; an odd count may be an inch mark
        return
    started = 1
    rows = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    try:
        for _ in rows:
            started = rows.line_num + 1
    except csv.Error as error:
        if "end of data" in str(error):
            raise _at(
                path, started, "a quote is opened and never closed.", "Close it; was the file cut off?"
            ) from error


def _typed(column: Any) -> Any:
    """The text column as whole numbers, numbers or true/false where all of it reads so; else text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    bare = pc.utf8_trim_whitespace(column)
    bare = pc.if_else(pc.is_in(bare, value_set=pa.array(_NO_NUMBER)), pa.scalar(None, pa.string()), bare)
    text = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    exact = r"^[+-]?(0\d|\d{17})"  # 007 is a name, and 17 digits are more than a float holds
    if bare.null_count == len(bare) or pc.any(pc.match_substring_regex(bare, exact)).as_py():
        return text
    for kind in (pa.int64(), pa.float64(), pa.bool_()):
        try:
            return pc.cast(bare, kind)
        except pa.ArrowInvalid:
            continue
    return text


def _json_lines(path: Path, text: str) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            rows.append(_json_row(path, number, line))
    names = list(dict.fromkeys(name for row in rows for name in row))
    if len(rows) * len(names) > len(text) + _SPARE_CELLS:  # each value takes six signs, with its name
        raise InputError(
            f"{path} has {len(names):,} columns, and its {len(rows):,} lines share next to none.",
            remedy="Write the same names on each line.",
            file=str(path),
        )
    return pd.DataFrame({name: _inferred([row.get(name) for row in rows]) for name in names})


def _inferred(values: list[Any]) -> pd.Series:
    """The values as the type that all have; as they are where they have none, or are longer than any."""
    series = pd.Series(values, dtype=object)
    try:
        return series.infer_objects()
    except OverflowError:
        return series


def _json_row(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise _at(
            path, number, f"this is not JSON: {error.msg}.", "One object on each line; was the file cut off?"
        ) from error
    except (ValueError, RecursionError) as error:
        fact = str(error) if isinstance(error, _DoubledKeyError) else "a value is too deep or too long."
        raise _at(path, number, fact, "Mend or take out that line.") from error
    if not isinstance(row, dict):
        raise _at(path, number, "this is no JSON object.", 'Write {"column": value, …} on each line.')
    if "\\u" in line:
        _refuse_half_characters(path, number, row)
    return row


def _refuse_half_characters(path: Path, number: int, row: dict[str, Any]) -> None:
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise _at(
            path, number, "a text holds half a character (a lone surrogate).", "Mend or take out that line."
        ) from error


class _DoubledKeyError(ValueError):
    """A key stands twice in one object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise _DoubledKeyError("a key is there twice.")
    return row
