"""What a value of a policy file may be: how it is read, and the same as JSON Schema, said once.

The schema accepts all that is read: it is never stricter. What only the whole file can tell, say that a rule
names a route which is there, the reader alone refuses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hitl_mlops.documents import Piece
from hitl_mlops.routing.conditions import NUMBER, parse_condition, parse_test, spell

_TEST_TEXT = (
    rf"^\s*(?:(?:>=|<=|>|<)\s*{NUMBER}|{NUMBER}\s*\.\.\s*{NUMBER})\s*$"
    r"|^(?!\s*[<>=!])(?![\s\S]*\.\.)[\s\S]*\S[\s\S]*$"
)
_DURATION_TEXT = r"^\s*[0-9]+(?:\.[0-9]+)?\s*[smhdw]\s*$"


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a value.

    Attributes:
        read: what a piece of this form says; raises ConfigurationError for any other.
        schema: JSON Schema, draft 2020-12, without `$schema`.
    """

    read: Callable[[Piece], Any]
    schema: Mapping[str, Any]

    def about(self, sentence: str) -> Form:
        """The form with what an editor shows beside it."""
        return replace(self, schema={"description": sentence, **self.schema})


def number(low: float = -math.inf, high: float = math.inf) -> Form:
    """A number between the bounds, both included."""
    bounds = {"minimum": low, "maximum": high}
    finite = {name: bound for name, bound in bounds.items() if math.isfinite(bound)}
    return Form(lambda piece: piece.number(low, high), {"type": "number", **finite})


def whole(low: int, high: int | None = None) -> Form:
    """A whole number of `low` or more, and of `high` at the most."""

    def read(piece: Piece) -> int:
        value = piece.whole(low)
        if high is not None and value > high:
            raise piece.wrong(f"{value} is more than {high}.", f"Write {high} or less.")
        return value

    top = {} if high is None else {"maximum": high}
    return Form(read, {"type": "integer", "minimum": low, **top})


def text(choices: Collection[str] | None = None) -> Form:
    """A text that is not blank, one of the choices where they are given."""
    if choices is None:
        return Form(Piece.text, {"type": "string", "pattern": r"\S"})
    known = tuple(choices)
    return Form(lambda piece: piece.text(known), {"enum": list(known)})


def either(first: Form, second: Form) -> Form:
    """A text is read by the second form, anything else by the first."""
    return Form(
        lambda piece: (second if isinstance(piece.value, str) else first).read(piece),
        {"anyOf": [first.schema, second.schema]},
    )


def list_of(form: Form, *, single: bool = True) -> Form:
    """A list; with `single`, one value stands for a list of one."""

    def read(piece: Piece) -> list[Any]:
        if not single and not isinstance(piece.value, list):
            raise piece.wrong(f"{piece.spelled()} is not a list.", "Write it in brackets: [one, two].")
        return [form.read(item) for item in piece.items()]

    array = {"type": "array", "items": form.schema}
    return Form(read, {"anyOf": [array, form.schema]} if single else array)


def map_of(keys: Mapping[str, Form], *, required: Collection[str] = ()) -> Form:
    """A map with these keys and no other. That required ones are there, the reader of the file tells."""

    def read(piece: Piece) -> dict[str, Any]:
        return {key: keys[key].read(value) for key, value in piece.fields(keys).items()}

    schema: dict[str, Any] = {"type": "object", "additionalProperties": False}
    schema["properties"] = {key: form.schema for key, form in keys.items()}
    return Form(read, {**schema, "required": list(required)} if required else schema)


def named(form: Form) -> Form:
    """A map from names of the user's to values of one form."""
    return Form(
        lambda piece: {name: form.read(value) for name, value in piece.fields().items()},
        {"type": "object", "additionalProperties": form.schema},
    )


def reference(name: str, read: Callable[[Piece], Any]) -> Form:
    """A form whose schema stands in `DEFINITIONS`."""
    return Form(read, {"$ref": f"#/$defs/{name}"})


def _class(piece: Piece) -> str:
    """A class or version, spelled as decisions spell it: 7 is "7"."""
    if isinstance(piece.value, (str, list, dict)) or piece.value is None:
        return piece.text()
    return spell(piece.value)


CLASS = Form(_class, {"anyOf": [{"type": "string", "pattern": r"\S"}, {"type": ["number", "boolean"]}]})
FLAG = Form(Piece.flag, {"type": "boolean"})
DURATION = Form(
    Piece.duration, {"type": "string", "pattern": _DURATION_TEXT, "examples": ["30m", "24h", "7d"]}
)
TEST = reference("test", lambda piece: parse_test("figure", piece))
CONDITION = reference("condition", parse_condition)

DEFINITIONS: Mapping[str, Mapping[str, Any]] = {
    "test": {
        "description": 'A value, a list (any of), ">= 10", "0.75..0.92", missing, or {not: …}.',
        "anyOf": [
            {"type": "string", "pattern": _TEST_TEXT},
            {"type": ["number", "boolean"]},
            {"type": "array", "minItems": 1, "items": TEST.schema},
            {
                "type": "object",
                "properties": {"not": TEST.schema},
                "required": ["not"],
                "additionalProperties": False,
            },
        ],
    },
    "condition": {
        "description": "attribute: test. All tests of a map must hold; a list of maps means any.",
        "anyOf": [
            {"type": "object", "minProperties": 1, "additionalProperties": TEST.schema},
            {"type": "array", "items": CONDITION.schema},
        ],
    },
}
