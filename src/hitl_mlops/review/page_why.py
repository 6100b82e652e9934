"""Why the model said so, and what became of similar cases, as HTML for the reviewers' page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape

from hitl_mlops.decisions.explanation import ExplainedBy, Explanation, Part
from hitl_mlops.decisions.record import Decision
from hitl_mlops.redaction.masking import Masking

VALUE_LENGTH = 40
_WORD = re.compile(r"\w+")
MOST_ON_A_SIDE = 4
"""Parts told on either side: with more the page does not fit the screen."""
_SMALL = '<div style="font-size:12px;line-height:18px;margin-top:4px">{}</div>'
_FOR, _AGAINST = "#2f7d57", "#b3402f"
_UNITS = {
    ExplainedBy.LINEAR: "log-odds against {against}",
    ExplainedBy.OCCLUSION: "points of probability lost without it",
    ExplainedBy.SHAP: "points of probability, by Shapley value",
}


@dataclass(frozen=True, slots=True)
class PastCase:
    """A similar case that people resolved.

    Attributes:
        case_id: its id.
        model_label: the class that the model gave.
        label: the class that people gave.
        at: when they did.
    """

    case_id: str
    model_label: str
    label: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Insight:
    """What helps to judge an answer, beside the case.

    Attributes:
        explanation: what spoke for it; None where nobody knows.
        past: similar cases that people resolved, the nearest first.
    """

    explanation: Explanation | None = None
    past: tuple[PastCase, ...] = ()


NOTHING_KNOWN = Insight()


def insights(
    explained: Mapping[str, Explanation], past: Mapping[str, tuple[PastCase, ...]]
) -> Callable[[Decision], Insight]:
    """Decision → what helps to judge it, out of explanations by decision id and past cases by case id."""
    return lambda one: Insight(explained.get(one.decision_id), past.get(one.case_id, ()))


def explanation_html(explanation: Explanation | None, masking: Masking) -> str:
    """What spoke for the answer and against it, side by side, masked; says so where nobody knows."""
    if explanation is None or not explanation.parts:
        return _SMALL.format("Why: there is no explanation of this answer.")
    columns = "".join(
        f'<div style="flex:1;min-width:0"><span style="color:{colour}">{head}</span>'
        f"{_rows(parts, colour, masking)}</div>"
        for head, colour, parts in (
            ("spoke for it", _FOR, [one for one in explanation.parts if one.weight > 0]),
            ("spoke against it", _AGAINST, [one for one in explanation.parts if one.weight < 0]),
        )
    )
    unit = _UNITS[explanation.method].format(against=escape(explanation.against or "none"))
    return (
        '<div style="font-size:12px;line-height:18px;margin-top:4px;display:flex;gap:16px">'
        f"{_heat(explanation.heat)}{columns}</div>"
        f'<div style="font-size:11px;opacity:.7">Why: in {unit}</div>'
    )


def fit_to_be_seen(explanation: Explanation | None, seen: str) -> Explanation | None:
    """The explanation less the words that the case, as it is shown, does not hold: they were masked there.

    Args:
        explanation: what spoke for the answer.
        seen: the case's values, as they leave.
    """
    if explanation is None or explanation.heat or all(one.value for one in explanation.parts):
        return explanation
    there = {word.casefold() for word in _WORD.findall(seen)}
    kept = tuple(
        one
        for one in explanation.parts
        if one.value or there.issuperset(word.casefold() for word in _WORD.findall(one.name.split(": ")[-1]))
    )
    return replace(explanation, parts=kept)


def _rows(parts: Sequence[Part], colour: str, masking: Masking) -> str:
    if not parts:
        return "<div>nothing</div>"
    widest = max(abs(one.weight) for one in parts)
    parts = parts[:MOST_ON_A_SIDE]
    return "".join(
        '<div style="display:flex;gap:6px;align-items:center">'
        f'<span style="width:{max(2, round(40 * abs(one.weight) / widest))}px;height:8px;'
        f'background:{colour};flex:none"></span>'
        '<span style="overflow:hidden;text-overflow:ellipsis;white-space:nowrap">'
        f"{_named(one, masking)} <b>{one.weight:+.2g}</b></span></div>"
        for one in parts
    )


def _named(part: Part, masking: Masking) -> str:
    """A word as it may leave, or a column with its value as it may leave."""
    if not part.value:
        return escape(masking.text(part.name))
    value = masking.text(part.value, part.name)
    short = value if len(value) <= VALUE_LENGTH else value[: VALUE_LENGTH - 1] + "…"
    return f"{escape(part.name)} = {escape(short)}"


def _heat(heat: Sequence[Sequence[float]]) -> str:
    """The picture's cells: green spoke for the answer, red against it."""
    if not heat:
        return ""
    side = max(4, 112 // len(heat))
    cells = "".join(
        f'<span style="width:{side}px;height:{side}px;background:{_FOR if cell > 0 else _AGAINST};'
        f'opacity:{min(1.0, abs(cell)):.2f}"></span>'
        for row in heat
        for cell in row
    )
    return (
        f'<div style="display:grid;grid-template-columns:repeat({len(heat[0])},{side}px);flex:none;'
        f'align-content:start;border:1px solid #ccd5f3">{cells}</div>'
    )


def past_html(past: Sequence[PastCase], masking: Masking) -> str:
    """What became of the nearest cases, the nearest first; says so where there is none."""
    if not past:
        return _SMALL.format("Similar cases: people have resolved none yet.")
    rows = "".join(
        f"<div>{escape(masking.text(one.case_id))}: the model said "
        f"<b>{escape(one.model_label or 'nothing')}</b>, "
        f"people <b>{escape(one.label)}</b> on {one.at:%Y-%m-%d}</div>"
        for one in past
    )
    return _SMALL.format(f"Similar cases that people resolved, the nearest first:{rows}")
