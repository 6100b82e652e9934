"""The page shows what it must, escapes all, and gives nothing secret away."""

from __future__ import annotations

import warnings

import pytest

from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import InputError
from hitl_mlops.review.interface import shown_values, without_the_model
from hitl_mlops.review.page_config import labelling_config
from tests.builders import a_case, a_decision

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK's models are written for an older pydantic
    from label_studio_sdk.label_interface import LabelInterface

HOSTILE = '<img src=x onerror="alert(1)"> & \'"'


def a_task(kind: InputKind = InputKind.TEXT, **changes: object) -> Task:
    plain = {"project": "p", "kind": kind, "inputs": ("x",), "classes": ("yes", "no"), "show": ("amount",)}
    return Task(**(plain | changes))


@pytest.mark.parametrize("kind", InputKind)
@pytest.mark.parametrize("count", [2, 10, 13, 77, 300])
@pytest.mark.parametrize("blind", [False, True])
def test_label_studio_accepts_the_page(kind: InputKind, count: int, blind: bool) -> None:
    classes = tuple(f"class <{number}> & \"'" for number in range(count))
    page = LabelInterface(labelling_config(a_task(kind, classes=classes), blind=blind))
    page.validate()
    assert tuple(page.get_control("label").labels) == classes


def test_digits_are_their_own_hotkeys() -> None:
    page = labelling_config(a_task(classes=("0", "1", "7")))
    assert '<Choice value="7" hotkey="7"/>' in page


def test_few_classes_are_buttons_and_many_are_found_by_typing() -> None:
    few = labelling_config(a_task(classes=tuple("abc")))
    many = labelling_config(a_task(classes=tuple(f"c{number}" for number in range(77))))
    assert 'className="rv-jump"' in few
    assert 'className="rv-find"' in many


def test_classes_in_use_stay_on_the_page() -> None:
    assert '<Choice value="old"' in labelling_config(a_task(), ["old", "yes"])
    assert labelling_config(a_task(), ["yes"]).count('<Choice value="yes"') == 1


@pytest.mark.parametrize("name", ["$amount", "", "  "])
def test_a_class_that_label_studio_would_misread_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot stand"):
        labelling_config(a_task(classes=(name, "no")))


def test_only_inputs_and_shown_columns_leave() -> None:
    case = a_case(
        subject="anna@example.org", inputs={"x": "words"}, attributes={"amount": 5.0, "iban": "CH93 0076"}
    )
    decision = a_decision(subject="anna@example.org", pi=0.03125, spot_check=True, policy_hash="f" * 40)
    values = str(shown_values(decision, case, a_task()))
    assert "words" in values
    assert "amount" in values
    for secret in ("anna@example.org", "iban", "CH93", "0.03125", "champion", "spot", "f" * 13):
        assert secret not in values


def test_a_spot_check_reads_like_a_standard_review() -> None:
    case = a_case(inputs={"x": "words"})
    review = shown_values(a_decision(reasons=("confidence → standard",)), case, a_task())
    check = shown_values(a_decision(spot_check=True, reasons=("confidence → auto",)), case, a_task())
    assert review == check


def test_lanes_above_standard_are_told_the_rules_that_fired() -> None:
    decision = a_decision(reasons=("rule <pii>",))
    values = shown_values(decision, a_case(inputs={"x": "w"}), a_task(), lane="senior")
    assert "rule &lt;pii&gt;" in values["why_html"]


def test_the_blind_page_says_nothing_of_the_model() -> None:
    task = a_task()
    assert "model" not in labelling_config(task, blind=True).split("</Style>")[1]
    assert set(shown_values(a_decision(), a_case(inputs={"x": "w"}), task, blind=True)) == {
        "case_id",
        "text",
        "beside_html",
        "said_html",
    }


def test_what_a_blind_sheet_keeps_of_a_page_is_what_a_blind_page_is_made_of() -> None:
    for task in (a_task(), a_task(InputKind.TABLE, inputs=("x",)), a_task(InputKind.IMAGE, inputs=("x",))):
        decision, case = a_decision(), a_case(inputs={"x": "w"})
        shown = shown_values(decision, case, task, image="data:")
        blind = shown_values(decision, case, task, image="data:", blind=True)
        assert without_the_model(shown) == blind


def test_every_value_in_html_is_escaped() -> None:
    task = a_task(InputKind.TABLE, inputs=(HOSTILE,), show=("amount",), classes=(HOSTILE, "no"))
    case = a_case(inputs={HOSTILE: HOSTILE}, attributes={"amount": HOSTILE})
    decision = a_decision(
        label=HOSTILE,
        probabilities={HOSTILE: 0.8, "<b>no</b>": 0.2},
        reasons=(HOSTILE,),
        model_version=HOSTILE,
    )
    values = shown_values(decision, case, task, lane=HOSTILE, learned_from=HOSTILE)
    for name, value in values.items():
        if name.endswith("_html"):
            assert "<img" not in value, name
            assert "<b>no" not in value, name


def test_a_missing_value_is_said_to_be_missing() -> None:
    task = a_task(InputKind.TABLE, inputs=("x", "y"))
    assert (
        shown_values(a_decision(), a_case(inputs={"x": None}), task)["features_html"].count("(missing)") == 2
    )


def test_one_class_alone_has_no_alternative() -> None:
    decision = a_decision(confidence=1.0, probabilities={"yes": 1.0})
    values = shown_values(decision, a_case(inputs={"x": "w"}), a_task())
    assert values["model_confidence"] == "100 %"
    assert "no other class" in values["why_html"]
