"""Several people on one case: none sees another's answer, and those who differ go on to one more."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hitl_mlops.overrides.reasons import Reason
from hitl_mlops.overrides.record import Method
from hitl_mlops.queues import Queues
from hitl_mlops.review.ticket import TicketKind, TicketState
from tests.review_room import ReviewRoom

POLICY = """\
version: 1
routes:
  auto: {{confidence: "> 1"}}
  standard: {{}}
  people: {{confidence: "<= 1", {asks}}}
spot_checks: {{auto: 0.01}}
escalation: [{{after: 100%, to: supervisor}}, {{after: 4h, to: governance}}]
{review}
"""
TWO = "signatures: 2, blind_second: true"


@pytest.fixture
def room(tmp_path) -> Iterator[Callable[..., ReviewRoom]]:
    made: list[ReviewRoom] = []

    def build(asks: str = "signatures: 1", review: str = "") -> ReviewRoom:
        made.append(ReviewRoom(tmp_path, POLICY.format(asks=asks, review=review)))
        return made[-1]

    yield build
    for one in made:
        one.close()


def test_two_signatures_are_given_on_two_sheets_the_first_without_the_models_answer(room) -> None:
    two = room(TWO)
    [decision] = two.ask()
    [ticket] = two.tickets(decision)
    first, second = two.sheets(ticket)
    assert (ticket.signatures, ticket.blind_first, ticket.state) == (2, True, TicketState.OPEN)
    two.say(first, "ann", "yes")
    two.say(second, "bob", "yes", reason_code="agree")
    [made] = two.collect().resolved
    assert (made.method, made.label, made.reviewers) == (Method.UNANIMOUS, "yes", ("r1", "r2"))
    kept = two.project.parts.answers.accepted_for([ticket.ticket_id])
    assert {one.person: one.answer.verdict is None for one in kept} == {"r1": True, "r2": False}


def test_one_person_cannot_give_both_signatures(room) -> None:
    two = room(TWO)
    [decision] = two.ask()
    [ticket] = two.tickets(decision)
    for sheet in two.sheets(ticket):
        two.say(sheet, "ann", "yes")
    found = two.collect()
    assert found.resolved == ()
    assert [one.reasons for one in found.quarantined] == [(Reason.ALREADY_ANSWERED,)]


def test_a_third_is_asked_only_where_two_differ_and_is_not_shown_the_models_answer(room) -> None:
    two = room(TWO)
    agreed, differing = two.ask(2)
    for decision, labels in ((agreed, ("yes", "yes")), (differing, ("yes", "no"))):
        [ticket] = two.tickets(decision)
        for sheet, name, label in zip(two.sheets(ticket), ("ann", "bob"), labels, strict=True):
            two.say(sheet, name, label)
    found = two.collect()
    [ticket] = two.tickets(differing)
    assert (len(found.resolved), found.disagreements) == (1, (ticket.ticket_id,))
    assert "tickets.asked_again" in two.kinds()
    third = two.sheets(ticket)[2:]
    assert (len(third), len(two.sheets(two.tickets(agreed)[0]))) == (1, 2)
    two.say(third[0], "cid", "no")
    [made] = two.collect().resolved
    assert (made.method, made.label, made.reviewers) == (Method.MAJORITY, "no", ("r2", "r3"))
    assert len(two.sheets(ticket)) == 3


def test_a_sheet_that_proves_needless_is_offered_to_nobody(room) -> None:
    two = room(TWO)
    [decision] = two.ask()
    [ticket] = two.tickets(decision)
    first, second = two.sheets(ticket)
    two.say(first, "ann", "yes")
    given = two.say(second, "bob", "no")
    two.collect()
    third = two.sheets(ticket)[2]
    two.desk.session("bob@x.org").edit(given, "yes", "looked again", "wrong_class")
    assert len(two.collect().resolved) == 1
    assert two.desk.closed == {third}
    two.collect()
    assert two.desk.closed == {third}


def test_collecting_again_asks_nobody_twice(room) -> None:
    two = room(TWO)
    [decision] = two.ask()
    [ticket] = two.tickets(decision)
    for sheet, name, label in zip(two.sheets(ticket), ("ann", "bob"), ("yes", "no"), strict=True):
        two.say(sheet, name, label)
    two.collect()
    before = (len(two.sheets(ticket)), two.project.parts.trail.size())
    two.collect()
    two.project.collect(sweep=True)
    two.project.push()
    assert (len(two.sheets(ticket)), two.project.parts.trail.size()) == before


def test_who_hands_a_case_up_leaves_it_to_a_supervisor_who_is_told_what_was_said(room) -> None:
    one = room()
    [decision] = one.ask()
    [ticket] = one.tickets(decision)
    one.say(one.sheets(ticket)[0], "ann", None, reason_code="escalate", rationale="two <b>hands</b>")
    found = one.collect()
    assert found.ties == (ticket.ticket_id,)
    tied, last = one.tickets(decision)
    assert (tied.state, last.state, last.kind) == (
        TicketState.TIED,
        TicketState.OPEN,
        TicketKind.ADJUDICATION,
    )
    assert (last.lane, last.skill, last.signatures, last.step) == ("supervisor", "supervisor", 1, 1)
    assert "two &lt;b&gt;hands&lt;/b&gt;" in last.shown["said_html"]
    assert last.shown["model_label"] == decision.label
    assert one.kinds().count("tickets.tied") == 1
    one.say(one.sheets(last)[0], "dan", "no")
    [made] = one.collect().resolved
    assert (made.method, made.ticket_kind, made.label) == (Method.ADJUDICATED, "review", "no")
    assert one.project.parts.answers.resolution_of(decision.decision_id) == made


def test_who_answered_a_case_cannot_have_the_last_word_on_it(room) -> None:
    one = room()
    [decision] = one.ask()
    [ticket] = one.tickets(decision)
    one.say(one.sheets(ticket)[0], "dan", None, reason_code="escalate")
    one.collect()
    _, last = one.tickets(decision)
    one.say(one.sheets(last)[0], "dan", "no")
    found = one.collect()
    assert [refused.reasons for refused in found.quarantined] == [(Reason.SELF_CONFIRMED,)]
    assert found.resolved == ()


def test_a_supervisor_who_is_late_is_followed_by_whoever_stands_above(room) -> None:
    one = room()
    [decision] = one.ask()
    one.say(one.sheets(one.tickets(decision)[0])[0], "ann", None, reason_code="escalate")
    one.collect()
    one.wait(hours=29)
    Queues(one.project.verbs).escalate()
    *_, last = one.tickets(decision)
    assert (last.lane, last.skill, last.step) == ("governance", "governance", 2)


def test_what_a_supervisor_hands_up_goes_further_up(room) -> None:
    one = room()
    [decision] = one.ask()
    [ticket] = one.tickets(decision)
    one.say(one.sheets(ticket)[0], "ann", None, reason_code="escalate")
    one.collect()
    one.say(one.sheets(one.tickets(decision)[1])[0], "dan", None, reason_code="escalate")
    one.collect()
    *_, last = one.tickets(decision)
    assert (last.lane, last.kind, len(one.tickets(decision))) == ("governance", TicketKind.ADJUDICATION, 3)
    one.say(one.sheets(last)[0], "eve", "yes")
    [made] = one.collect().resolved
    assert (made.label, made.method, made.ticket_kind) == ("yes", Method.ADJUDICATED, "review")


def test_what_people_could_not_agree_on_is_not_missing_from_the_figures(room) -> None:
    one = room()
    easy, hard = one.ask(2)
    for decision, code in ((easy, "agree"), (hard, "escalate")):
        label = decision.label if code == "agree" else None
        one.say(one.sheets(one.tickets(decision)[0])[0], "ann", label, reason_code=code)
    one.collect()
    assert one.project.figures().override_rate.value == 0.0
    other = {"yes": "no", "no": "yes"}[hard.label]
    one.say(one.sheets(one.tickets(hard)[1])[0], "dan", other)
    one.collect()
    assert one.project.figures().override_rate.value == 0.5


def test_somebody_else_is_asked_where_an_answer_was_dropped(room) -> None:
    one = room()
    [decision] = one.ask()
    [ticket] = one.tickets(decision)
    one.say(one.sheets(ticket)[0], "ann", "yes", rationale="")
    [refused] = one.collect().quarantined
    one.project.drop(refused.answer.key, by="r2", reason="no reason given")
    one.project.push()
    _, again = one.sheets(ticket)
    one.say(again, "bob", "yes")
    assert len(one.collect().resolved) == 1


def test_stages_are_signed_one_after_another_and_both_must_agree(room) -> None:
    staged = room("stages: [operations, compliance]")
    agreed, differing = staged.ask(2)
    for decision in (agreed, differing):
        [ticket] = staged.tickets(decision)
        assert (ticket.signatures, ticket.skill, len(staged.sheets(ticket))) == (2, "operations", 1)
        staged.say(staged.sheets(ticket)[0], "ann", "yes", rationale="the figures fit")
    assert staged.collect().resolved == ()
    for decision, label in ((agreed, "yes"), (differing, "no")):
        [ticket] = staged.tickets(decision)
        [second] = staged.project.parts.tickets.sheets([ticket.ticket_id])
        assert (second.skill, second.blind) == ("compliance", False)
        assert "the figures fit" in second.said_html
        staged.say(staged.sheets(ticket)[1], "bob", label)
    found = staged.collect()
    assert [one.decision_id for one in found.resolved] == [agreed.decision_id]
    assert len(found.ties) == 1
    assert staged.tickets(differing)[1].kind is TicketKind.ADJUDICATION


def test_a_share_of_all_tickets_hides_the_models_answer(room) -> None:
    blind = room(review="review: {blind_share: 0.5}")
    found = [ticket for decision in blind.ask(60) for ticket in blind.tickets(decision)]
    hidden = [one for one in found if one.blind]
    assert 15 <= len(hidden) <= 45
    assert all("model_label" not in one.shown for one in hidden)
    assert all("model_label" in one.shown for one in found if not one.blind)
