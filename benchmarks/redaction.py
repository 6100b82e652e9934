"""How much personal data is found before it reaches the reviewers' desk, and how much else is taken for it.

    python benchmarks/redaction.py [--quick] [--json]

1,000 numbers and addresses of every type (--quick: 200) are made by rules of this program's own, valid and in
the forms in which people write them, and set into sentences. Found is what is masked whole, whatever type it
was taken for. As many near-misses stand against them: the same forms with a wrong checksum or a rule broken,
and order numbers, dates, prices, versions, hashes and ids; and the 13,083 texts of Banking77 where they are
(HITL_TEST_DATA), in which nobody wrote such data. Precision of a type: of all that was called so in the
sentences, near-misses among them, the share that is.

Forms that no rule can tell from any other number stand beside their word ("BSN 111222333"), as they are
found only there: nine bare digits of SSN and BSN, and phone numbers without 0 or country code.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from made.near_misses import NEAR_MISSES
from made.personal_data import MADE
from rich.console import Console
from rich.table import Table

from hitl_mlops.redaction.finding import Finding
from hitl_mlops.redaction.masking import Masking
from hitl_mlops.redaction.patterns import Patterns

SEED = 20_261_121
SENTENCES = (
    "Hello, {} is what I was given by your branch last week, please check.",
    "{}",
    "My details: {}; I wait for your answer.",
    "Ich habe Ihnen am Montag ({}) alles geschickt.",
    'Customer wrote: "{}" and then hung up.',
    "Bonjour, voici: {}. Merci de confirmer.",
    "Why was I charged twice? Reference data below\n{}\nRegards, Ann",
    "name;data;state\nann;{};open",
    "We moved on 2026-02-01 and paid 1,250.00 EUR. Use {} from now on!",
    "It says {}, which is wrong.",
)
Figures = dict[str, float]


def plain_numbers(rng: random.Random) -> str:
    """What bank customers write that is nobody's."""
    digits = "".join(rng.choices("0123456789", k=40))
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(2010, 2030)
    clock = f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"
    one, two, three, four = (rng.randint(0, 999) for _ in range(4))
    return rng.choice(
        [
            f"order {digits[:8]}",
            f"order no. {digits[:10]}",
            f"invoice INV-{digits[:4]}-{digits[4:10]}",
            f"ticket #{digits[:7]}",
            f"{day:02d}.{month:02d}.{year} {clock}",
            f"{year}-{month:02d}-{day:02d}T{clock}:00Z",
            f"{clock}:{day:02d}",
            f"version {day}.{one}.{two}.{three}",
            f"v{day}.{one}.{two}",
            f"{one + 1},{two:03d}.{day:02d} EUR",
            f"${one}.{day:02d}",
            f"{rng.getrandbits(160):040x}",
            f"{rng.getrandbits(64):016x}",
            str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            f"0.{digits[:16]}",
            f"{one} x {two} x {three} cm",
            f"room {one}, floor {day}",
            f"pages {day}-{four}",
        ]
    )


def set_in(rng: random.Random, words: str, held: str) -> tuple[str, int, int]:
    """A sentence with the words and what they name, and where that stands."""
    before, after = rng.choice(SENTENCES).split("{}")
    before += words
    return before + held + after, len(before), len(before) + len(held)


def measure(*, quick: bool) -> Figures:
    """All figures."""
    many = 200 if quick else 1_000
    finder = Patterns()
    called, right, recall = Counter[str](), Counter[str](), Figures()
    for kind, make in MADE.items():
        rng = random.Random(f"{SEED} {kind}")
        found = 0
        for _ in range(many):
            text, start, end = set_in(rng, *make(rng))
            findings = finder.find(text)
            found += _covered(text, start, end, findings)
            called.update(one.type for one in findings)
            right.update(
                one.type for one in findings if one.start < end and one.end > start and one.type == kind
            )
        recall[f"recall_{kind}"] = found / many
    false = _taken_for_it(finder, many)
    called.update(false)
    precision = {f"precision_{kind}": right[kind] / max(1, called[kind]) for kind in MADE}
    return {
        **recall,
        **precision,
        **{f"false_{kind}": float(false[kind]) for kind in MADE},
        "recall_min": min(recall.values()),
        "precision_min": min(precision.values()),
        "precision": sum(right.values()) / sum(called.values()),
        "negatives": float(2 * many * len(MADE)),
        **_on_banking77(finder),
        **_speed(many),
    }


def _covered(text: str, start: int, end: int, findings: Sequence[Finding]) -> bool:
    """All letters and digits between are in what was found."""
    places = [place for place in range(start, end) if text[place].isalnum()]
    return all(any(one.start <= place < one.end for one in findings) for place in places)


def _taken_for_it(finder: Patterns, many: int) -> Counter[str]:
    """What was called personal data among near-misses of each type and as many plain numbers."""
    false = Counter[str]()
    for kind, make in NEAR_MISSES.items():
        rng = random.Random(f"{SEED} near {kind}")
        for _ in range(many):
            text, _, _ = set_in(rng, *make(rng))
            false.update(one.type for one in finder.find(text))
            text, _, _ = set_in(rng, "", plain_numbers(rng))
            false.update(one.type for one in finder.find(text))
    return false


def _on_banking77(finder: Patterns) -> Figures:
    folder = (
        Path(os.environ.get("HITL_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")) / "banking77"
    )
    files = [folder / name for name in ("train.csv", "test.csv")]
    if not all(file.is_file() for file in files):
        return {}
    texts = [text for file in files for text in pd.read_csv(file)["text"]]
    begun = time.perf_counter()
    found = [one for text in texts for one in finder.find(text)]
    taken = time.perf_counter() - begun
    return {
        "banking77_texts": float(len(texts)),
        "banking77_found": float(len(found)),
        "banking77_texts_per_s": len(texts) / taken,
    }


def _speed(many: int) -> Figures:
    """Texts masked in a second: each with one number or address, in sentences of a mean length."""
    rng = random.Random(f"{SEED} speed")
    texts = [set_in(rng, *make(rng))[0] for make in MADE.values() for _ in range(many)]
    mask = Masking().text
    begun = time.perf_counter()
    for text in texts:
        mask(text)
    taken = time.perf_counter() - begun
    return {"texts_per_s": len(texts) / taken, "chars_per_text": sum(map(len, texts)) / len(texts)}


def show(figures: Figures) -> None:
    """One row for each type."""
    table = Table("type", "recall", "precision", "near-misses and plain numbers taken for it")
    for kind in MADE:
        table.add_row(
            kind,
            f"{figures[f'recall_{kind}']:.2%}",
            f"{figures[f'precision_{kind}']:.2%}",
            f"{figures[f'false_{kind}']:,.0f} of {figures['negatives']:,.0f}",
        )
    Console().print(table)
    chars = f"{figures['chars_per_text']:.0f} characters"
    Console().print(f"{figures['texts_per_s']:,.0f} texts a second, each with one of them, {chars}.")
    if "banking77_texts" in figures:
        Console().print(
            f"Banking77: {figures['banking77_found']:,.0f} found in {figures['banking77_texts']:,.0f} texts, "
            f"{figures['banking77_texts_per_s']:,.0f} texts a second."
        )


def main() -> None:
    """Print a table, and with --json one object of figures as the last line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures = measure(quick=given.quick)
    show(figures)
    if given.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
