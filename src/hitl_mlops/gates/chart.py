"""The intervals of a report, drawn: how each slice and the whole stand against zero and the margin."""

from __future__ import annotations

import base64
import io
import warnings

from hitl_mlops.gates.report import GateReport

_MOST = 20
_WORSE, _BETTER, _OPEN = "#b3261e", "#1b6e3c", "#5f6368"


def drawing(report: GateReport) -> str | None:
    """An SVG as a data address for an `<img>`, which can run no script; None where no interval is known."""
    rows = _rows(report)
    if not rows:
        return None
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with warnings.catch_warnings(), rc_context({"svg.hashsalt": "gates"}):
        warnings.simplefilter("ignore")  # a label in a script the font lacks is drawn as boxes
        figure = Figure(figsize=(8, 1.2 + 0.32 * len(rows)), layout="constrained")
        axes = figure.subplots()
        for place, (_, value, low, high, margin) in enumerate(reversed(rows)):
            colour = _WORSE if low > margin else _BETTER if high < margin else _OPEN
            axes.plot([100 * low, 100 * high], [place, place], color=colour, linewidth=2)
            axes.plot([100 * value], [place], "o", color=colour)
            axes.plot([100 * margin], [place], "|", color="black", markersize=12)
        axes.axvline(0, color="grey", linewidth=0.8)
        axes.set_yticks(range(len(rows)))
        axes.set_yticklabels([row[0][:40] for row in reversed(rows)], parse_math=False)
        axes.set_xlabel("error rate against the champion, points (left is better; | is the margin)")
        stream = io.BytesIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _rows(report: GateReport) -> list[tuple[str, float, float, float, float]]:
    """(name, value, low, high, margin) of the whole and of every slice that has them."""
    rows = [
        ("all", result.figure, *result.interval, result.bound or 0.0)
        for result in report.results
        if result.name == "override_rate" and result.figure is not None and result.interval is not None
    ]
    for result in report.results:
        changes = result.details.get("changes", {}) if result.name in ("slices", "classes") else {}
        for name, one in list(changes.items())[:_MOST]:
            if one["value"] is not None:
                rows.append((str(name), one["value"], one["low"], one["high"], result.bound or 0.0))
    return rows[: 2 * _MOST]
