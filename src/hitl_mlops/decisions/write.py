"""Writing a block: what was decided, laid out in rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from hitl_mlops.decisions.block import NO_TEXT, NUMBERS, Block, row_type
from hitl_mlops.decisions.cases import Cases, Column, column_values
from hitl_mlops.decisions.cells import EXACT_UP_TO
from hitl_mlops.ids import canonical_json, instant
from hitl_mlops.routing.policy import RoutePlan


@dataclass(frozen=True, slots=True)
class Spoke:
    """A model that answered, or spoke in the shadow."""

    version: str
    digest: str
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What models and policy made of some cases; every array has one value a case, in their order.

    Attributes:
        models: those that spoke.
        routes: those of the policy.
        reasons: the sets of reasons that occur.
        policy_hash: content hash of the policy.
        fields: name of a field of `row_type` → its values; `probabilities` has shape (n, classes).
    """

    models: Sequence[Spoke]
    routes: Sequence[RoutePlan]
    reasons: Sequence[tuple[str, ...]]
    policy_hash: str
    fields: Mapping[str, npt.NDArray[Any]]


def write_block(cases: Cases, outcome: Outcome, at: datetime) -> Block:
    """The cases and what was decided of them as one block.

    Args:
        cases: at least one.
        outcome: what was decided, with `key` and `salt` among its fields.
        at: when.
    """
    numbers, texts = _Numbers(), _Texts()
    texts.add("case_id", cases.ids)
    own = cases.subjects is not cases.ids
    subject = texts.add("subject", cases.subjects) if own else 0
    inputs = _place(cases.inputs, numbers, texts, {})
    kept = _place(cases.kept, numbers, texts, cases.inputs)
    widest = max(len(each.classes) for each in outcome.models)
    header = {
        "v": 1,
        "at": instant(at),
        "subject": subject,
        "inputs": inputs,
        "kept": kept,
        "numbers": numbers.names,
        "texts": texts.names,
        "widest": widest,
        "models": [
            {"version": each.version, "digest": each.digest, "classes": each.classes}
            for each in outcome.models
        ],
        "routes": [_route(each) for each in outcome.routes],
        "reasons": outcome.reasons,
        "policy_hash": outcome.policy_hash,
    }
    rows = np.zeros(len(cases), dtype=row_type(len(numbers.names), widest, len(texts.names)))
    rows["case_at"] = cases.moments
    for name, values in outcome.fields.items():
        rows[name] = values
    for place, column in enumerate(numbers.columns):
        rows["numbers"][:, place] = column
    rows["texts"] = texts.lengths()
    return Block(canonical_json(header), rows, texts.joined())


def _route(plan: RoutePlan) -> dict[str, Any]:
    lasts = plan.reversible_for or plan.haltable_for  # a route has one of them, or none
    return {
        "name": plan.name,
        "intervention": plan.intervention.value,
        "reversible_s": None if lasts is None else lasts.total_seconds(),
    }


class _Texts:
    """Text columns, as they come."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._columns: list[list[bytes | None]] = []

    def add(self, name: str, values: Sequence[str | None]) -> int:
        """A column more; its place."""
        self.names.append(name)
        self._columns.append(
            [None if value is None else value.encode("utf-8", "surrogatepass") for value in values]
        )
        return len(self.names) - 1

    def lengths(self) -> npt.NDArray[np.uint32]:
        """The length of each text, shape (rows, columns)."""
        counted = [[NO_TEXT if each is None else len(each) for each in one] for one in self._columns]
        return np.array(counted, dtype=np.uint32).T

    def joined(self) -> bytes:
        """All texts, row by row."""
        return b"".join([each for row in zip(*self._columns, strict=True) for each in row if each])


class _Numbers:
    """Number columns, as they come."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.columns: list[Column] = []

    def add(self, name: str, column: Column) -> int:
        """A column more; its place."""
        self.names.append(name)
        self.columns.append(column)
        return len(self.names) - 1


def _place(
    columns: Mapping[str, Column], numbers: _Numbers, texts: _Texts, stored: Mapping[str, Column]
) -> list[tuple[str, str, int]]:
    """Every column stands among the numbers or the texts; (name, kind, place) of each.

    A column that is one of `stored` itself is not stored again: its kind is `input`.
    """
    placed = []
    for name, column in columns.items():
        kind = "input" if stored.get(name) is column else _kind(column)
        if kind == "input":
            placed.append((name, kind, 0))
        elif kind in NUMBERS:
            placed.append((name, kind, numbers.add(name, column)))
        else:
            values = column_values(column)
            if kind == "json":
                values = [None if value is None else canonical_json(value).decode() for value in values]
            placed.append((name, kind, texts.add(name, values)))
    return placed


def _kind(column: Column) -> str:
    if column.dtype.kind == "i":
        inexact = len(column) and max(abs(int(column.max())), abs(int(column.min()))) > EXACT_UP_TO
        return "json" if inexact else "whole"
    if column.dtype.kind in "fb":
        return "number" if column.dtype.kind == "f" else "flag"
    return "text" if set(map(type, column.tolist())) <= {str, type(None)} else "json"
