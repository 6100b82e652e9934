"""YAML files that people write: every piece knows its line, so that a mistake is told where it stands."""

from __future__ import annotations

import datetime as dt
import difflib
import math
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hitl_mlops.errors import ConfigurationError

LARGEST_FILE = 256 * 1024
MOST_PIECES = 20_000
DEEPEST = 50
LONGEST_TEXT = 10_000
LARGEST_WHOLE = 2**53
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhdw])")
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_HALF = re.compile(r"[\ud800-\udfff]")
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map", "timestamp")
)
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, slots=True)
class Piece:
    """One value of a YAML file, with its place.

    Attributes:
        value: a dict of pieces, a list of pieces, or a plain scalar.
        line: line in the file, from 1.
        path: the keys that lead to it, `routes.auto.confidence`.
        file: name of the file, for messages.
    """

    value: Any
    line: int
    path: str
    file: str

    def wrong(self, fact: str, remedy: str) -> ConfigurationError:
        """The error that this piece is wrong, naming file, line and key."""
        where = f"{self.file}, line {self.line}" + (f", {self.path}" if self.path else "")
        return ConfigurationError(f"{where}: {fact}", remedy=remedy, line=self.line, key=self.path)

    def fields(self, known: Collection[str] | None = None) -> dict[str, Piece]:
        """The pieces of a map by key; with `known`, any other key is refused with the likeliest meant."""
        if not isinstance(self.value, dict):
            raise self.wrong(
                f"{self.spelled()} is not a map.", "Write it as `key: value` lines or {key: value}."
            )
        for key, piece in self.value.items():
            if known is not None and key not in known:
                raise piece.wrong(f"the key {key!r} is not known here.", did_you_mean(key, known))
        return dict(self.value)

    def items(self) -> list[Piece]:
        """The pieces of a list; a single value counts as a list of one."""
        return list(self.value) if isinstance(self.value, list) else [self]

    def text(self, choices: Collection[str] | None = None) -> str:
        """A text, one of `choices` where they are given."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.wrong(f"{self.spelled()} is not a text.", "Write a word, in quotes where needed.")
        if choices is not None and self.value not in choices:
            raise self.wrong(f"{self.spelled()} is not known here.", did_you_mean(self.value, choices))
        return self.value

    def number(self, low: float = -math.inf, high: float = math.inf) -> float:
        """A finite number between the bounds, both included."""
        fits = isinstance(self.value, (int, float)) and not isinstance(self.value, bool)
        if not fits or not math.isfinite(self.value) or not low <= self.value <= high:
            raise self.wrong(
                f"{self.spelled()} is not a number{_between(low, high)}.", "Write a number, without quotes."
            )
        return float(self.value)

    def whole(self, low: int = 0) -> int:
        """A whole number, at least `low`."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < low:
            raise self.wrong(f"{self.spelled()} is not a whole number of {low} or more.", "Write 1, 2, 3 …")
        return int(self.value)

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.wrong(f"{self.spelled()} is neither true nor false.", "Write true or false.")
        return self.value

    def duration(self) -> dt.timedelta:
        """A time span such as 30m, 24h or 7d."""
        span = parse_duration(self.value) if isinstance(self.value, str) else None
        if span is None:
            raise self.wrong(f"{self.spelled()} is not a time span.", "Write 30m, 24h or 7d.")
        return span

    def at(self, *path: str | int) -> Piece:
        """The piece to which these keys lead, or the nearest one before it."""
        here = self
        for step in path:
            if not isinstance(here.value, (dict, list)):
                break
            try:
                here = here.value[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                break
        return here

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: piece.plain() for key, piece in self.value.items()}
        if isinstance(self.value, list):
            return [piece.plain() for piece in self.value]
        return self.value

    def spelled(self) -> str:
        """The value as a message shows it."""
        if self.value is None:
            return "nothing"
        shown = repr(self.plain())
        return shown if len(shown) <= 60 else shown[:57] + "…"  # noqa: PLR2004 - one line of a message


def parse_duration(text: str) -> dt.timedelta | None:
    """The time span that a text such as `24h` names; None where it names none.

    >>> parse_duration("24h")
    datetime.timedelta(days=1)
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return None
    seconds = float(match[1]) * _SECONDS[match[2]]
    longest = 100 * 365 * _SECONDS["d"]
    return dt.timedelta(seconds=seconds) if 0 < seconds <= longest else None


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A remedy that names the likeliest of the known words, or all of them.

    >>> did_you_mean("confidnce", ["confidence", "signatures"])
    'Did you mean confidence?'
    """
    near = difflib.get_close_matches(str(word), [str(name) for name in known], n=1)
    if near:
        return f"Did you mean {near[0]}?"
    return f"Known are: {', '.join(sorted(map(str, known)))}." if known else "Take it out."


def read_yaml(path: Path) -> Piece:
    """The whole file as one piece.

    Raises:
        ConfigurationError: no such file, not UTF-8, or as `parse_yaml`.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= 4 * LARGEST_FILE else b"x" * (LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"There is no file {path}.", remedy="Run `hitl init` to write one, or name it with --project."
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror or type(error).__name__}.",
            remedy="Give the path of a file that this user may read.",
        ) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _at_line(path.name, line, "these bytes are not UTF-8.", "Save it as UTF-8 text.") from error
    return parse_yaml(text, path.name)


def with_environment(value: Any, environment: Mapping[str, str] | None = None) -> Any:
    """`${NAME}` in texts is replaced by the environment's value, in lists and mappings too.

    Raises:
        ConfigurationError: a variable is not set.

    >>> with_environment({"token": "${T}"}, {"T": "abc"})
    {'token': 'abc'}
    """
    known = os.environ if environment is None else environment
    if isinstance(value, dict):
        return {key: with_environment(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [with_environment(item, known) for item in value]
    if not isinstance(value, str):
        return value

    def lookup(found: re.Match[str]) -> str:
        if found[1] not in known:
            raise ConfigurationError(
                f"The environment variable {found[1]} is not set.", remedy=f"Run: export {found[1]}=…"
            )
        return known[found[1]]

    return _VARIABLE.sub(lookup, value)


def parse_yaml(text: str, file: str) -> Piece:
    """The whole file as one piece.

    Raises:
        ConfigurationError: no YAML, a key twice, an empty or huge file, nesting without end; the fact
            names the line.
    """
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    _refuse_huge(text, file)
    try:
        tree = _reader().load(text)
        if tree is None:
            raise _at_line(file, 1, "the file is empty.", "Run `hitl init` for an example to start from.")
        return _piece(tree, 1, "", file, [MOST_PIECES])
    except DuplicateKeyError as error:
        fact = f"{_first_sentence(error)} is there twice."
        raise _at_line(file, _line(error), fact, "Keep one of the two.") from error
    except MarkedYAMLError as error:
        fact = f"this is not YAML: {error.problem}."
        remedy = error.note or "Mend the indentation, brackets or quotes on that line."
        raise _at_line(file, _line(error), fact, remedy) from error
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        fact = f"the sign U+{error.character:04X} cannot stand in YAML."
        raise _at_line(file, line, fact, "Take it out.") from error
    except (YAMLError, RecursionError, ValueError, TypeError) as error:
        fact = f"this cannot be read as YAML: {type(error).__name__}."
        raise _at_line(file, 1, fact, "Take out unusual characters and deep nesting.") from error


def _at_line(file: str, line: int, fact: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"{file}, line {line}: {fact}", remedy=remedy, line=line)


def _refuse_huge(text: str, file: str) -> None:
    """What would take long to read is not begun: long text, many values, deep nesting."""
    if len(text) > LARGEST_FILE:
        raise _at_line(
            file,
            1,
            f"it has more than {LARGEST_FILE:,} characters.",
            "Keep it shorter; is it the right file?",
        )
    if text.count(",") + text.count("\n") > MOST_PIECES:
        raise _at_line(file, 1, f"it has more than {MOST_PIECES:,} values.", "Keep it shorter.")
    depth = 0
    for found in re.finditer(r"[\[{\]}]|\n +", text):
        sign = found[0]
        depth += (sign in "[{") - (sign in "]}" and depth > 0)
        if depth > DEEPEST or len(sign) > 8 * DEEPEST:
            line = text.count("\n", 0, found.end()) + 1
            raise _at_line(file, line, f"this is nested deeper than {DEEPEST}.", "Close what was opened.")


def _reader() -> Any:
    """Reads maps, lists and plain values, and nothing else; each mistake knows its line."""
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import ConstructorError, RoundTripConstructor
    from ruamel.yaml.nodes import MappingNode

    class Plain(RoundTripConstructor):
        def construct_object(self, node: Any, deep: bool = False) -> Any:
            names = [key for key, _ in node.value] if isinstance(node, MappingNode) else []
            for one in (node, *names):
                if one.tag not in _TAGS:
                    raise ConstructorError(
                        None,
                        None,
                        f"{one.tag.rpartition(':')[2]} is not read here",
                        one.start_mark,
                        "Write maps, lists and plain values, without tags (!name) and merges (<<).",
                    )
            try:
                return super().construct_object(node, deep=deep)
            except (ValueError, OverflowError) as error:
                raise ConstructorError(
                    None, None, "this value cannot be", node.start_mark, "Mend it, or quote it if it is text."
                ) from error

    reader = YAML(typ="rt")
    reader.Constructor = Plain
    return reader


def _piece(value: Any, line: int, path: str, file: str, budget: list[int]) -> Piece:
    budget[0] -= 1
    if budget[0] < 0:  # aliases of aliases grow without end
        raise _at_line(
            file,
            line,
            f"it has more than {MOST_PIECES:,} values.",
            "Take out the YAML aliases (&name, *name).",
        )
    if isinstance(value, Mapping):
        lines = value.lc  # type: ignore[attr-defined]
        inner = {
            _key(key, line, file): _piece(
                item, lines.key(key)[0] + 1, f"{path}.{key}".lstrip("."), file, budget
            )
            for key, item in value.items()
        }
        return Piece(inner, line, path, file)
    if isinstance(value, list):
        places = value.lc  # type: ignore[attr-defined]
        return Piece(
            [
                _piece(item, places.item(place)[0] + 1, f"{path}[{place}]", file, budget)
                for place, item in enumerate(value)
            ],
            line,
            path,
            file,
        )
    found = Piece(_scalar(value), line, path, file)
    if fault := _fault(found.value):
        raise found.wrong(*fault)
    return found


def _key(key: Any, line: int, file: str) -> str:
    if isinstance(key, bool) or not isinstance(key, (str, int)):
        raise ConfigurationError(f"{file}, line {line}: the key {key!r} is not a word.", remedy="Quote it.")
    if fault := _fault(str(key)):
        raise _at_line(file, line, f"in a key, {fault[0]}", fault[1])
    return str(key)


def _fault(value: Any) -> tuple[str, str] | None:
    """What is wrong with a plain value wherever it stands, and the remedy; None where nothing is."""
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            return f"the text is longer than {LONGEST_TEXT:,} signs.", "Shorten it."
        if _HALF.search(value):
            return "the text holds half a character (a lone surrogate).", "Take it out."
        if _STEERING.search(value):
            return "the text holds a sign that steers (a NUL, an escape).", "Take it out."
    elif isinstance(value, float) and not math.isfinite(value):
        return "this is NaN or infinite.", "Write a number."
    elif isinstance(value, int) and abs(value) > LARGEST_WHOLE:
        return (
            "this number has more digits than can be kept exactly.",
            "Write a smaller one, or quote a name.",
        )
    return None


def _scalar(value: Any) -> Any:
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return None if value is None else str(value)


def _line(error: Any) -> int:
    mark = error.problem_mark or error.context_mark
    return int(mark.line) + 1 if mark else 1


def _first_sentence(error: Any) -> str:
    found = re.search(r'found duplicate key "(.*?)"', str(error.problem))
    return f"the key {found[1]!r}" if found else "a key"


def _between(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return ""
    return f" between {low:g} and {high:g}"
