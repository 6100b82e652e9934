"""Decisions as they are stored: blocks of rows of one width, which the trail binds byte for byte.

A block is a header, rows and text. The header is canonical JSON: what the columns are, which models answered,
which policy held, and the lists that the rows point into. A row is a little-endian record of fixed width
(`row_type`); the text is, row by row and column by column, the UTF-8 of whatever is text. A row's hash is
SHA-256(SHA-256(header) ‖ its record ‖ its text); 16 random bytes in each record keep it from being guessed.
What was hashed is what is stored, so that nothing is ever spelled anew to be verified.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from hitl_mlops.decisions.cases import Cases, Column, objects, rows_of
from hitl_mlops.decisions.record import Arm, Decision, ShadowPrediction
from hitl_mlops.ids import parse_instant
from hitl_mlops.routing.policy import Intervention
from hitl_mlops.routing.sampling import ID_BYTES

KEY_BYTES, SALT_BYTES, HASH_BYTES = ID_BYTES, 16, 32
NO_TEXT = 2**32 - 1
"""Length of a text that is not there."""
NOBODY = -1
"""Place of a label, or of a model in the shadow, that there is none."""
ARMS = (Arm.CHAMPION, Arm.CHALLENGER)

NUMBERS: Mapping[str, type] = {"number": np.float64, "whole": np.int64, "flag": np.bool_}
"""Kinds of column that stand among the numbers of a row, and what each is read back as."""

Rows: TypeAlias = npt.NDArray[np.void]


def row_type(numbers: int, classes: int, texts: int) -> np.dtype[np.void]:
    """The record of one decision, for so many number columns, classes (at the most) and text columns."""
    return np.dtype(
        [
            ("key", np.uint8, (KEY_BYTES,)),
            ("salt", np.uint8, (SALT_BYTES,)),
            ("case_at", "<i8"),
            ("confidence", "<f8"),
            ("pi", "<f8"),
            ("shadow_confidence", "<f8"),
            ("impact", "<f8"),
            ("label", "<i4"),
            ("shadow_label", "<i4"),
            ("reasons", "<u4"),
            ("route", "<u2"),
            ("signatures", "u1"),
            ("model", "u1"),
            ("arm", "u1"),
            ("shadow_model", "i1"),
            ("spot_check", "u1"),
            ("probabilities", "<f8", (classes,)),
            ("numbers", "<f8", (numbers,)),
            ("texts", "<u4", (texts,)),
        ]
    )


@lru_cache(maxsize=64)
def _read_header(head: bytes) -> dict[str, Any]:
    """The header in these bytes, read once for a block and all parts that are taken of it."""
    return dict(json.loads(head))


@dataclass(frozen=True)
class Block:
    """Some decisions that were recorded together, with their cases.

    Attributes:
        head: the header as stored.
        rows: one record each, `row_type`.
        text: the texts of all rows, one after the other.
        number: its place among the blocks of the log, from 1; 0 while it has none.
    """

    head: bytes
    rows: Rows
    text: bytes
    number: int = field(default=0, compare=False)

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def load(cls, head: bytes, rows: bytes, text: bytes, number: int) -> Block:
        """The block that was stored in these bytes; raises ValueError if they are none."""
        header = _read_header(head)
        shape = row_type(len(header["numbers"]), header["widest"], len(header["texts"]))
        return cls(head, np.frombuffer(rows, dtype=shape), text, number)

    @property
    def header(self) -> dict[str, Any]:
        """What the rows point into: see `write.write_block`. Not to be changed."""
        return _read_header(self.head)

    @cached_property
    def at(self) -> datetime:
        """When they were decided."""
        return parse_instant(self.header["at"])

    @cached_property
    def keys(self) -> list[bytes]:
        """The key of every decision, `key_of(decision id)`."""
        return split_keys(self.rows["key"])

    @cached_property
    def decision_ids(self) -> list[str]:
        """The id of every decision."""
        return [id_of(key) for key in self.keys]

    @cached_property
    def _starts(self) -> npt.NDArray[np.int64]:
        """Where each text begins, row by row, and the end of the last; shape (rows * texts + 1,)."""
        lengths = self.rows["texts"].astype(np.int64).ravel()
        lengths[lengths == NO_TEXT] = 0
        return np.concatenate([[0], np.cumsum(lengths)])

    @cached_property
    def records(self) -> bytes:
        """The rows as they are stored."""
        return self.rows.tobytes()

    @cached_property
    def hashes(self) -> list[bytes]:
        """The hash of every row, 32 bytes each."""
        first, sha256 = hashlib.sha256(self.head).digest(), hashlib.sha256
        width, records, text = self.rows.dtype.itemsize, self.records, self.text
        ends = self._starts[:: max(1, len(self.header["texts"]))].tolist()
        rows = zip(range(0, len(records), width), ends, ends[1:], strict=False)
        return [sha256(first + records[at : at + width] + text[a:b]).digest() for at, a, b in rows]

    def hashed(self) -> Block:
        """The same block, whose hashes are known from now on."""
        _ = self.hashes
        return self

    def take(self, rows: npt.NDArray[np.intp]) -> Block:
        """The same block with those rows alone."""
        many = max(1, len(self.header["texts"]))
        ends = self._starts[::many].tolist()
        text = b"".join(self.text[ends[row] : ends[row + 1]] for row in rows.tolist())
        return Block(self.head, self.rows[rows], text)

    def asking(self) -> Block:
        """The same block with the rows alone about which people may be asked.

        They are reviewed, spot-checked, or the model in the shadow said another class.
        """
        names = [np.array([*each["classes"], ""], dtype=object) for each in self.header["models"]]
        rows = self.rows
        asked = rows["signatures"] > 0
        for place in np.flatnonzero(~asked & (rows["shadow_model"] != NOBODY)).tolist():
            row = rows[place]
            shadow = names[row["shadow_model"]][row["shadow_label"]]
            asked[place] = shadow != names[row["model"]][row["label"]]
        return self.take(np.flatnonzero(asked)).numbered(self.number)

    def numbered(self, number: int) -> Block:
        """The same block at its place in the log."""
        placed = copy(self)  # with what it knows already
        object.__setattr__(placed, "number", number)
        return placed

    def names(self) -> tuple[list[str], list[str]]:
        """The ids of their cases, and whose data each is."""
        place = self.header["subject"]
        ids = [each or "" for each in self._texts(0)]
        return ids, [each or "" for each in self._texts(place)] if place else ids

    def kept(self) -> list[dict[str, Any]]:
        """The kept columns of each case."""
        inputs = {name: (kind, place) for name, kind, place in self.header["inputs"]}
        places = {
            name: inputs[name] if kind == "input" else (kind, place)
            for name, kind, place in self.header["kept"]
        }
        return rows_of({name: self._column(*where) for name, where in places.items()}, len(self))

    def cases(self) -> Cases:
        """Their cases."""
        ids, subjects = self.names()
        inputs = {name: self._column(kind, place) for name, kind, place in self.header["inputs"]}
        kept = {
            name: inputs[name] if kind == "input" else self._column(kind, place)
            for name, kind, place in self.header["kept"]
        }
        return Cases(ids, subjects, self.rows["case_at"].copy(), inputs, kept)

    def decisions(self) -> list[Decision]:
        """Every decision as a record."""
        reading = _Reading(self)
        fields = (self.rows[name].tolist() for name in _Row._fields)
        return [reading.decision(*row) for row in enumerate(map(_Row, *fields))]

    def shadows(self) -> list[ShadowPrediction]:
        """What was said in the shadow, in the order of the rows; none for a row where nothing was."""
        models, found = self.header["models"], []
        for place in np.flatnonzero(self.rows["shadow_model"] != NOBODY).tolist():
            row = self.rows[place]
            model = models[int(row["shadow_model"])]
            found.append(
                ShadowPrediction(
                    self.decision_ids[place],
                    model["version"],
                    model["digest"],
                    model["classes"][int(row["shadow_label"])],
                    float(row["shadow_confidence"]),
                )
            )
        return found

    def count_by(self, name: str, words: Sequence[str]) -> dict[str, int]:
        """Word → how many rows point at it in the field, without those nothing points at, by word."""
        counts = np.bincount(self.rows[name], minlength=len(words)).tolist()
        return {word: count for word, count in sorted(zip(words, counts, strict=True)) if count}

    def by_route(self) -> dict[str, int]:
        """Route → decisions."""
        return self.count_by("route", [each["name"] for each in self.header["routes"]])

    def by_rule(self) -> dict[str, int]:
        """What fired → decisions for which it did."""
        counts: Counter[str] = Counter()
        for place, count in enumerate(np.bincount(self.rows["reasons"]).tolist()):
            counts.update(dict.fromkeys(self.header["reasons"][place], count))
        return dict(counts)

    def by_arm(self) -> dict[str, int]:
        """Arm → decisions."""
        return self.count_by("arm", [arm.value for arm in ARMS])

    def _texts(self, column: int) -> list[str | None]:
        many = len(self.header["texts"])
        starts = self._starts[column:-1:many].tolist() if len(self) else []
        lengths, text = self.rows["texts"][:, column].tolist(), self.text
        return [
            None if length == NO_TEXT else text[start : start + length].decode("utf-8", "surrogatepass")
            for start, length in zip(starts, lengths, strict=True)
        ]

    def _column(self, kind: str, place: int) -> Column:
        if kind in NUMBERS:
            return self.rows["numbers"][:, place].astype(NUMBERS[kind])
        values: list[Any] = self._texts(place)
        if kind == "json":
            values = [None if value is None else json.loads(value) for value in values]
        return objects(values)


@dataclass(frozen=True, slots=True)
class _Route:
    """A route as a header holds it."""

    name: str
    intervention: Intervention
    reversible: timedelta | None

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> _Route:
        seconds = plain["reversible_s"]
        return cls(
            plain["name"],
            Intervention(plain["intervention"]),
            None if seconds is None else timedelta(seconds=seconds),
        )


class _Row(NamedTuple):
    """The fields of a record that a decision is read from."""

    model: int
    arm: int
    label: int
    confidence: float
    probabilities: list[float]
    route: int
    reasons: int
    pi: float
    spot_check: int
    signatures: int
    impact: float


class _Reading:
    """What the rows of a block point into, made ready for reading many."""

    def __init__(self, block: Block) -> None:
        header = block.header
        self.block, self.policy_hash, self.kept = block, header["policy_hash"], block.kept()
        self.ids, self.subjects = block.names()
        self.routes = [_Route.of(each) for each in header["routes"]]
        self.reasons = [tuple(each) for each in header["reasons"]]
        self.models = [(each["version"], each["digest"], tuple(each["classes"])) for each in header["models"]]

    def decision(self, place: int, row: _Row) -> Decision:
        """The decision of a row."""
        version, digest, classes = self.models[row.model]
        plan, answered, at = self.routes[row.route], row.label != NOBODY, self.block.at
        return Decision(
            decision_id=self.block.decision_ids[place],
            case_id=self.ids[place],
            subject=self.subjects[place],
            at=at,
            model_version=version,
            model_digest=digest,
            arm=ARMS[row.arm],
            label=classes[row.label] if answered else "",
            confidence=row.confidence,
            probabilities=dict(zip(classes, row.probabilities, strict=False)) if answered else {},
            route=plan.name,
            reasons=self.reasons[row.reasons],
            policy_hash=self.policy_hash,
            pi=row.pi,
            spot_check=bool(row.spot_check),
            signatures=row.signatures,
            attributes=self.kept[place],
            intervention=plan.intervention,
            reversible_until=None if plan.reversible is None else at + plan.reversible,
            impact=None if math.isnan(row.impact) else row.impact,
        )


def key_of(decision_id: str) -> bytes:
    """The 12 bytes that an id spells, under which its decision is found; empty where it is no such id."""
    kind, _, digits = decision_id.partition("_")
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        return b""
    return key if kind == "d" and len(digits) == 2 * KEY_BYTES == 2 * len(key) else b""


def split_keys(keys: npt.NDArray[np.uint8]) -> list[bytes]:
    """The rows of an array of shape (n, 12), as bytes."""
    joined = np.ascontiguousarray(keys).tobytes()
    return [joined[start : start + KEY_BYTES] for start in range(0, len(joined), KEY_BYTES)]


def id_of(key: bytes) -> str:
    """The decision id of a key.

    >>> id_of(key_of("d_00112233445566778899aabb"))
    'd_00112233445566778899aabb'
    """
    return f"d_{key.hex()}"


def block_name(number: int) -> str:
    """The name of a block in the trail.

    >>> block_name(7)
    'b_7'
    """
    return f"b_{number}"


def digest_of(hashes: Sequence[bytes]) -> str:
    """What the trail holds of a block: SHA-256 over the hashes of its rows, in order, as `sha256:…`."""
    return "sha256:" + hashlib.sha256(b"".join(hashes)).hexdigest()
