"""What oversight keeps and reads, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import metadata
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.overrides.decide import Settled, Step
from hitl_mlops.overrides.record import AnswerState, KeptAnswer, Method, Resolution
from hitl_mlops.oversight.answered import AnsweredQuestions
from hitl_mlops.oversight.book import ExerciseBook
from hitl_mlops.oversight.notice_book import NoticeBook
from hitl_mlops.oversight.notices import Closing, GuidelineIssue, Suspicion
from hitl_mlops.recourse.book_sql import SqlRecourseBook
from hitl_mlops.review.answer import Answer, Verdict
from hitl_mlops.review.open import Shown
from hitl_mlops.review.ticket import Ticket, TicketKind, TicketState
from hitl_mlops.review.tickets import TicketBook
from tests.builders import NOW
from tests.oversight_builders import a_waiting, an_exercise
from tests.recourse_builders import an_outcome

SHOWN = Shown(Task("p", InputKind.TABLE, ("x",), ("yes", "no")))
EARLY, LATER = NOW - timedelta(days=100), NOW + timedelta(days=1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def database(request):
    url = "sqlite://" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    database = Database(url)
    database.create()
    with database.transaction() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(sa.delete(table))
    yield database
    database.close()


def an_answer(ticket: str, person: str = "r1", **changes):
    account = f"{person}@X.org"
    answer = Answer(
        desk="desk", annotation_id=f"{ticket}-{person}", revision="1", task_id=ticket, ticket_id=ticket,
        reviewer=account, edited_by=account, label="yes", verdict=Verdict.ACCEPT, rationale="so it is",
        reason_code=None, seconds=5.0, answered_at=NOW, skipped=False, payload_hash="0" * 64,
    )  # fmt: skip
    plain = {"state": AnswerState.ACCEPTED, "reasons": (), "person": person, "collected_at": NOW}
    own = {name: changes.pop(name) for name in list(changes) if name in plain}
    answer = replace(answer, **changes)
    return KeptAnswer(answer.key, answer, **{**plain, **own})


def a_resolution(decision: str, method: Method, at: datetime = NOW) -> Resolution:
    return Resolution(
        f"res_{decision}", decision, f"t_{decision}", "review", "yes", "no", method, ("k1", "k2"),
        ("r1", "r2"), (None, None), at,
    )  # fmt: skip


def ticket(name: str, kind: TicketKind = TicketKind.REVIEW, **changes) -> Ticket:
    made = a_waiting(SHOWN, name)
    return replace(made, ticket_id=f"t_{name}", decision_id=f"d_{name}", kind=kind, **changes)


def write(database, *answers, made=()):
    AnswerBook(database).write(Step(0, new=answers, settled=Settled(made=tuple(made))), NOW)


def test_exercises_come_back_as_they_were_kept(database):
    book = ExerciseBook(database)
    kept = [
        an_exercise("t_1", opened_at=EARLY),
        an_exercise("t_2", kind=TicketKind.CALIBRATION, meant_for="r1"),
    ]
    book.keep(kept)
    book.keep([])
    assert book.all() == kept
    assert book.all(NOW) == kept[1:]
    assert book.of(["t_2", "t_9"]) == {"t_2": kept[1]}


def test_only_trusted_methods_and_the_last_word_of_an_outcome_are_read(database):
    book = ExerciseBook(database)
    made = [a_resolution(f"d_{one}", one) for one in (Method.SINGLE, Method.MAJORITY, Method.UNANIMOUS)]
    made.append(a_resolution("d_late", Method.ADJUDICATED, LATER))
    write(database, made=made)
    assert [one.decision_id for one in book.trusted()] == ["d_late", "d_unanimous"]
    assert [one.decision_id for one in book.trusted(1)] == ["d_late"]
    recourse = SqlRecourseBook(database)
    recourse.tell(an_outcome(decision_id="d_1", label="yes"))
    recourse.tell(an_outcome(decision_id="d_1", label="no", revision=2))
    assert book.outcomes() == {"d_1": "no"}


def test_who_saw_a_case_and_what_is_still_asked_is_known(database):
    book, tickets = ExerciseBook(database), TicketBook(database)
    tickets.open([ticket("a"), ticket("b"), ticket("s", TicketKind.SEED)])
    write(database, an_answer("t_a"), an_answer("t_a", "r2"), an_answer("t_s"))
    assert book.seen(["d_a", "d_b", "d_s"]) == {"d_a": {"r1", "r2"}, "d_s": {"r1"}}
    tickets.mark_resolved(["t_a"])
    assert book.still_asked(["d_a", "d_b", "d_s"]) == {"d_b"}


def test_seeds_stand_beside_ordinary_tickets_that_wait(database):
    tickets = TicketBook(database)
    tickets.open(
        [
            ticket("a"),
            ticket("spot", TicketKind.SPOT_CHECK),
            ticket("seed", TicketKind.SEED),
            ticket("two", signatures=2),
            ticket("blind", blind=True),
            ticket("own", meant_for="r1"),
            ticket("done"),
        ]
    )
    tickets.mark_resolved(["t_done"])
    assert ExerciseBook(database).beside_which() == ["t_a", "t_spot"]


def test_exercises_with_an_answer_that_counts_are_answered(database):
    book, tickets = ExerciseBook(database), TicketBook(database)
    names = ("ok", "skipped", "refused", "none")
    tickets.open([ticket(name, TicketKind.SEED) for name in names] + [ticket("real")])
    write(
        database,
        an_answer("t_ok"),
        an_answer("t_skipped", skipped=True),
        an_answer("t_refused", state=AnswerState.QUARANTINED),
        an_answer("t_real"),
    )
    assert book.answered() == ["t_ok"]
    tickets.mark_resolved(book.answered())
    assert book.answered() == []
    assert tickets.by_ids(["t_ok"])[0].state is TicketState.RESOLVED


def test_old_answers_count_to_exercises_alone_and_tell_what_was_shown(database):
    questions = AnsweredQuestions(database)
    TicketBook(database).open(
        [ticket("s", TicketKind.SEED), ticket("a"), ticket("b"), ticket("blind", blind=True)]
    )
    write(
        database,
        an_answer("t_s", collected_at=EARLY),
        an_answer("t_a", collected_at=EARLY),
        an_answer("t_b", label=None, verdict=Verdict.REJECT),
        an_answer("t_b", "r2", verdict=None),
        an_answer("t_blind", verdict=None, collected_at=LATER),
    )
    [seed] = questions.to_exercises()
    assert (seed.ticket_id, seed.shown, seed.account) == ("t_s", "yes", "r1@x.org")
    found = questions.in_earnest(NOW)
    assert [(one.ticket_id, one.person, one.shown, one.escalated) for one in found] == [
        ("t_b", "r1", None, True),
        ("t_b", "r2", None, False),
        ("t_blind", "r1", None, False),
    ]
    assert [one.ticket_id for one in questions.in_earnest(NOW, 1)] == ["t_blind"]


def test_refused_answers_are_counted_by_account(database):
    TicketBook(database).open([ticket("a"), ticket("b")])
    write(
        database,
        replace(an_answer("t_a", state=AnswerState.QUARANTINED), person=None),
        replace(an_answer("t_b", state=AnswerState.DROPPED), person=None),
        an_answer("t_a", "r2"),
    )
    assert AnsweredQuestions(database).refused(NOW) == {"r1@x.org": 2}
    assert AnsweredQuestions(database).refused(LATER) == {}


def test_notices_are_kept_and_closed_once(database):
    book, word = NoticeBook(database), Closing("lead", "talked", LATER)
    suspicion = Suspicion("sus_1", "r1", NOW, 6, 1, 120.5)
    issue = GuidelineIssue("issue_1", "yes", 0.2, 0.1, 0.3, 25, ("d_1", "d_2"), NOW)
    book.keep([suspicion], [issue])
    assert (book.suspicions(), book.issues()) == ([suspicion], [issue])
    assert book.close_suspicion("sus_1", word)
    assert book.close_issue("issue_1", word)
    assert not book.close_suspicion("sus_1", replace(word, by="other"))
    assert not book.close_issue("issue_9", word)
    assert book.suspicions() == [replace(suspicion, closed=word)]
    assert book.issues() == [replace(issue, closed=word)]
