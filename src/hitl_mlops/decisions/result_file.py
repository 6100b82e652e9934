"""A file of decisions for the user's own programs: one row each, in the order of the cases."""

from __future__ import annotations

import contextlib
import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from hitl_mlops.decisions.record import Decision
from hitl_mlops.errors import ConfigurationError, InputError
from hitl_mlops.ids import instant

COLUMNS = (
    *("case_id", "decision_id", "status", "label", "confidence", "route", "reasons", "pi", "signatures"),
    *("intervention", "reversible_until", "model_version", "arm", "policy_hash", "decided_at"),
)
SUFFIXES = (".parquet", ".csv", ".jsonl")
Row = Mapping[str, Any]
Write = Callable[[list[Row]], object]
Changed = Mapping[str, tuple[str, str | None]]
"""Decision id → status and label by now, of decisions made before that people changed since."""


@contextlib.contextmanager
def result_file(path: Path) -> Iterator[Callable[[list[Decision], Changed], None]]:
    """What is given to the callable stands in the file once the block ends; else no file is there.

    Parquet, CSV or JSON Lines, by the name's ending; reasons are joined by "; " in CSV, where text that a
    spreadsheet would run as a formula has an apostrophe before it. A spot check is not told.

    Raises:
        InputError: another ending, or there is such a file already.
        ConfigurationError: it cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"{path} is none of the formats that can be written.", remedy=f"End it in {SUFFIXES}."
        )
    if path.exists():
        raise InputError(f"{path} is there already.", remedy="Name a file that does not exist yet.")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with _WRITERS[suffix](draft) as write:
            yield lambda decisions, changed: _put(write, decisions, changed)
        draft.rename(path)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}.",
            remedy="Name a file on a disk with room, in a folder where this user may write.",
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _put(write: Write, decisions: list[Decision], changed: Changed) -> None:
    write([result_row(one, changed) for one in decisions])


def result_row(one: Decision, changed: Changed) -> dict[str, Any]:
    """The row of a decision; `status` is `released` where its label may be acted on, else `with_people`.

    A decision made before may be `resolved`, `halted` or `reversed` by now.
    """
    waits = one.to_review and not one.spot_check
    at_first = ("with_people" if waits else "released", one.label or None)
    status, label = changed.get(one.decision_id, at_first)
    until = one.reversible_until
    return {
        "case_id": one.case_id,
        "decision_id": one.decision_id,
        "status": status,
        "label": label,
        "confidence": one.confidence,
        "route": one.route,
        "reasons": list(one.reasons),
        "pi": one.pi,
        "signatures": one.signatures if waits else 0,
        "intervention": one.intervention.value,
        "reversible_until": instant(until) if until is not None else None,
        "model_version": one.model_version,
        "arm": one.arm.value,
        "policy_hash": one.policy_hash,
        "decided_at": instant(one.at),
    }


@contextlib.contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"confidence": pa.float64(), "pi": pa.float64(), "signatures": pa.int64()}
    kinds["reasons"] = pa.list_(pa.string())
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    with pq.ParquetWriter(path, schema) as writer:
        yield lambda rows: writer.write_table(pa.Table.from_pylist(rows, schema=schema))


@contextlib.contextmanager
def _csv(path: Path) -> Iterator[Write]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        yield lambda rows: writer.writerows(
            {name: _cell(value) for name, value in row.items()} for row in rows
        )


def _cell(value: Any) -> Any:
    text = "; ".join(value) if isinstance(value, list) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


@contextlib.contextmanager
def _json_lines(path: Path) -> Iterator[Write]:
    with path.open("w", encoding="utf-8") as file:
        yield lambda rows: _lines(file, rows)


def _lines(file: IO[str], rows: list[Row]) -> None:
    file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


_WRITERS: Mapping[str, Callable[[Path], contextlib.AbstractContextManager[Write]]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".jsonl": _json_lines,
}
