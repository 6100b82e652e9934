"""The reviewers' page of a project, as Label Studio's XML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from xml.sax.saxutils import quoteattr

from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import InputError
from hitl_mlops.review.answer import ESCALATE, ErrorTag, Verdict
from hitl_mlops.review.guideline import BUTTONS_AT_MOST, guide_field, guides_of

PAGE = 5
"""Raised when the layout changes, so that pages made by an earlier version are brought up to date."""

CLASS_HOTKEYS = "1234567890"
VERDICTS = {
    Verdict.ACCEPT: ("accept", "a"),
    Verdict.EDIT: ("edit", "e"),
    Verdict.REJECT: ("reject: none fits", "j"),
    Verdict.ESCALATE: ("escalate", "x"),
}
"""Decision → how it reads on the page, and its key."""

REASON_CODES = {
    "wrong_class": ("misread", "w"),
    "missing_context": ("missing context", "m"),
    "policy": ("our policy", "p"),
    "ambiguous": ("ambiguous", "u"),
}
"""Code → how it reads on the page, and its key; the code is what an answer carries."""

EARLIER_CODES = {
    "agree": "agree",
    "policy_violation": "breaks our rules: stop its like",
    ESCALATE: "cannot decide: pass on",
}
"""Codes that pages of an earlier layout asked for; they stay where answers may use them."""

ERROR_TAGS = {
    ErrorTag.FACTUAL: ("factual", "k"),
    ErrorTag.BIAS: ("bias", "b"),
    ErrorTag.OUT_OF_DISTRIBUTION: ("out of distribution", "o"),
    ErrorTag.AMBIGUOUS: ("ambiguous", "g"),
    ErrorTag.POLICY_VIOLATION: ("policy violation", "v"),
}
"""Tag → how it reads on the page, and its key."""

_STYLE = """
    .lsf-sidepanels__wrapper_align_right {display:none !important}
    .lsf-sidepanels {padding-right:0 !important}
    .rv-page {display:flex; gap:24px; align-items:flex-start}
    .rv-case {flex:1 1 0; min-width:0}
    .rv-side {flex:1 1 0; min-width:0}
    .rv-input {border:1px solid #d9dbe3; border-radius:8px; padding:8px 12px; margin-bottom:8px;
               max-height:330px; overflow:hidden auto}
    .rv-model {background:#f4f6fd; color:#1d2333; border:1px solid #ccd5f3; border-radius:8px;
               padding:6px 14px; margin-bottom:8px}
    .rv-guide {background:#fffbe9; color:#1d2333; border:1px solid #eadfae; border-radius:8px;
               padding:4px 14px; margin-bottom:8px}
    .rv-decide {border:2px solid #2f7d57; border-radius:8px; padding:6px 14px;
                display:flex; flex-direction:column}
    .rv-order {order:-1}
    .rv-decide .lsf-choices:not(.lsf-choices_hidden) {display:flex !important; flex-wrap:wrap; gap:0 12px}
    .rv-classes .lsf-choices {max-height:72px; overflow:hidden auto}
    .rv-many .lsf-choices:not(.lsf-choices_hidden) {display:grid !important;
                                                     grid-template-columns:repeat(2, minmax(0, 1fr))}
    .rv-find {order:-2; margin-bottom:4px}
    .rv-head {order:-3}
    .rv-jump {height:0; overflow:hidden}
    .rv-jump:focus-within {height:auto; margin-bottom:4px}
    .rv-page h3, .rv-page h4, .rv-page h5 {font-size:15px !important; margin:0 !important}
    .rv-decide .lsf-choices {margin:0 0 4px !important}
    .rv-decide .lsf-choice {margin:0 !important; height:24px}
    .rv-decide .lsf-choice__item, .rv-decide .lsf-choice__checkbox {
                margin:0 !important; padding:0 !important; line-height:22px !important;
                font-size:13px !important}
    .rv-decide .ant-form-item, .rv-decide form, .rv-decide .lsf-textarea-tag {margin-bottom:0 !important}
"""
# The side panels (regions, relations) have nothing to show here and take a fifth of the width.


def labelling_config(
    task: Task, classes: Sequence[str] = (), *, codes: Sequence[str] = (), blind: bool = False
) -> str:
    """The Label Studio page for this project, as XML.

    Args:
        task: kind of input, classes and guideline.
        classes: classes that must stay on the page though the task has them no more (answers use them).
        codes: reason codes that must stay for the same reason.
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
    guides = _guides(task, blind=blind)
    earlier = [code for code in codes if code not in REASON_CODES]
    box = _decision_box(names, dict(task.guideline), earlier, blind=blind)
    return (
        f"<View>\n  <!-- hitl_mlops page {PAGE} -->\n  <Style>{_STYLE}  </Style>\n"
        f'  <View className="rv-page">\n    <View className="rv-case">\n{_case_panel(task, blind=blind)}'
        f'    </View>\n    <View className="rv-side">\n{model}{guides}{box}    </View>\n'
        "  </View>\n</View>\n"
    )


def words_of(code: str | None) -> str:
    """How the reason code reads on the page; empty for none, itself for one that no page has.

    >>> words_of("wrong_class"), words_of(None)
    ('misread', '')
    """
    if code in REASON_CODES:
        return REASON_CODES[code][0]
    return EARLIER_CODES.get(code or "", code or "")


def page_fields(config: str) -> frozenset[str]:
    """The fields of a ticket that the page names; Label Studio takes no task that lacks one.

    >>> sorted(page_fields('<Text name="case" value="$text"/><Header value="Case $case_id"/>'))
    ['text']
    """
    return frozenset(re.findall(r'<(?:Text|HyperText|Image|Table)\b[^>]*\bvalue="\$(\w+)"', config))


def _case_panel(task: Task, *, blind: bool) -> str:
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
    if task.beside:
        lines.append('<Header value="Also known" size="5"/>')
        lines.append('<HyperText name="beside" value="$beside_html" inline="true"/>')
    lines.append('<HyperText name="said" value="$said_html" inline="true"/>')
    if not blind:
        lines.append('<HyperText name="similar" value="$similar_html" inline="true"/>')
    return "".join(f"      {line}\n" for line in lines)


_MODEL_PANEL = """\
      <View className="rv-model">
        <Header value="The model says: $model_label ($model_confidence)" size="4"/>
        <HyperText name="alternatives" value="$alternatives_html" inline="true"/>
        <HyperText name="why" value="$why_html" inline="true"/>
        <HyperText name="provenance" value="$provenance_html" inline="true"/>
      </View>
"""


def _guides(task: Task, *, blind: bool) -> str:
    """What the guideline says of the class that is picked; until one is, of the model's."""
    if not task.guideline:
        return ""
    shown = (
        ""
        if blind
        else (
            '        <View visibleWhen="choice-unselected" whenTagName="label">'
            '<HyperText name="guideline" value="$guideline_html" inline="true"/></View>\n'
        )
    )
    shown += "".join(
        f'        <View visibleWhen="choice-selected" whenTagName="label" whenChoiceValue={quoteattr(name)}>'
        f'<HyperText name="{guide_field(name)}" value="${guide_field(name)}" inline="true"/></View>\n'
        for name in guides_of(task)
    )
    when = ' visibleWhen="choice-selected" whenTagName="label"' if blind else ""
    return f'      <View className="rv-guide"{when}>\n{shown}      </View>\n' if shown else ""


def _decision_box(
    names: Sequence[str], guideline: Mapping[str, str], codes: Sequence[str], *, blind: bool
) -> str:
    """Decision, class, reason code, tags and reason, all within reach of the keyboard.

    The class is asked for where the model's is not right, the reason code where it is not accepted: what
    cannot be seen is not sent. The text box has one line: Enter keeps what was written, and so does Submit;
    a taller box wants Shift+Enter. Label Studio can only put the cursor into a `Filter` by a key, so one
    stands right before the text box in the tab order.
    """
    many = len(names) > BUTTONS_AT_MOST
    classes = partial(_class_choices, names, guideline if many else {}, many=many)
    asked = _blind_questions(classes, codes) if blind else _questions(classes, codes)
    return (
        f'      <View className="rv-decide">\n{asked}{_error_tags(blind=blind)}'
        '        <Header value="Why? One sentence on the evidence  [t]" size="5"/>\n'
        f"{_find_and_jump(many=many, blind=blind)}"
        '        <TextArea name="rationale" toName="case" rows="1" maxSubmissions="1" editable="true" '
        'required="true" requiredMessage="Write one sentence: what is the evidence?" '
        'placeholder="What in the case shows it? Enter, then Ctrl+Enter to submit"/>\n'
        '        <Choices name="for_training" toName="case" choice="single" showInline="true">\n'
        '          <Choice value="use for training" alias="yes" hotkey="y" selected="true"/>\n'
        '          <Choice value="keep out of training" alias="no" hotkey="n"/>\n'
        "        </Choices>\n      </View>\n"
    )


def _questions(classes: Callable[[str], str], codes: Sequence[str]) -> str:
    differs = 'visibleWhen="choice-selected" whenTagName="verdict" whenChoiceValue="edit,reject,escalate"'
    edits = 'visibleWhen="choice-selected" whenTagName="verdict" whenChoiceValue="edit"'
    return (
        '        <View className="rv-head">\n          <Header value="Your decision" size="5"/>\n'
        f"{_choices('verdict', _verdicts(*Verdict), 'required', 'Decide: accept, edit, reject or escalate')}"
        "        </View>\n"
        f'        <View className="rv-head" {edits}><Header value="Which class is right?" size="5"/></View>\n'
        f"{classes(edits)}"
        f'        <View {differs}><Header value="Why not accept?" size="5"/></View>\n'
        f"{_choices('reason_code', _codes(codes), differs + ' required', 'Pick why you do not accept')}"
    )


def _blind_questions(classes: Callable[[str], str], codes: Sequence[str]) -> str:
    unless = 'visibleWhen="choice-unselected" whenTagName="verdict"'
    handed_up = _verdicts(Verdict.REJECT, Verdict.ESCALATE)
    return (
        '        <View className="rv-head">\n'
        '          <Header value="Your decision: which class is right?" size="5"/>\n        </View>\n'
        f"{classes(unless)}"
        '        <Header value="Is something in the way? Leave empty if it is clear" size="5"/>\n'
        f"{_choices('verdict', handed_up)}{_choices('reason_code', _codes(codes, 'wrong_class'))}"
    )


def _verdicts(*wanted: Verdict) -> Mapping[str, tuple[str, str]]:
    return {one.value: VERDICTS[one] for one in wanted}


def _codes(earlier: Sequence[str], but: str = "") -> Mapping[str, tuple[str, str]]:
    kept = {code: (EARLIER_CODES.get(code, code), "") for code in earlier}
    return {code: told for code, told in REASON_CODES.items() if code != but} | kept


def _error_tags(*, blind: bool) -> str:
    said = (
        "What is wrong with the case?" if blind else "What is wrong with it, or with the model&apos;s answer?"
    )
    tags = {tag.value: told for tag, told in ERROR_TAGS.items()}
    return f'        <Header value="{said}" size="5"/>\n' + _choices("error_tags", tags, choice="multiple")


def _choices(
    name: str,
    options: Mapping[str, tuple[str, str]],
    how: str = "",
    message: str = "",
    choice: str = "single",
) -> str:
    told = how.replace("required", f'required="true" requiredMessage="{escape(message)}"') if message else how
    lines = "".join(
        f"          <Choice value={quoteattr(words)} alias={quoteattr(value)}"
        + (f' hotkey="{key}"' if key else "")
        + "/>\n"
        for value, (words, key) in options.items()
    )
    return (
        f'        <Choices name="{name}" toName="case" choice="{choice}" showInline="true" {told}>\n'
        f"{lines}        </Choices>\n"
    )


def _find_and_jump(*, many: bool, blind: bool) -> str:
    """Where the cursor is put by a key: right before the text box, and into the list of many classes."""
    jump = (
        '        <View className="rv-jump"{when}>\n          <Filter name="jump" toName="label" hotkey="t" '
        'minlength="999" placeholder="Tab goes to the reason"/>\n        </View>\n'
    )
    if not many:
        return jump.format(when="")
    selected, unselected = (
        f' visibleWhen="choice-{state}" whenTagName="verdict"' + ("" if blind else ' whenChoiceValue="edit"')
        for state in ("selected", "unselected")
    )
    finding, jumping = (unselected, selected) if blind else (selected, unselected)
    return jump.format(when=jumping) + (
        f'        <View className="rv-find"{finding}>\n          <Filter name="find" toName="label" '
        'hotkey="f" minlength="1" placeholder="[f] Type a part of the class, Enter picks the first, Tab goes '
        'to the reason"/>\n        </View>\n'
    )


def _class_choices(names: Sequence[str], hints: Mapping[str, str], when: str, *, many: bool) -> str:
    hotkeys = {} if many else _hotkeys(names)
    choices = "".join(
        f"            <Choice value={quoteattr(name)}"
        + (f' hotkey="{hotkeys[name]}"' if name in hotkeys else "")
        + (f" hint={quoteattr(hints[name])}" if name in hints else "")
        + "/>\n"
        for name in names
    )
    return (
        f'        <View className="rv-order rv-classes{" rv-many" if many else ""}">\n'
        '          <Choices name="label" toName="case" choice="single" required="true" '
        f'requiredMessage="Pick the right class" showInline="{"false" if many else "true"}" {when}>\n'
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
