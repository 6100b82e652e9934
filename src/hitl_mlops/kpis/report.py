"""The report: one HTML page that stands alone and can be mailed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hitl_mlops.statistics.rates import Rate


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure at the top: its name, its value, what it rests on."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page.

    Attributes:
        title: its heading.
        text: one or two sentences that say what one sees.
        drawing: SVG of `charts`, trusted; empty for none.
        columns: heads of the table; empty for none.
        rows: cells of the table, any text; escaped.
    """

    title: str
    text: str = ""
    drawing: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


_PAGE = Path(__file__).with_name("report.html")


def render(title: str, made_at: datetime, tiles: Sequence[Tile], sections: Sequence[Section]) -> str:
    """The page. Every text is escaped; drawings are ours."""
    from jinja2 import Environment

    return (
        Environment(autoescape=True)
        .from_string(_PAGE.read_text(encoding="utf-8"))
        .render(title=title, made_at=f"{made_at:%d %B %Y, %H:%M %Z}", tiles=tiles, sections=sections)
    )


def told(rate: Rate) -> str:
    """A rate with its interval, `3.1 % (2.0…4.6)`; a dash where nothing was reviewed.

    >>> told(Rate(0.031, 0.02, 0.046, 100, 1000))
    '3.1 % (2.0…4.6)'
    """
    if rate.value is None or rate.low is None or rate.high is None:
        return "-"
    return f"{100 * rate.value:.1f} % ({100 * rate.low:.1f}…{100 * rate.high:.1f})"
