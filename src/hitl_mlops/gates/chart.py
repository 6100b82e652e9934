"""The intervals of a report, drawn: the whole, each slice and class against the champion, and each group."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hitl_mlops.gates.report import GateReport

_MOST = 20
_WORSE, _BETTER, _OPEN = "#b3261e", "#1b6e3c", "#5f6368"
_CHANGES = ("slices", "classes", "slice_classes")


@dataclass(frozen=True, slots=True)
class _Bar:
    """An interval with its estimate, in points; `margin` None: nothing to hold it against."""

    name: str
    value: float
    low: float
    high: float
    margin: float | None = None

    @property
    def colour(self) -> str:
        if self.margin is None:
            return _OPEN
        return _WORSE if self.low > self.margin else _BETTER if self.high < self.margin else _OPEN


def drawings(report: GateReport) -> list[tuple[str, str, str]]:
    """(heading, what it shows, SVG as a data address, which can run no script) of each picture.

    Pictures of which no interval is known are left out.
    """
    changes, groups = _changes(report), _groups(report)
    found = []
    if changes:
        words = "error rate against the champion, points (left is better; | is the margin)"
        told = "Intervals of the error rate against the champion, whole and by slice and class"
        found.append(("Where it is better and worse", told, _drawn(changes, words)))
    if groups:
        told = "Rates of each protected group with their intervals"
        found.append(("How groups fare", told, _drawn(groups, "share of the group, percent")))
    return found


def _drawn(bars: Sequence[_Bar], words: str) -> str:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with warnings.catch_warnings(), rc_context({"svg.hashsalt": "gates"}):
        warnings.simplefilter("ignore")  # a label in a script the font lacks is drawn as boxes
        figure = Figure(figsize=(8, 1.2 + 0.32 * len(bars)), layout="constrained")
        axes = figure.subplots()
        for place, bar in enumerate(reversed(bars)):
            axes.plot([100 * bar.low, 100 * bar.high], [place, place], color=bar.colour, linewidth=2)
            axes.plot([100 * bar.value], [place], "o", color=bar.colour)
            if bar.margin is not None:
                axes.plot([100 * bar.margin], [place], "|", color="black", markersize=12)
        axes.axvline(0, color="grey", linewidth=0.8)
        axes.set_yticks(range(len(bars)))
        axes.set_yticklabels([bar.name[:40] for bar in reversed(bars)], parse_math=False)
        axes.set_xlabel(words)
        stream = io.BytesIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _changes(report: GateReport) -> list[_Bar]:
    """The whole, and every slice and class that has an interval."""
    bars = [
        _Bar(f"all ({result.name})", result.figure, *result.interval, result.bound or 0.0)
        for result in report.results
        if result.name in ("override_rate", "error_rate")
        and result.figure is not None
        and result.interval is not None
    ]
    for result in report.results:
        found = result.details.get("changes", {}) if result.name in _CHANGES else {}
        for name, one in list(found.items())[:_MOST]:
            if one["value"] is not None:
                bars.append(_Bar(str(name), one["value"], one["low"], one["high"], result.bound or 0.0))
    return bars[: 2 * _MOST]


def _groups(report: GateReport) -> list[_Bar]:
    rates: Mapping[str, Any] = next(
        (one.details.get("rates", {}) for one in report.results if one.name == "fairness"), {}
    )
    known = [(name, one) for name, one in rates.items() if one["value"] is not None]
    return [_Bar(name, one["value"], one["low"], one["high"]) for name, one in known[: 2 * _MOST]]
