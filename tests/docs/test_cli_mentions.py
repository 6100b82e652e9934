"""Every command that a text names can be typed: in error remedies, docstrings, flows, and the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from hitl_mlops.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted(
    [
        *(ROOT / "src").rglob("*.py"),
        *(ROOT / "flows").glob("*.py"),
        *(ROOT / "configs").rglob("*.yaml"),
        *(path for path in (ROOT / "docs").rglob("*.md") if "adr" not in path.parts),
        *ROOT.glob("README.md"),
    ]
)
MENTION = re.compile(r"(?:`|→ |then: |[Rr]un: |^\$ |^)hitl ([^\n\\`\"'…]+)", re.MULTILINE)
TOP: Any = typer.main.get_command(app)


def mentions(text: str) -> Iterator[list[str]]:
    """The words after `hitl`, without what follows a sign that ends a command."""
    for found in MENTION.findall(text):
        yield re.split(r"\s*(?:&&|\||#|;|,|\(|→|\.\.\.)", found)[0].split()


def fault(words: list[str]) -> str | None:
    """Why the words are no command line; None where they are."""
    group = TOP
    for place, word in enumerate(words):
        if word.startswith("-"):
            options = {one for parameter in group.params for one in parameter.opts} | {"--help", "-h"}
            wrong = [
                one for one in words[place:] if re.match(r"--[a-z]", one) and one.split("=")[0] not in options
            ]
            return f"has no option {wrong[0]}" if wrong else None
        if not hasattr(group, "commands"):
            continue
        names = word.rstrip(".:").split("|")
        if any(name not in group.commands for name in names):
            return f"has no command {word}"
        group = group.commands[names[0]]
    return None


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_named_exists(path: Path) -> None:
    wrong = {" ".join(words): why for words in mentions(path.read_text()) if (why := fault(words))}
    assert wrong == {}


def test_the_reader_of_mentions_finds_what_is_wrong() -> None:
    text = "Run `hitl frob` → hitl up --nothing\n$ hitl dataset build && hitl x\n`hitl review push|status`"
    assert [fault(words) for words in mentions(text)] == [
        "has no command frob",
        "has no option --nothing",
        None,
        None,
    ]
