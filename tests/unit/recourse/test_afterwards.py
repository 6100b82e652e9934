"""What can still happen to a decision, and what is refused in which words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hitl_mlops.errors import InputError, NotFoundError, RefusedError
from hitl_mlops.recourse.record import How
from hitl_mlops.recourse.standing import State
from hitl_mlops.review.ticket import TicketKind
from tests.builders import NOW
from tests.recourse_room import Room


@pytest.fixture
def room():
    made = Room()
    yield made
    made.database.close()


WORD = {"by": "Ann", "reason": "the amount is wrong"}


def test_a_decision_that_runs_is_halted_and_nobody_acts_on_it(room):
    assert room.recourse.standing("d_during").act
    taken = room.recourse.halt("d_during", **WORD, through="webshop")

    assert (taken.how, taken.word.by, taken.word.at, taken.word.through) == (
        How.HALTED,
        "p_3",
        NOW,
        "webshop",
    )
    stands = room.recourse.standing("d_during")
    assert (stands.state, stands.act, stands.label, stands.since) == (State.HALTED, False, None, NOW)


def test_the_trail_holds_who_and_a_digest_but_no_name_and_no_reason(room):
    room.recourse.halt("d_during", **WORD)
    [entry] = room.told()

    assert (entry["kind"], entry["actor"], entry["refs"]) == (
        "decisions.halted",
        "p_3",
        {"decision": ["d_during"]},
    )
    assert entry["facts"]["reason_digest"].startswith("sha256:")
    assert "Ann" not in str(entry)
    assert "amount" not in str(entry)


def test_halting_twice_is_once(room):
    first = room.recourse.halt("d_during", **WORD)
    room.now += timedelta(days=400)

    assert room.recourse.halt("d_during", by="Ben Other", reason="me too") == first
    assert len(room.told()) == 1


def test_a_decision_is_reversed_up_to_its_deadline_and_not_a_moment_later(room):
    room.now = NOW + timedelta(hours=24)
    assert room.recourse.reverse("d_after", **WORD).how is How.REVERSED
    assert room.recourse.standing("d_after").state is State.REVERSED

    room.decide(case_id="late", intervention="after", reversible_until=NOW + timedelta(hours=24))
    room.now += timedelta(microseconds=1)
    with pytest.raises(RefusedError, match="until 2026-03-02 12:00 UTC; that is over") as told:
        room.recourse.reverse("d_late", **WORD)
    assert told.value.data == {"reversible_until": "2026-03-02T12:00:00.000000+00:00"}
    assert room.recourse.reverse("d_after", **WORD).word.at == NOW + timedelta(hours=24)


def test_a_decision_is_halted_only_while_the_policy_says_that_it_runs(room):
    room.decide(case_id="brief", intervention="during", reversible_until=NOW + timedelta(minutes=10))
    room.now = NOW + timedelta(minutes=11)
    with pytest.raises(RefusedError, match="could be halted until 2026-03-01 12:10 UTC"):
        room.recourse.halt("d_brief", **WORD)


@pytest.mark.parametrize(
    ("verb", "name", "words"),
    [
        ("halt", "before", "nothing begins before people"),
        ("halt", "after", "it is done at once"),
        ("halt", "done", "it is done at once"),
        ("reverse", "before", "people decide first"),
        ("reverse", "during", "it is halted while it runs"),
        ("reverse", "done", "gives the route auto no time"),
    ],
)
def test_what_cannot_be_is_refused_with_a_way_out_and_changes_nothing(room, verb, name, words):
    with pytest.raises(RefusedError, match=words) as told:
        getattr(room.recourse, verb)(f"d_{name}", **WORD, key="k-1")

    assert told.value.remedy
    assert room.told() == []
    assert room.recourse.standing(f"d_{name}").state is not State.HALTED
    with pytest.raises(RefusedError):  # a refusal does not use up the key
        getattr(room.recourse, verb)(f"d_{name}", **WORD, key="k-1")


@pytest.mark.parametrize("verb", ["halt", "reverse", "complain"])
@pytest.mark.parametrize(
    "changes", [{"by": " "}, {"reason": ""}, {"reason": "x" * 2_001}, {"reason": "\0"}, {"reason": "\ud800"}]
)
def test_a_word_without_person_or_reason_is_refused(room, verb, changes):
    with pytest.raises(InputError):
        getattr(room.recourse, verb)("d_during", **(WORD | changes))
    assert room.told() == []


@pytest.mark.parametrize("name", ["", "d_nothing", "\0", "x" * 41, "é" * 10, "d_before "])
def test_unknown_decisions_are_told(room, name):
    for ask in (room.recourse.standing, lambda one: room.recourse.tell_outcome(one, "yes", source="s")):
        with pytest.raises(NotFoundError):
            ask(name)


def test_an_outcome_is_known_and_corrected_and_every_revision_is_kept(room):
    at = NOW - timedelta(days=1)
    first = room.recourse.tell_outcome("d_before", "no", source="letter", at=at, by="Ann")
    again = room.recourse.tell_outcome("d_before", "no", source="letter", at=at, by="Ann")
    mended = room.recourse.tell_outcome("d_before", "yes", source="letter", at=at)
    back = room.recourse.tell_outcome("d_before", "no", source="letter", at=at, by="Ann")

    assert first == again
    assert [one.revision for one in (first, mended, back)] == [1, 2, 3]
    assert (first.by, mended.by) == ("p_3", None)
    assert room.recourse.book.revisions("d_before") == [first, mended, back]
    assert room.recourse.outcomes(["d_before", "d_after"]) == {"d_before": back}
    assert [entry["facts"]["revision"] for entry in room.told()] == [1, 2, 3]


def test_a_late_repetition_under_its_key_corrects_nothing(room):
    first = room.recourse.tell_outcome("d_before", "no", source="letter", key="k-1")
    mended = room.recourse.tell_outcome("d_before", "yes", source="letter", key="k-2")

    assert room.recourse.tell_outcome("d_before", "no", source="letter", key="k-1") == first
    assert room.recourse.outcomes(["d_before"])["d_before"] == mended


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"label": "maybe"}, "no class"),
        ({"label": ""}, "no class"),
        ({"source": " "}, "source is empty"),
        ({"at": NOW + timedelta(minutes=6)}, "lies ahead"),
        ({"at": datetime(1899, 1, 1, tzinfo=UTC)}, "too early"),
        ({"at": datetime(2026, 1, 1)}, "no zone"),  # noqa: DTZ001
    ],
)
def test_an_outcome_that_cannot_be_is_refused(room, changes, words):
    given = {"label": "yes", "source": "letter"} | changes
    with pytest.raises(InputError, match=words):
        room.recourse.tell_outcome("d_before", **given)
    assert room.recourse.outcomes(["d_before"]) == {}


def test_a_complaint_asks_a_supervisor_who_sees_everything(room):
    made = room.recourse.complain("d_after", by="Ann", reason="<b>not</b> my account")
    [ticket] = room.tickets.by_ids([made.ticket_id])

    assert (ticket.kind, ticket.lane, ticket.signatures) == (TicketKind.COMPLAINT, "senior", 1)
    assert ticket.due_at == NOW + timedelta(hours=4)
    assert not ticket.blind
    assert ticket.shown["model_label"] == "yes"
    assert "&lt;b&gt;not&lt;/b&gt; my account" in ticket.shown["said_html"]
    assert [entry["kind"] for entry in room.told()] == ["complaints.made", "tickets.opened"]
    assert room.told()[0]["refs"] == {
        "decision": ["d_after"],
        "complaint": [made.complaint_id],
        "ticket": [made.ticket_id],
    }


def test_the_same_complaint_is_one_record_and_one_ticket(room):
    first = room.recourse.complain("d_after", **WORD, key="k-1")
    assert room.recourse.complain("d_after", **WORD, key="k-1") == first
    second = room.recourse.complain("d_after", **WORD)
    room.now += timedelta(days=100)
    assert room.recourse.complain("d_after", **WORD) == second
    assert room.recourse.complain("d_after", **WORD, key="k-1") == first

    assert room.recourse.book.complaints("d_after") == sorted(
        [first, second], key=lambda one: one.complaint_id
    )
    assert len(room.tickets.waiting()) == 2


def test_a_complaint_is_heard_until_its_window_closes(room):
    room.now = NOW + timedelta(days=10)
    room.recourse.complain("d_after", **WORD)
    room.now += timedelta(microseconds=1)

    with pytest.raises(RefusedError, match="until 2026-03-11 12:00 UTC") as told:
        room.recourse.complain("d_during", **WORD)
    assert told.value.data == {"until": "2026-03-11T12:00:00.000000+00:00"}
    assert room.recourse.book.complaints("d_during") == []


def test_a_key_says_one_thing_for_each_sender(room):
    room.recourse.complain("d_after", **WORD, key="k-1", through="webshop")
    room.recourse.complain("d_after", by="Ann", reason="another", key="k-1", through="app")

    for ask in (
        lambda: room.recourse.complain("d_after", by="Ann", reason="third", key="k-1", through="webshop"),
        lambda: room.recourse.complain("d_during", **WORD, key="k-1", through="webshop"),
        lambda: room.recourse.reverse("d_after", **WORD, key="k-1", through="webshop"),
        lambda: room.recourse.tell_outcome("d_after", "yes", source="s", key="k-1", through="webshop"),
    ):
        with pytest.raises(InputError, match="came before with another request"):
            ask()


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "é"])
def test_keys_that_are_none_are_refused(room, key):
    with pytest.raises(InputError, match="Idempotency-Key"):
        room.recourse.halt("d_during", **WORD, key=key)
