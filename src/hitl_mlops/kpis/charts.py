"""The drawings of the report, as SVG that stands alone: no script, no font, no address from elsewhere."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hitl_mlops.kpis.definitions import WindowRate
from hitl_mlops.routing.calibrate import Calibration

INK, MODEL, PEOPLE, BAND = "#1f2430", "#3b5bdb", "#e8590c", "#dbe4ff"
SIZE_INCHES = (8.0, 2.9)
_ABOVE: dict[str, Any] = {"frameon": False, "fontsize": 8, "loc": "lower left", "bbox_to_anchor": (0, 1)}
"""A legend that stands over the drawing and hides none of it."""
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)


def override_rate_over_time(windows: Mapping[str, Sequence[WindowRate]]) -> str:
    """One line per tier with its 95 % band, stretch by stretch in the order of decisions."""
    figure, axes = _paper("stretch of decisions", "override rate")
    colours = (MODEL, PEOPLE, "#2b8a3e", "#862e9c", "#495057")
    for colour, (tier, series) in zip(colours, windows.items(), strict=False):
        known = [(place, one.rate) for place, one in enumerate(series, start=1) if one.rate.value is not None]
        places = [place for place, _ in known]
        axes.plot(places, [one.value for _, one in known], "o-", color=colour, label=tier, linewidth=1.6)
        bands = [one.interval or (0.0, 1.0) for _, one in known]
        axes.fill_between(places, [b[0] for b in bands], [b[1] for b in bands], color=colour, alpha=0.12)
    axes.set_ylim(-0.02, 1.02)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if windows:
        axes.legend(ncols=len(windows), **_ABOVE)
    return _svg(figure)


def drift_by_column(scores: Sequence[tuple[str, float, bool]], method: str) -> str:
    """The score of every column, those that moved in the people's colour; at most the 40 furthest."""
    figure, axes = _paper("", method or "score")
    ranked = sorted(scores, key=lambda row: (not row[2], row[0]))[:40]
    axes.bar(
        range(len(ranked)),
        [score for _, score, _ in ranked],
        color=[PEOPLE if drifted else MODEL for _, _, drifted in ranked],
    )
    axes.set_xticks(range(len(ranked)), [name for name, _, _ in ranked], rotation=90, fontsize=6)
    return _svg(figure)


def evidence_over_labels(
    history: Sequence[tuple[int, float, float]], *, promote_at: float, rollback_at: float
) -> str:
    """Both e-values after every label on a logarithmic scale, with the bounds that decide."""
    figure, axes = _paper("labels on disagreements", "e-value")
    labels = [row[0] for row in history]
    axes.plot(labels, [max(row[1], 1e-3) for row in history], color=MODEL, label="not worse: promote")
    axes.plot(labels, [max(row[2], 1e-3) for row in history], color=PEOPLE, label="harm: roll back")
    axes.axhline(promote_at, color=MODEL, linestyle=":", linewidth=1)
    axes.axhline(rollback_at, color=PEOPLE, linestyle=":", linewidth=1)
    axes.set_yscale("log")
    axes.set_ylim(1e-3, max(10 * rollback_at, 10))
    axes.legend(ncols=2, **_ABOVE)
    return _svg(figure)


def intervals(rows: Sequence[tuple[str, float, float, float]], label: str) -> str:
    """A point and its interval per row: (name, value, low, high), all in [0, 1]."""
    figure, axes = _paper(label, "")
    figure.set_size_inches(SIZE_INCHES[0], 0.6 + 0.4 * len(rows))
    for place, (_, value, low, high) in enumerate(rows):
        axes.plot([low, high], [place, place], color=BAND, linewidth=8, solid_capstyle="butt")
        axes.plot([value], [place], "o", color=MODEL)
        axes.annotate(
            f"{value:.1%}", (value, place), (0, 8), textcoords="offset points", ha="center", fontsize=8
        )
    axes.set_yticks(range(len(rows)), [name for name, *_ in rows], fontsize=9)
    axes.set_ylim(len(rows) - 0.4, -0.7)
    axes.set_xlim(0, 1)
    return _svg(figure)


def slips_over_thresholds(found: Calibration) -> str:
    """Slips of each threshold with their 95 % band against the target, and on the right what is automatic."""
    figure, axes = _paper("automatic from this confidence on", "automatic and wrong, of all")
    known = [one for one in found.curve if one.slips.interval is not None]
    places = [one.threshold for one in known]
    bands = [one.slips.interval or (0.0, 1.0) for one in known]
    axes.plot(places, [one.slips.value for one in known], color=PEOPLE, label="slips, 95 %", linewidth=1.6)
    axes.fill_between(
        places, [band[0] for band in bands], [band[1] for band in bands], color=PEOPLE, alpha=0.15
    )
    axes.axhline(found.target, color=PEOPLE, linestyle=":", linewidth=1, label=f"target {found.target:.3g}")
    axes.axvline(found.present.threshold, color=INK, linestyle="--", linewidth=1, label="now")
    if found.proposed is not None:
        axes.axvline(found.proposed.threshold, color=INK, linewidth=1.4, label="proposed")
    axes.set_ylim(0, max([4 * found.target, *(1.1 * (one.slips.value or 0.0) for one in known)]))
    share = axes.twinx()
    share.plot([one.threshold for one in found.curve], [one.coverage for one in found.curve], color=MODEL)
    share.set_ylim(0, 1.02)
    share.set_ylabel("automatic", fontsize=9, color=MODEL)
    share.tick_params(labelsize=8, colors=MODEL)
    share.spines[["top"]].set_visible(False)
    axes.legend(ncols=4, **_ABOVE)
    return _svg(figure)


def _paper(horizontal: str, vertical: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_INCHES, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(horizontal, fontsize=9, color=INK)
    axes.set_ylabel(vertical, fontsize=9, color=INK)
    axes.tick_params(labelsize=8, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.25)
    return figure, axes


def _svg(figure: Any) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    drawn = buffer.getvalue()
    return _METADATA.sub("", drawn[drawn.index("<svg") :])
