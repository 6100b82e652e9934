"""What helps to judge is told, escaped and masked; a guideline stands with its version."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from hitl_mlops.decisions.explanation import ExplainedBy, Explanation, Part
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.redaction.masking import Masking
from hitl_mlops.review.guideline import guide_field, guideline_version
from hitl_mlops.review.interface import shown_values, without_the_model
from hitl_mlops.review.page_config import ERROR_TAGS, REASON_CODES, VERDICTS, labelling_config, page_fields
from hitl_mlops.review.page_why import Insight, PastCase, explanation_html, past_html
from hitl_mlops.review.picture import pictures_beside
from tests.builders import a_case, a_decision

HOSTILE = '<img src=x onerror="alert(1)"> & \'"'
AT = datetime(2026, 2, 3, tzinfo=UTC)
GUIDELINE = (("yes", f"It holds. {HOSTILE}"), ("no", "It does not."))


def a_task(**changes: object) -> Task:
    plain = {"project": "p", "kind": InputKind.TEXT, "inputs": ("x",), "classes": ("yes", "no")}
    return Task(**(plain | changes))


def because(*parts: Part, heat: tuple[tuple[float, ...], ...] = ()) -> Explanation:
    return Explanation(ExplainedBy.OCCLUSION, "no", parts, heat)


def shown(task: Task, text: str = "words", **more: object) -> dict[str, object]:
    return shown_values(a_decision(), a_case(inputs={"x": text}), task, **more)


def test_what_spoke_for_and_against_is_told_apart_and_escaped() -> None:
    told = explanation_html(because(Part(HOSTILE, "", 0.3), Part("b", HOSTILE, -0.2)), Masking())
    assert "<img" not in told
    assert (
        told.index("spoke for it") < told.index("+0.3") < told.index("spoke against it") < told.index("-0.2")
    )


@pytest.mark.parametrize("explanation", [None, because()])
def test_without_an_explanation_the_page_says_so(explanation: Explanation | None) -> None:
    assert "no explanation" in explanation_html(explanation, Masking())


def test_words_that_were_masked_in_the_text_do_not_come_back_as_reasons() -> None:
    parts = (Part("4111", "", 0.4), Part("paid", "", 0.3), Part("1111 1111", "", 0.2))
    values = shown(a_task(), "paid by 4111 1111 1111 1111", insight=Insight(because(*parts)))
    assert "4111" not in str(values)
    assert "1111" not in str(values["why_html"])
    assert "paid" in str(values["why_html"])


def test_a_value_that_is_personal_is_masked_among_the_reasons_too() -> None:
    told = explanation_html(because(Part("contact", "ann@example.org", 0.4)), Masking())
    assert "ann@" not in told


def test_past_cases_are_escaped_masked_and_told_with_what_people_said() -> None:
    past = (PastCase("ann@example.org", HOSTILE, "no", AT),)
    told = past_html(past, Masking())
    assert "<img" not in told
    assert "ann@" not in told
    assert "people <b>no</b> on 2026-02-03" in told
    assert "none yet" in past_html((), Masking())


def test_the_guideline_stands_on_the_ticket_with_its_version_and_changes_it() -> None:
    task = a_task(guideline=GUIDELINE)
    values = shown(task)
    assert (
        values["guideline"] == guideline_version(task) != guideline_version(a_task(guideline=GUIDELINE[1:]))
    )
    for field in (guide_field("yes"), guide_field("no"), "guideline_html"):
        assert guideline_version(task) in str(values[field])
        assert "<img" not in str(values[field])
    assert "It does not." in str(values[guide_field("no")])


def test_hiding_the_model_keeps_the_guideline_and_nothing_of_the_model() -> None:
    task = a_task(guideline=GUIDELINE)
    past = (PastCase("c", "yes", "no", AT),)
    open_values = shown(task, insight=Insight(because(Part("words", "", 0.1)), past))
    assert without_the_model(open_values) == shown(task, blind=True)
    assert not {"guideline_html", "similar_html", "why_html"} & shown(task, blind=True).keys()


@pytest.mark.parametrize("blind", [False, True])
@pytest.mark.parametrize("guideline", [(), GUIDELINE])
@pytest.mark.parametrize("kind", InputKind)
def test_a_ticket_brings_every_field_that_its_page_names(kind, guideline, blind) -> None:
    inputs = ("x",) if kind is InputKind.TEXT else ("x", "y", "z", "u")
    task = a_task(kind=kind, inputs=inputs, show=("amount",), show_images=("scan",), guideline=guideline)
    values = shown_values(
        a_decision(), a_case(inputs=dict.fromkeys(inputs, 1.0)), task, image="i", blind=blind
    )
    assert page_fields(labelling_config(task, blind=blind)) <= values.keys()


def test_no_key_is_given_twice() -> None:
    keys = [key for offered in (VERDICTS, REASON_CODES, ERROR_TAGS) for _, key in offered.values()]
    assert len({*keys, "y", "n", "t", "f"}) == len(keys) + 4


def test_a_picture_beside_the_case_is_shown_and_one_that_cannot_be_read_is_said_to_be(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    task = a_task(show_images=("scan", "back", "gone"))
    case = a_case(inputs={"x": "w"}, attributes={"scan": "a.png", "back": "b.png", "gone": None})
    pictures = pictures_beside(case, task, tmp_path)
    assert [bool(pictures[name]) for name in task.show_images] == [True, False, False]
    told = shown_values(a_decision(), case, task, pictures=pictures)["beside_html"]
    assert told.count("data:image/png") == 1
    assert told.count("no picture can be read") == 2


@pytest.mark.parametrize("blind", [False, True])
def test_reason_codes_in_use_stay_on_the_page(blind: bool) -> None:
    page = labelling_config(a_task(), codes=["agree", "missing_context", "own"], blind=blind)
    assert [page.count(f'alias="{code}"') for code in ("agree", "missing_context", "own")] == [1, 1, 1]
