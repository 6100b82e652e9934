"""Tickets are opened once, pushed once, and counted right; nothing is lost when the desk is down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from hitl_mlops.audit.entry import Kind
from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import intents
from hitl_mlops.decisions.record import Decision, ShadowPrediction
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import ServiceDownError
from hitl_mlops.review.desk_in_memory import InMemoryDesk
from hitl_mlops.review.open import Deadlines, Shown, open_tickets, tickets_for
from hitl_mlops.review.push import push_tickets
from hitl_mlops.review.ticket import Ticket, TicketKind, TicketState
from hitl_mlops.review.tickets import TicketBook
from tests.builders import NOW, a_case, a_decision

SHOWN = Shown(Task("p", InputKind.TABLE, ("x",), ("yes", "no")))
DEADLINES = Deadlines({"senior": 4.0})


class Killed(BaseException):
    """What stands for a kill -9."""


class FallingDesk(InMemoryDesk):
    """A desk that stores a push and then fails before it can say so."""

    failure: BaseException | None = None

    def push(self, tickets: Sequence[Ticket]) -> dict[str, str]:
        tasks = super().push(tickets)
        if self.failure is not None:
            raise self.failure
        return tasks


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    url = "sqlite://" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    database = Database(url)
    database.create()
    with database.transaction() as connection:
        for name in ("tickets", "intents"):
            connection.execute(sa.text(f"DELETE FROM {name}"))
    yield database
    database.close()


@pytest.fixture
def book(database: Database) -> TicketBook:
    return TicketBook(database)


def decided(number: int, **changes: object) -> Decision:
    return a_decision(case_id=f"case-{number}", **changes)


def shadow(decision: Decision, label: str) -> ShadowPrediction:
    return ShadowPrediction(decision.decision_id, "2", "sha256:2", label, 0.7)


def wanted(decisions: list[Decision], shadows: Sequence[ShadowPrediction] = (), **changes: object):
    cases = {one.case_id: a_case(case_id=one.case_id) for one in decisions}
    return tickets_for(decisions, shadows, cases, SHOWN, DEADLINES, now=NOW, **changes)


def put(
    book: TicketBook, database: Database, trail: InMemoryTrail, decisions: list[Decision]
) -> list[Ticket]:
    cases = [a_case(case_id=one.case_id) for one in decisions]
    return open_tickets(
        decisions, [], cases,
        book=book, trail=trail, database=database, shown=SHOWN, deadlines=DEADLINES, now=NOW, actor="cli",
    )  # fmt: skip


def test_each_decision_gets_the_ticket_it_needs() -> None:
    auto = {"route": "auto", "signatures": 0}
    decisions = [
        decided(0, route="senior", signatures=2),
        decided(1, route="auto", spot_check=True),
        decided(2, **auto),
        decided(3, **auto),
        decided(4, **auto),
    ]
    shadows = [shadow(decisions[2], "no"), shadow(decisions[3], "yes"), shadow(decisions[0], "no")]
    found = wanted(decisions, shadows)
    assert [(one.kind, one.lane, one.signatures, one.blind) for one in found] == [
        (TicketKind.REVIEW, "senior", 2, False),
        (TicketKind.SPOT_CHECK, "standard", 1, False),
        (TicketKind.SHADOW, "standard", 1, True),
    ]
    assert found[0].due_at == NOW + timedelta(hours=4)
    assert found[2].due_at == NOW + timedelta(hours=24)


def test_a_decision_asked_about_already_gets_no_shadow_ticket() -> None:
    decision = decided(0, route="auto", signatures=0)
    assert wanted([decision], [shadow(decision, "no")], asked={decision.decision_id}) == []


def test_opening_twice_opens_once(book, database) -> None:
    trail, decisions = InMemoryTrail(), [decided(number) for number in range(3)]
    assert len(put(book, database, trail, decisions)) == 3
    assert put(book, database, trail, decisions) == []
    [entry] = trail.entries()
    body = entry.read()
    assert body["kind"] == Kind.TICKETS_OPENED
    assert body["facts"] == {"kinds": {"review": 3}, "lanes": {"standard": 3}}
    assert "case-" not in str(body).replace("d_case-", "")


def test_tickets_and_their_entry_are_kept_together(book, database) -> None:
    class Refusing(InMemoryTrail):
        def append(self, _events):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        put(book, database, Refusing(), [decided(0)])
    assert book.waiting() == []


def test_a_ticket_comes_back_as_it_was_opened(book) -> None:
    tickets = wanted([decided(0)])
    book.open(tickets)
    assert book.waiting() == tickets == book.by_ids([tickets[0].ticket_id, "t_unknown"])


def test_pushing_puts_every_waiting_ticket_on_the_desk(book, database) -> None:
    trail, desk = InMemoryTrail(), InMemoryDesk()
    put(book, database, trail, [decided(number) for number in range(1200)])
    assert push_tickets(book, desk, trail, database, now=NOW, actor="cli").pushed == 1200
    assert push_tickets(book, desk, trail, database, now=NOW, actor="cli").pushed == 0
    assert len(desk.task_ids()) == 1200
    assert [entry.read()["facts"]["tickets"] for entry in trail.entries(1)] == [500, 500, 200]
    assert book.waiting() == []


@pytest.mark.parametrize("failure", [Killed(), ServiceDownError("The desk is down.")])
def test_a_push_cut_off_before_it_was_marked_is_found_again(book, database, failure) -> None:
    trail, desk = InMemoryTrail(), FallingDesk()
    put(book, database, trail, [decided(number) for number in range(5)])
    desk.failure = failure
    with pytest.raises(type(failure)):
        push_tickets(book, desk, trail, database, now=NOW, actor="cli")
    assert len(book.waiting()) == 5
    with database.transaction() as connection:
        assert connection.execute(sa.select(intents.c.closed_at)).scalar_one() is None
    desk.failure = None
    assert push_tickets(book, desk, trail, database, now=NOW, actor="cli").pushed == 5
    assert len(desk.task_ids()) == 5
    with database.transaction() as connection:
        assert connection.execute(sa.select(intents.c.closed_at)).scalar_one() is not None


def test_states_move_forward_only_where_they_may(book) -> None:
    tickets = wanted([decided(number) for number in range(3)])
    first, second, third = (ticket.ticket_id for ticket in tickets)
    book.open(tickets)
    assert book.mark_pushed({first: "1", second: "2", third: "3", "t_unknown": "9"}) == 3
    assert book.mark_pushed({first: "7"}) == 0
    book.mark_resolved([first])
    book.mark_withdrawn([first, second])
    book.reopen([second])
    states = {
        ticket.ticket_id: (ticket.state, ticket.task_id) for ticket in book.by_ids([first, second, third])
    }
    assert states[first] == (TicketState.RESOLVED, "1")
    assert states[second] == (TicketState.WITHDRAWN, "2")
    assert states[third] == (TicketState.OPEN, "3")
    book.reopen([first])
    assert book.by_ids([first])[0].state is TicketState.OPEN


def test_the_queue_is_told_by_lane(book) -> None:
    tickets = wanted([decided(0, route="senior"), decided(1), decided(2), decided(3)])
    book.open(tickets)
    book.mark_pushed({tickets[1].ticket_id: "1"})
    book.mark_resolved([tickets[3].ticket_id])
    status = book.status(NOW + timedelta(hours=5), quarantined=2)
    told = [(lane.lane, lane.waiting, lane.open, lane.late, lane.oldest) for lane in status.lanes]
    assert told == [("senior", 1, 0, 1, NOW), ("standard", 1, 1, 0, NOW)]
    assert status.quarantined == 2
    assert [one.lane for one in book.overdue(NOW + timedelta(hours=5))] == ["senior"]
    assert book.counts()["standard", TicketKind.REVIEW, TicketState.RESOLVED] == 1


def test_what_is_awaited_counts_a_signature_each_and_nothing_that_is_closed(book) -> None:
    tickets = wanted([decided(0), decided(1, signatures=2), decided(2)])
    book.open(tickets)
    book.mark_resolved([tickets[2].ticket_id])
    assert book.answers_awaited() == 3


def test_what_was_asked_since_a_time_is_told_by_decision(book) -> None:
    tickets = wanted([decided(0), decided(1)])
    book.open(tickets)
    assert book.asked_since(NOW) == {one.decision_id for one in tickets}
    assert book.asked_since(NOW + timedelta(microseconds=1)) == frozenset()


def test_an_empty_book_has_an_empty_queue(book) -> None:
    assert book.answers_awaited() == 0
    assert book.status(NOW).lanes == ()
    assert book.waiting() == book.overdue(NOW) == []
    assert book.asked_about([]) == frozenset()
