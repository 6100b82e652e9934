"""A finder of the user's own beside ours, named in `hitl.yaml`: for names, or streets, or both."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hitl_mlops.redaction.finding import Finding, settled

OwnFunction = Callable[[str], Any]
"""Text → (start, end, type) of each thing found."""
UNKNOWN = "masked"
"""The type of what a finder cannot tell: the whole text, where it raised or gave no such answer."""
_NOT_OF_A_TYPE = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class OwnFinder:
    """Finds what a function of the user's finds. Where that fails, the whole text counts as found.

    Attributes:
        function: takes a text, gives (start, end, type) of each thing in it.
    """

    function: OwnFunction

    def find(self, text: str, context: str = "") -> list[Finding]:  # noqa: ARG002 - the function has no use for it
        """See `Finder.find`; what lies outside the text is cut off, and a type is spelled as ours are."""
        if not text.strip():
            return []
        try:
            told = [_finding(len(text), *one) for one in self.function(text)]
        except Exception:  # noqa: BLE001 - a user's function may raise anything, and doubt shows nothing
            return [Finding(0, len(text), UNKNOWN)]
        return settled(one for one in told if one.start < one.end)


def _finding(length: int, start: int, end: int, kind: str) -> Finding:
    name = _NOT_OF_A_TYPE.sub("-", str(kind).lower()).strip("-")[:30]
    return Finding(max(0, int(start)), min(length, int(end)), name or UNKNOWN)
