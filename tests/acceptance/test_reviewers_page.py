"""A reviewer at the page, in a real browser, with the keyboard alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from hitl_mlops.review import accounts
from hitl_mlops.review.answer import Answer, Verdict
from hitl_mlops.review.desk_label_studio import LabelStudioDesk
from tests.browser import Browser
from tests.label_studio_page import open_ticket, reviewer_at
from tests.page_room import Shelf, shelf_of

pytestmark = pytest.mark.real
ACCOUNT, PASSWORD = "paula@hitl.example", "pass-word-1"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def paula(label_studio) -> Iterator[Browser]:
    desk = LabelStudioDesk(label_studio.url, label_studio.token, None)  # type: ignore[arg-type]
    accounts.enter(desk.http, ACCOUNT, PASSWORD)
    with reviewer_at(label_studio.url, ACCOUNT, PASSWORD) as page:
        yield page


def shelf(kind: str, label_studio, folder: Path) -> Shelf:
    return shelf_of(kind, label_studio.url, label_studio.token, folder, str(next(_numbers)))


def answer_of(one: Shelf) -> Answer:
    [answer] = [answer for page in one.desk.changes() for task in page for answer in task.answers]
    return answer


def submit(page: Browser, reason: str) -> None:
    page.press("t", "Tab")
    page.write(reason)
    page.press("Enter", "Control+Enter")
    page.wait_for_text("Update")


@pytest.mark.parametrize("kind", ["text", "table", "image", "mix"])
def test_all_of_a_ticket_fits_the_screen_whatever_is_picked(kind, paula, label_studio, tmp_path) -> None:
    one = shelf(kind, label_studio, tmp_path)
    open_ticket(paula, label_studio.url, *one.shown)
    for told in (
        "The model says",
        "spoke for it",
        "Similar cases",
        "decided 20",
        "dataset 3",
        "Your decision",
    ):
        paula.wait_for_text(told)
    assert paula.scrolls() == 0
    paula.press("e")
    paula.wait_for_text("Which class is right?")
    assert paula.scrolls() == 0
    open_ticket(paula, label_studio.url, *one.blind)
    assert paula.scrolls() == 0
    assert "model" not in paula.text().lower()


def test_who_edits_without_a_reason_is_stopped_and_then_heard(paula, label_studio, tmp_path) -> None:
    one = shelf("text", label_studio, tmp_path)
    open_ticket(paula, label_studio.url, *one.shown)
    paula.press("Control+Enter")
    paula.wait_for_text("Decide: accept, edit, reject or escalate")
    paula.press("Escape")
    open_ticket(paula, label_studio.url, *one.shown)
    paula.press("e", "2")
    paula.wait_for_text("Look at the IBAN first")
    paula.press("w", "k", "b", "n", "Control+Enter")
    paula.wait_for_text("Write one sentence")
    paula.press("Escape")
    assert not [task for page in one.desk.changes() for task in page if task.answers]
    submit(paula, "the IBAN is another's")
    answer = answer_of(one)
    assert (answer.reviewer, answer.verdict, answer.label) == (ACCOUNT, Verdict.EDIT, "wrong address")
    assert (answer.reason_code, answer.rationale) == ("wrong_class", "the IBAN is another's")
    assert (answer.error_tags, answer.for_training) == (("factual", "bias"), False)


@pytest.mark.parametrize("kind", ["text", "table", "image", "mix"])
def test_the_model_s_answer_is_accepted_in_a_few_keys(kind, paula, label_studio, tmp_path) -> None:
    one = shelf(kind, label_studio, tmp_path)
    open_ticket(paula, label_studio.url, *one.shown)
    paula.press("a")
    submit(paula, "it says so")
    answer = answer_of(one)
    assert (answer.verdict, answer.stated) == (Verdict.ACCEPT, Verdict.ACCEPT)
    assert (answer.label, answer.reason_code) == (one.task.classes[0], "agree")
    assert (answer.rationale, answer.for_training) == ("it says so", True)


def test_a_class_picked_before_another_decision_is_not_sent(paula, label_studio, tmp_path) -> None:
    one = shelf("text", label_studio, tmp_path)
    open_ticket(paula, label_studio.url, *one.shown)
    paula.press("e", "2", "j", "m")
    submit(paula, "the letter is cut off")
    answer = answer_of(one)
    assert (answer.verdict, answer.label, answer.reason_code) == (Verdict.REJECT, None, "missing_context")
    assert not answer.contradicts_itself


def test_on_the_blind_page_the_class_is_given_or_the_case_passed_on(paula, label_studio, tmp_path) -> None:
    one, other = (shelf(kind, label_studio, tmp_path) for kind in ("text", "image"))
    open_ticket(paula, label_studio.url, *one.blind)
    paula.press("1")
    submit(paula, "paid twice")
    open_ticket(paula, label_studio.url, *other.blind)
    paula.press("x")
    submit(paula, "too pale to read")
    assert (answer_of(one).label, answer_of(one).verdict) == (one.task.classes[0], None)
    assert (answer_of(other).label, answer_of(other).verdict) == (None, Verdict.ESCALATE)
