"""Personal data is replaced by its type before a text leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hitl_mlops.redaction.finding import NATIONAL_IDS, TYPES, Finder, Finding, settled
from hitl_mlops.redaction.patterns import Patterns

ALL, NONE, GROUP = "all", "none", "national-id"
"""Words for every type, for no type, and for all of `NATIONAL_IDS`."""
MOST_PASSES = 32
"""A mask brings words and numbers nearer to each other; text in which that goes on longer is not let out."""


@dataclass(frozen=True, slots=True)
class Masking:
    """What is masked in what leaves for the desk.

    Attributes:
        types: which types; none: nothing is masked.
        finder: what finds them.
        beside: what finds more, whatever `types` says; None: nothing does.
        except_columns: columns whose values leave as they are.
    """

    types: frozenset[str] = frozenset(TYPES)
    finder: Finder = field(default_factory=Patterns)
    beside: Finder | None = None
    except_columns: frozenset[str] = frozenset()

    def text(self, text: str, column: str = "") -> str:
        """The text with `[type]` in the place of all that is found; `finder` finds nothing in it any more.

        Args:
            text: any text.
            column: where it comes from; empty: from no column.

        >>> Masking().text("Mail ann@example.org about card 4111 1111 1111 1111.")
        'Mail [e-mail] about card [card].'
        """
        if column in self.except_columns:
            return text
        if self.beside is not None:
            found = self.beside.find(text, column)
            text = _masked(text, settled([*found, *self._found(text, column)]))
        for _ in range(MOST_PASSES):
            found = self._found(text, column)
            if not found:
                return text
            text = _masked(text, found)
        return "[masked]"

    def _found(self, text: str, column: str) -> list[Finding]:
        return self.finder.find(text, column) if self.types else []


def _masked(text: str, found: Sequence[Finding]) -> str:
    parts, done = [], 0
    for one in found:
        parts += [text[done : one.start], f"[{one.type}]"]
        done = one.end
    return "".join((*parts, text[done:]))


def types_named(names: Sequence[str]) -> frozenset[str]:
    """The types that those words name.

    Raises:
        KeyError: one is neither a type nor a word for several; it is the error's argument.

    >>> sorted(types_named(["card", "iban"])), types_named(["none"])
    (['card', 'iban'], frozenset())
    """
    words = {ALL: TYPES, NONE: (), GROUP: NATIONAL_IDS, **{name: (name,) for name in TYPES}}
    return frozenset(name for word in names for name in words[word])
