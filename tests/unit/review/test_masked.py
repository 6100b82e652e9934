"""No personal data that gives itself away by its form reaches the desk."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hitl_mlops.decisions.record import Case
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.recourse.policy import RecoursePolicy
from hitl_mlops.recourse.record import Complaint
from hitl_mlops.recourse.ticket import ticket_for
from hitl_mlops.redaction.finding import TYPES
from hitl_mlops.redaction.masking import Masking
from hitl_mlops.review.interface import said_before
from hitl_mlops.review.open import Deadlines, Shown, learning_tickets, tickets_for
from tests.builders import NOW, a_case, a_decision
from tests.fake_desk import FakeDesk
from tests.recourse_builders import a_word

HELD = {
    "card": "4111 1111 1111 1111",
    "iban": "DE89 3704 0044 0532 0130 00",
    "e-mail": "ann.o'neil@example.org",
    "phone": "+49 171 2345678",
    "ip": "192.168.1.17",
    "us-ssn": "123-45-6789",
}
TEXT = "From " + ", ".join(HELD.values())
SECRETS = [*HELD.values(), "o&#x27;neil", "4111", "3704", "2345678", "6789"]


def a_task(kind: InputKind = InputKind.TEXT, **changes: object) -> Task:
    plain = {"project": "p", "kind": kind, "inputs": ("x",), "classes": ("yes", "no"), "show": ("note",)}
    return Task(**(plain | changes))


def the_case(**changes: object) -> Case:
    return a_case(**({"inputs": {"x": TEXT}, "attributes": {"note": TEXT, "ssn": 123456789}} | changes))


def shown_to(task: Task, case: Case) -> list[dict[str, object]]:
    """What the desk gets of a review, a blind ticket and a complaint about the case."""
    decision, shown = a_decision(case_id=case.case_id), Shown(task)
    complaint = Complaint("c", decision.decision_id, a_word(reason=f"Call me: {TEXT}"), "t")
    asked = [
        *tickets_for([decision], [], {case.case_id: case}, shown, Deadlines(), now=NOW),
        *learning_tickets([decision], {case.case_id: case}, shown, Deadlines(), now=NOW),
        ticket_for(
            complaint,
            decision,
            case,
            policy=RecoursePolicy(timedelta(days=1), "senior", 1),
            shown=shown,
            deadlines=Deadlines(),
            held=None,
        ),
    ]
    return [dict(one.shown) for one in asked]


@pytest.mark.parametrize("kind", InputKind)
def test_nothing_that_leaves_holds_what_the_case_holds(kind: InputKind) -> None:
    for values in shown_to(a_task(kind, show=("note", "ssn")), the_case()):
        told = repr(values)
        assert not [secret for secret in SECRETS if secret in told]
        assert "123456789" not in told
        assert all(f"[{one}]" in told for one in HELD)


def test_a_case_id_that_is_personal_data_is_masked_and_still_tells_cases_apart() -> None:
    ids = [shown_to(a_task(), the_case(case_id=name))[0]["case_id"] for name in ("ann@x.org", "bob@x.org")]
    assert all(str(one).startswith("[e-mail] d_") for one in ids)
    assert len(set(ids)) == 2


def test_another_case_id_stays_as_it_is() -> None:
    assert shown_to(a_task(), the_case(case_id="loan-17"))[0]["case_id"] == "loan-17"


def test_a_column_that_reviewers_need_is_shown() -> None:
    masking = Masking(except_columns=frozenset({"note"}))
    values = shown_to(a_task(masking=masking), the_case())[0]
    assert "4111 1111 1111 1111" in str(values["beside_html"])
    assert "4111" not in str(values["text"])


def test_nothing_is_masked_where_the_project_says_so() -> None:
    values = shown_to(a_task(masking=Masking(types=frozenset())), the_case())[0]
    assert values["text"] == TEXT


def test_all_types_are_masked_where_the_project_says_nothing() -> None:
    assert a_task().masking.types == frozenset(TYPES)


def test_what_others_wrote_is_shown_without_personal_data() -> None:
    desk = FakeDesk()
    desk.answer(desk.add_task("t"), rationale=f"She said: {TEXT}")
    told = said_before([one for held in desk.answers.values() for one in held.values()])
    assert not [secret for secret in SECRETS if secret in told]
    assert "She said: " in told
