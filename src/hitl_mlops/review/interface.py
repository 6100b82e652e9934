"""The values that may leave for a case, as the reviewers' page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from html import escape
from types import MappingProxyType
from typing import Any

from hitl_mlops.decisions.record import Case, Decision
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.redaction.masking import Masking
from hitl_mlops.review.answer import HANDED_UP, Answer
from hitl_mlops.review.guideline import guide_field, guide_html, guideline_version, guides_of, is_guide
from hitl_mlops.review.page_config import words_of
from hitl_mlops.review.page_why import NOTHING_KNOWN, Insight, explanation_html, fit_to_be_seen, past_html
from hitl_mlops.review.picture import picture_html

STANDARD_LANE = "standard"


def shown_values(  # what a page is made of
    decision: Decision,
    case: Case,
    task: Task,
    *,
    lane: str = STANDARD_LANE,
    learned_from: str = "",
    image: str = "",
    pictures: Mapping[str, str] = MappingProxyType({}),
    insight: Insight = NOTHING_KNOWN,
    blind: bool = False,
) -> dict[str, Any]:
    """All that leaves for the desk about this case, and nothing else; every value in HTML is escaped.

    Personal data is masked in every value of the case, as `task.masking` says; pictures leave as they are.
    The inputs, the `show` columns and the case's id leave; subject, time, other attributes, arm, π and kind
    do not. The rules that fired are told in the lanes above `standard` only: told in `standard`, their
    absence would give secret spot checks away.

    Args:
        decision: what the model said.
        case: its case.
        task: which columns may leave.
        lane: the lane as reviewers see it.
        learned_from: the dataset version the model was trained on; empty where unknown.
        image: the picture as a data URI (`picture.picture_of`), for image tasks.
        pictures: column of `task.show_images` → its picture as a data URI; empty where it cannot be read.
        insight: why the model said so, and what became of similar cases.
        blind: leave out all that the model said.
    """
    values: dict[str, Any] = {"case_id": _named_safely(decision, task.masking), "said_html": ""}
    if task.kind is InputKind.TEXT:
        values["text"] = task.masking.text(_text(case.inputs.get(task.inputs[0])), task.inputs[0])
    elif task.kind is InputKind.IMAGE:
        values["image"] = image
    else:
        values["features_html"] = _table({name: case.inputs.get(name) for name in task.inputs}, task.masking)
    if task.beside:
        beside = {**case.inputs, **case.attributes}
        values["beside_html"] = _table({name: beside.get(name) for name in task.show}, task.masking)
        values["beside_html"] += "".join(
            picture_html(name, pictures.get(name, "")) for name in task.show_images
        )
    if task.guideline:
        values["guideline"] = guideline_version(task)
        values |= {guide_field(name): guide_html(task, name) for name in guides_of(task)}
    if blind:
        return values
    if task.guideline:
        values["guideline_html"] = guide_html(task, decision.label)
    return {
        **values,
        "model_label": decision.label,
        "model_confidence": _percent(decision.confidence),
        "alternatives_html": _bars(decision),
        **insight_values(decision, task, values, insight, lane=lane),
        "provenance_html": _provenance(
            decision.model_version,
            decision.model_digest,
            decision.policy_hash,
            learned_from,
            decision.at,
        ),
    }


def insight_values(
    decision: Decision, task: Task, shown: Mapping[str, Any], insight: Insight, *, lane: str
) -> dict[str, str]:
    """What a page tells to help the one who judges, beside the values of the case that it shows."""
    seen = str(shown.get("text", shown.get("features_html", "")))
    told = explanation_html(fit_to_be_seen(insight.explanation, seen), task.masking)
    return {
        "why_html": _why(decision, lane) + told,
        "similar_html": past_html(insight.past, task.masking),
    }


_OF_THE_CASE = frozenset(
    {"case_id", "text", "image", "features_html", "beside_html", "said_html", "guideline"}
)


def without_the_model(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What a page may show that hides what the model said: of the values shown, those of the case."""
    return {name: value for name, value in shown.items() if name in _OF_THE_CASE or is_guide(name)}


def said_before(answers: Sequence[Answer]) -> str:
    """What people answered to this question, without their names, as HTML; empty where nobody did.

    Personal data of every type is masked in what they wrote, whatever is masked in the case.
    """
    mask = Masking().text
    lines = "".join(_ANSWER.format(escape(_summed_up(one)), escape(mask(one.rationale))) for one in answers)
    return _SAID.format(lines) if lines else ""


_SAID = '<div style="font-size:13px;margin-top:4px">People said before:<ul>{}</ul></div>'
_ANSWER = "<li><b>{}</b>: {}</li>"


def _summed_up(answer: Answer) -> str:
    handed_up = answer.verdict.value if answer.verdict in HANDED_UP else ""
    return ", ".join(part for part in (answer.label, handed_up, words_of(answer.reason_code)) if part)


def _text(value: Any) -> str:
    if value is None:
        return "(missing)"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def _cell(value: Any, column: str, masking: Masking) -> str:
    """The value as HTML, masked; a number with six digits has nothing that would need either."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return escape(masking.text(_text(value), column))


def _named_safely(decision: Decision, masking: Masking) -> str:
    """The case's id; where that is personal data, its mask and the decision's id, by which it is found."""
    masked = masking.text(decision.case_id)
    return masked if masked == decision.case_id else f"{masked} {decision.decision_id}"


def _percent(probability: float) -> str:
    """A probability in whole percent; never 0 or 100 unless it is.

    >>> _percent(0.9996), _percent(0.5), _percent(0.001), _percent(1.0)
    ('> 99 %', '50 %', '< 1 %', '100 %')
    """
    percent = round(100 * probability)
    if percent == 100 and probability < 1:  # noqa: PLR2004
        return "> 99 %"
    if percent == 0 and probability > 0:
        return "< 1 %"
    return f"{percent} %"


_END = "</b></td></tr>"
COLUMN_ROWS = 16
"""A table longer than this stands in columns side by side, so that it fits the screen."""


@lru_cache(maxsize=1_000)
def _named(name: str) -> str:
    """The start of a row, up to its value; the same for every case."""
    cells = '<tr><td style="padding:1px 14px 1px 0;opacity:.75">{}</td><td style="padding:1px 0"><b>'
    return cells.format(escape(name))


def _table(values: Mapping[str, Any], masking: Masking) -> str:
    rows = [f"{_named(str(name))}{_cell(value, str(name), masking)}{_END}" for name, value in values.items()]
    columns = [rows[start : start + COLUMN_ROWS] for start in range(0, len(rows), COLUMN_ROWS)]
    tables = "".join(
        f'<table style="font-size:14px;border-collapse:collapse">{"".join(column)}</table>'
        for column in columns
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:0 28px;align-items:flex-start">{tables}</div>'


_BAR = (
    '<div style="display:flex;align-items:center;gap:8px;font-size:13px;line-height:18px">'
    '<span style="width:190px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap">{name}</span>'
    '<span style="flex:1;height:10px;background:#dfe4f5;border-radius:5px;overflow:hidden">'
    '<span style="display:block;height:10px;width:{width}%;background:{colour}"></span></span>'
    '<span style="width:52px;text-align:right">{percent}</span></div>'
)


def _bars(decision: Decision) -> str:
    pairs = [(decision.label, decision.confidence), *decision.alternatives(3)]
    return "".join(
        _BAR.format(
            name=escape(name),
            width=round(100 * p, 1),
            colour="#3f5bd1" if place == 0 else "#93a2dd",
            percent=escape(_percent(p)),
        )
        for place, (name, p) in enumerate(pairs)
    )


def _why(decision: Decision, lane: str) -> str:
    others = decision.alternatives(1)
    near = (
        f"Next likeliest: <b>{escape(others[0][0])}</b>, "
        f"{100 * (decision.confidence - others[0][1]):.0f} points behind."
        if others
        else "There is no other class."
    )
    rules = [] if lane == STANDARD_LANE else [escape(reason) for reason in decision.reasons]
    asked = f" Sent to <b>{escape(lane)}</b>: {'; '.join(rules)}." if rules else ""
    return f'<div style="font-size:13px;margin-top:4px">{near}{asked}</div>'


@lru_cache(maxsize=100)
def _provenance(version: str, digest: str, policy_hash: str, learned_from: str, at: datetime) -> str:
    """What the cases that were decided together have in common."""
    parts = [f"model {version} ({digest.removeprefix('sha256:')[:12]})", f"policy {policy_hash[:12]}"]
    if learned_from:
        parts.append(f"from {learned_from[:24]}")
    parts.append(f"decided {at:%Y-%m-%d %H:%M} {at.tzname()}")
    return f'<div style="font-size:11px;opacity:.7;margin-top:2px">{escape(" · ".join(parts))}</div>'
