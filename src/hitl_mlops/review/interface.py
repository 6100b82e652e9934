"""What a reviewer sees: the page's layout for a project, and the values that may leave for a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from html import escape
from typing import Any
from xml.sax.saxutils import quoteattr

from hitl_mlops.decisions.record import Case, Decision
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import InputError
from hitl_mlops.redaction.masking import Masking
from hitl_mlops.review.answer import ESCALATE, Answer

PAGE = 4
"""Raised when the layout changes, so that pages made by an earlier version are brought up to date."""

STANDARD_LANE = "standard"
BUTTONS_AT_MOST = 12
"""Up to so many classes stand as buttons; more stand in a list one types into."""

CLASS_HOTKEYS = "1234567890"
REASON_CODES = {
    "agree": "agree",
    "wrong_class": "wrong class",
    "missing_context": "missing context",
    "policy": "policy",
    "ambiguous": "ambiguous",
    "policy_violation": "breaks our rules: stop its like",
    ESCALATE: "cannot decide: pass on",
}
"""Code → how it reads on the page; the code is what an answer carries."""

REASON_HOTKEYS = {
    "agree": "a",
    "wrong_class": "w",
    "missing_context": "m",
    "policy": "p",
    "ambiguous": "u",
    "policy_violation": "v",
    ESCALATE: "x",
}

_STYLE = """
    .lsf-sidepanels__wrapper_align_right {display:none !important}
    .lsf-sidepanels {padding-right:0 !important}
    .rv-page {display:flex; gap:24px; align-items:flex-start}
    .rv-case {flex:1 1 0; min-width:0}
    .rv-side {flex:1 1 0; min-width:0}
    .rv-input {border:1px solid #d9dbe3; border-radius:8px; padding:8px 12px; margin-bottom:8px}
    .rv-model {background:#f4f6fd; color:#1d2333; border:1px solid #ccd5f3; border-radius:8px;
               padding:8px 14px; margin-bottom:12px}
    .rv-decide {border:2px solid #2f7d57; border-radius:8px; padding:8px 14px;
                display:flex; flex-direction:column}
    .rv-many, .rv-few {order:-1}
    .rv-many .lsf-choices {max-height:220px; overflow:hidden auto; display:grid !important;
                           grid-template-columns:repeat(2, minmax(0, 1fr))}
    .rv-find {order:-2; margin-bottom:4px}
    .rv-head {order:-3}
    .rv-jump {height:0; overflow:hidden}
    .rv-jump:focus-within {height:auto; margin-bottom:4px}
    .rv-page h3, .rv-page h4, .rv-page h5 {font-size:16px !important; margin:2px 0 4px !important}
    .rv-decide .lsf-choices {margin:0 0 8px !important}
    .rv-decide .lsf-choice {margin:2px 10px 2px 0 !important}
    .rv-decide .lsf-choice__item, .rv-decide .lsf-choice__checkbox {
                margin:0 !important; padding:1px 0 !important}
"""
# The side panels (regions, relations) have nothing to show here and take a fifth of the width.

_BLIND_REASONS = ("missing_context", "policy", "ambiguous", "policy_violation", ESCALATE)
"""Codes that make sense where the model's answer is not shown."""


def labelling_config(task: Task, classes: Sequence[str] = (), *, blind: bool = False) -> str:
    """The Label Studio page for this project, as XML.

    Args:
        task: kind of input and classes.
        classes: classes that must stay on the page though the task has them no more (answers use them).
        blind: leave out all that the model said.

    Raises:
        InputError: a class cannot stand on the page; one that begins with `$` is read as a field.
    """
    names = tuple(dict.fromkeys((*task.classes, *classes)))
    for name in names:
        if name.startswith("$") or not name.strip():
            raise InputError(
                f"The class {name!r} cannot stand on the reviewers' page.",
                remedy="Rename it in task.classes of hitl.yaml; it must not be blank or begin with $.",
            )
    model = "" if blind else _MODEL_PANEL
    return (
        f"<View>\n  <!-- hitl_mlops page {PAGE} -->\n  <Style>{_STYLE}  </Style>\n"
        f'  <View className="rv-page">\n    <View className="rv-case">\n{_case_panel(task)}    </View>\n'
        f'    <View className="rv-side">\n{model}{_decision_box(names, blind=blind)}    </View>\n'
        "  </View>\n</View>\n"
    )


def _case_panel(task: Task) -> str:
    lines = ['<Header value="Case $case_id" size="4"/>']
    if task.kind is InputKind.TEXT:
        lines.append('<View className="rv-input"><Text name="case" value="$text"/></View>')
    elif task.kind is InputKind.IMAGE:
        lines.append(
            '<Image name="case" value="$image" zoom="true" zoomControl="true" rotateControl="false" '
            'brightnessControl="true" contrastControl="true" maxWidth="400px"/>'
        )
    else:
        lines.append('<HyperText name="case" value="$features_html" inline="true"/>')
    if task.show:
        lines.append('<Header value="Also known" size="5"/>')
        lines.append('<HyperText name="beside" value="$beside_html" inline="true"/>')
    lines.append('<HyperText name="said" value="$said_html" inline="true"/>')
    return "".join(f"      {line}\n" for line in lines)


_MODEL_PANEL = """\
      <View className="rv-model">
        <Header value="The model says: $model_label ($model_confidence)" size="4"/>
        <HyperText name="alternatives" value="$alternatives_html" inline="true"/>
        <HyperText name="why" value="$why_html" inline="true"/>
        <HyperText name="provenance" value="$provenance_html" inline="true"/>
      </View>
"""


def _decision_box(names: Sequence[str], *, blind: bool) -> str:
    """Class, reason code and reason, all within reach of the keyboard.

    The text box has one line: Enter keeps what was written, and so does Submit; a taller box wants
    Shift+Enter. Label Studio can only put the cursor into a `Filter` by a key, so one stands right before the
    text box in the tab order: with many classes it is shown above the list, with few only while it is used.
    """
    many = len(names) > BUTTONS_AT_MOST
    if blind:
        heading = "Is something in the way? Leave empty if it is clear"
    else:
        heading = "How does the model&apos;s answer stand to yours?"
    codes = _BLIND_REASONS if blind else tuple(REASON_CODES)
    required = "" if blind else 'required="true" requiredMessage="Pick one: agree, wrong class, …" '
    reasons = "".join(
        f'          <Choice value="{REASON_CODES[code]}" alias="{code}" hotkey="{REASON_HOTKEYS[code]}"/>\n'
        for code in codes
    )
    return (
        '      <View className="rv-decide">\n'
        f"{_class_choices(names, many=many)}"
        f'        <Header value="{heading}" size="5"/>\n'
        f'        <Choices name="reason_code" toName="case" choice="single" {required}showInline="true">\n'
        f"{reasons}        </Choices>\n"
        '        <Header value="Why? One sentence on the evidence" size="5"/>\n'
        f"{_FIND if many else _JUMP}"
        '        <TextArea name="rationale" toName="case" rows="1" maxSubmissions="1" editable="true" '
        'required="true" requiredMessage="Write one sentence: what is the evidence?" '
        'placeholder="What in the case shows it? Enter, then Ctrl+Enter to submit"/>\n'
        "      </View>\n"
    )


_FIND = """\
        <View className="rv-find">
          <Filter name="find" toName="label" hotkey="f" minlength="1"
                  placeholder="[f] Type a part of the class, Enter picks the first, Tab goes to the reason"/>
        </View>
"""
_JUMP = """\
        <View className="rv-jump">
          <Filter name="find" toName="label" hotkey="f" minlength="999" placeholder="Tab goes to the reason"/>
        </View>
"""


def _class_choices(names: Sequence[str], *, many: bool) -> str:
    hotkeys = {} if many else _hotkeys(names)
    choices = "".join(
        f"            <Choice value={quoteattr(name)}"
        + (f' hotkey="{hotkeys[name]}"' if name in hotkeys else "")
        + "/>\n"
        for name in names
    )
    return (
        '        <View className="rv-head">\n'
        '          <Header value="Your decision: which class is right?" size="5"/>\n        </View>\n'
        f'        <View className="rv-{"many" if many else "few"}">\n'
        '          <Choices name="label" toName="case" choice="single" required="true" '
        f'requiredMessage="Pick the right class" showInline="{"false" if many else "true"}">\n'
        f"{choices}          </Choices>\n        </View>\n"
    )


def _hotkeys(names: Sequence[str]) -> dict[str, str]:
    """Class → number key: its own where all classes are digits, else by place; the first ten have one.

    >>> _hotkeys(["0", "7"]), _hotkeys(["no", "yes"])
    ({'0': '0', '7': '7'}, {'no': '1', 'yes': '2'})
    """
    if all(name in CLASS_HOTKEYS and len(name) == 1 for name in names):
        return {name: name for name in names}
    return dict(zip(names, CLASS_HOTKEYS, strict=False))


def shown_values(  # what a page is made of
    decision: Decision,
    case: Case,
    task: Task,
    *,
    lane: str = STANDARD_LANE,
    learned_from: str = "",
    image: str = "",
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
        blind: leave out all that the model said.
    """
    values: dict[str, Any] = {"case_id": _named_safely(decision, task.masking), "said_html": ""}
    if task.kind is InputKind.TEXT:
        values["text"] = task.masking.text(_text(case.inputs.get(task.inputs[0])), task.inputs[0])
    elif task.kind is InputKind.IMAGE:
        values["image"] = image
    else:
        values["features_html"] = _table({name: case.inputs.get(name) for name in task.inputs}, task.masking)
    if task.show:
        beside = {**case.inputs, **case.attributes}
        values["beside_html"] = _table({name: beside.get(name) for name in task.show}, task.masking)
    if blind:
        return values
    return {
        **values,
        "model_label": decision.label,
        "model_confidence": _percent(decision.confidence),
        "alternatives_html": _bars(decision),
        "why_html": _why(decision, lane),
        "provenance_html": _provenance(
            decision.model_version,
            decision.model_digest,
            decision.policy_hash,
            learned_from,
            decision.at,
        ),
    }


_OF_THE_CASE = frozenset({"case_id", "text", "image", "features_html", "beside_html", "said_html"})


def without_the_model(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What a page may show that hides what the model said: of the values shown, those of the case."""
    return {name: value for name, value in shown.items() if name in _OF_THE_CASE}


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
    code = REASON_CODES.get(answer.reason_code or "", "")
    return ", ".join(part for part in (answer.label, code) if part)


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
    '<div style="display:flex;align-items:center;gap:8px;font-size:13px;line-height:20px">'
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
        parts.append(f"learned from {learned_from[:24]}")
    parts.append(f"decided {at:%Y-%m-%d %H:%M} {at.tzname()}")
    return f'<div style="font-size:12px;opacity:.7;margin-top:4px">{escape(" · ".join(parts))}</div>'
