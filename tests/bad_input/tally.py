"""What was tried in this run: told at its end, with the seed by which it can be tried again."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field

SEED = int(os.environ.get("HITL_BAD_INPUT_SEED", "20261121"))


@dataclass(slots=True)
class Tally:
    """Examples by door, and the classes of which they were.

    Attributes:
        examples: door → how many.
        classes: door → names.
    """

    examples: Counter[str] = field(default_factory=Counter)
    classes: dict[str, set[str]] = field(default_factory=dict)

    def count(self, door: str, *names: str, examples: int = 1) -> None:
        """So many more were tried at the door, of these classes."""
        self.examples[door] += examples
        self.classes.setdefault(door, set()).update(names)

    def told(self) -> str:
        """One line for the end of the run."""
        doors = ", ".join(
            f"{door} {len(self.classes.get(door, ()))} classes in {count:,} examples"
            for door, count in sorted(self.examples.items())
        )
        every = set().union(*self.classes.values()) if self.classes else set()
        total = self.examples.total()
        return f"bad input: {len(every)} classes, {total:,} examples, seed {SEED} ({doors})"


TALLY = Tally()
