from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from hitl_mlops.callbacks.book_sql import SqlCallbackBook
from hitl_mlops.database.tables import deliveries
from hitl_mlops.errors import ServiceDownError
from hitl_mlops.overrides.reasons import Reason
from hitl_mlops.overrides.record import AnswerState
from hitl_mlops.review.answer import Verdict
from hitl_mlops.review.roster import Roster
from hitl_mlops.review.ticket import TicketKind, TicketState
from hitl_mlops.review.tickets import TicketBook
from tests.collection_room import open_ticket
from tests.recourse_builders import a_callback


def test_an_answer_becomes_an_override_told_in_the_trail(room):
    room.desk.answer(room.ask(), label="2")
    brought = room.collector.collect()
    assert (brought.pulled, brought.new, brought.accepted, brought.overrides) == (1, 1, 1, 1)
    [resolution] = room.book.resolutions()
    assert (resolution.label, resolution.model_label, resolution.reviewers) == ("2", "1", ("r0",))
    assert room.kinds() == ["answers.collected", "resolutions.made"]
    assert room.trail.about(resolution.resolution_id)[0].read()["refs"]["answer"] == list(
        resolution.answer_keys
    )


def test_collecting_again_changes_nothing(room):
    room.desk.answer(room.ask())
    room.collector.collect()
    before, size = room.book.resolutions(), room.trail.size()
    again = room.collector.collect()
    assert (again.pulled, again.new, again.resolved) == (1, 0, ())
    assert (room.book.resolutions(), room.trail.size()) == (before, size)


def test_an_empty_desk_brings_nothing(room):
    assert room.collector.collect().pulled == 0
    assert room.trail.size() == 0


def test_an_edit_withdraws_the_resolution_and_makes_another(room):
    annotation = room.desk.answer(room.ask(), label="2")
    room.collector.collect()
    [old] = room.book.resolutions()
    room.desk.edit(annotation, label="3")
    brought = room.collector.collect()
    assert (brought.withdrawn, brought.superseded, brought.new) == ((old.resolution_id,), 1, 1)
    assert room.labels() == {"d_1": "3"}
    assert room.kinds()[-3:] == ["answers.collected", "resolutions.withdrawn", "resolutions.made"]


def test_an_edit_back_and_forth_never_gives_a_resolution_its_old_name(room):
    task = room.ask()
    first = room.desk.answer(task)
    room.collector.collect()
    second = room.desk.answer(task, "bob@x.org", label="2")
    assert len(room.collector.collect().withdrawn) == 1
    room.desk.delete(second)
    room.collector.collect()
    [resolution], [(withdrawn, _)] = room.book.resolutions(), room.book.withdrawn()
    assert resolution.answer_keys == withdrawn.answer_keys
    assert resolution.resolution_id != withdrawn.resolution_id
    assert first in resolution.answer_keys[0]


def test_a_deleted_answer_takes_its_resolution_along_and_opens_the_ticket_again(room):
    annotation = room.desk.answer(room.ask())
    room.collector.collect()
    tickets = TicketBook(room.database)
    assert tickets.by_ids(["t_1"])[0].state is TicketState.RESOLVED
    room.desk.delete(annotation)
    brought = room.collector.collect()
    assert tickets.by_ids(["t_1"])[0].state is TicketState.OPEN
    assert len(brought.withdrawn) == brought.superseded == 1
    assert room.labels() == {}


def test_a_deleted_task_is_found_by_the_daily_sweep(room):
    task = room.ask()
    room.desk.answer(task)
    room.collector.collect()
    room.desk.delete_task(task)
    assert room.collector.collect().withdrawn == ()
    room.wait(days=1)
    assert len(room.collector.collect().withdrawn) == 1
    assert room.labels() == {}
    assert room.book.watermark("fake:1").swept_at == room.desk.now


def test_a_task_that_comes_back_from_a_backup_counts_again(room):
    task = room.ask()
    room.desk.answer(task)
    room.collector.collect()
    backup = (room.desk.tickets[task], room.desk.changed[task], room.desk.answers[task])
    room.desk.delete_task(task)
    room.collector.sweep()
    room.desk.tickets[task], room.desk.changed[task], room.desk.answers[task] = backup
    assert len(room.collector.sweep().resolved) == 1
    assert room.labels() == {"d_1": "1"}


def test_a_desk_that_dies_in_mid_pull_loses_nothing_and_says_how_far_it_came(room):
    for name in "abcdef":
        room.desk.answer(room.ask(name))
    room.desk.dies_before_page(3)
    with pytest.raises(ServiceDownError, match=r"4 new answers in 2 pages had been kept") as caught:
        room.collector.collect()
    assert "hitl collect" in caught.value.remedy
    assert caught.value.data["collected"].new == 4
    room.desk.before_page = lambda: None
    assert room.collector.collect().new == 2
    assert len(room.labels()) == 6
    assert room.kinds().count("answers.collected") == 3


def test_a_crash_between_rows_and_trail_keeps_neither(room):
    room.desk.answer(room.ask())

    class Broken:
        def append(self, _events):
            raise MemoryError

    whole = room.trail
    room.trail = Broken()
    with pytest.raises(MemoryError):
        room.collector.collect()
    assert room.book.resolutions() == []
    assert room.book.watermark("fake:1").generation == 0
    room.trail = whole
    assert room.collector.collect().new == 1


def test_whoever_wants_to_know_is_told_of_every_change_and_of_none_that_was_rolled_back(room):
    callbacks = SqlCallbackBook(room.database)
    with room.database.transaction() as connection:  # one in memory is shared by a process
        connection.execute(sa.delete(deliveries))
    callbacks.register(a_callback())
    annotation = room.desk.answer(room.ask(), label="2")
    room.desk.answer(room.ask("2"))
    whole, room.trail = room.trail, None
    with pytest.raises(AttributeError):
        room.collector.collect()
    assert callbacks.deliveries() == []
    room.trail = whole
    room.collector.collect()
    room.desk.edit(annotation, label="3")
    room.collector.collect()
    room.desk.delete(annotation)
    room.collector.collect()
    told = callbacks.deliveries()
    assert {one.decision_id for one in told} == {"d_1"}
    assert sorted(one.cause.partition("_")[0] for one in told) == ["gone", "res", "res"]


def test_a_page_that_another_collector_overtook_is_read_again(room):
    task = room.ask()
    annotation = room.desk.answer(task, label="2")
    pages = []

    def other_collects_first():
        if len(pages) < 2:
            pages.append(1)
        if len(pages) == 2:
            pages.append(2)
            room.desk.edit(annotation, label="3")
            assert room.collector.collect().new == 1

    room.desk.before_page = other_collects_first
    room.collector.collect()
    assert room.labels() == {"d_1": "3"}
    assert [one.state for one in room.book.answers_of("fake:1", [str(task)]).values()].count(
        AnswerState.ACCEPTED
    ) == 1


def test_a_stale_page_is_never_laid_over_a_newer_one(room):
    task = room.ask()
    annotation = room.desk.answer(task, label="2")
    slow = room.collector
    changes = room.desk.changes
    taken = []

    def fetched_then_overtaken(since=None):
        for page in changes(since):
            if not taken:
                taken.append(page)
                room.desk.changes = changes
                room.desk.edit(annotation, label="3")
                room.collector.collect()
            yield page

    room.desk.changes = fetched_then_overtaken
    brought = slow.collect()
    assert (brought.new, room.labels()) == (0, {"d_1": "3"})


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_desk_whose_clock_is_off_loses_no_answer(room, hours):
    room.desk.skew = timedelta(hours=hours)
    annotation = room.desk.answer(room.ask("a"), answered_at=room.desk.now)
    room.collector.collect()
    room.desk.skew = timedelta()
    room.wait(minutes=3)
    room.desk.answer(room.ask("b"))
    room.desk.edit(annotation, label="3")
    room.wait(hours=3)
    room.collector.collect()
    assert room.labels() == {"d_a": "3", "d_b": "1"}


def test_a_desk_whose_clock_was_set_far_back_is_healed_by_the_sweep(room):
    room.desk.answer(room.ask("a"))
    room.collector.collect()
    room.desk.skew = timedelta(hours=-3)
    room.desk.answer(room.ask("b"))
    assert room.collector.collect().new == 0
    room.wait(days=1)
    assert room.collector.collect().new == 1


def test_a_repeated_revision_with_other_content_waits_for_a_person(room):
    annotation = room.desk.answer(room.ask(), label="2")
    room.collector.collect()
    room.desk.edit(annotation, in_secret=True, label="3")
    [refused] = room.collector.collect().quarantined
    assert refused.reasons == (Reason.OTHER_CONTENT,)
    assert room.labels() == {"d_1": "2"}
    assert room.collector.collect().new == 0


def test_refused_answers_are_kept_with_all_their_reasons(room):
    room.desk.answer(room.ask(), "eve@x.org", label="9", rationale="", seconds=None, edited_by="ann@x.org")
    [refused] = room.collector.collect().quarantined
    assert set(refused.reasons) == {
        Reason.UNKNOWN_REVIEWER,
        Reason.EDITED_BY_ANOTHER,
        Reason.UNKNOWN_CLASS,
        Reason.NO_RATIONALE,
        Reason.NO_TIME,
    }
    assert [one.reasons for one in room.book.quarantined()] == [refused.reasons]
    assert room.kinds() == ["answers.collected", "answers.quarantined"]


def test_what_a_strange_task_calls_its_ticket_never_enters_the_trail(room):
    room.desk.answer(room.desk.add_task("Jane Doe, born 1970"))
    assert room.collector.collect().quarantined[0].reasons == (Reason.UNKNOWN_TICKET,)
    assert not any(b"Jane" in entry.body or b"@" in entry.body for entry in room.trail.entries())


def test_no_account_enters_the_trail_when_there_is_no_roster(room):
    room.roster = Roster()
    room.desk.answer(room.ask())
    assert room.collector.collect().resolved[0].reviewers == ("u1",)
    assert not any(b"@" in entry.body for entry in room.trail.entries())


def test_text_that_no_database_can_hold_does_not_stop_collection(room):
    room.desk.answer(room.ask(), label="\ud800\x00" * 300, rationale="\x00\ud800")
    assert room.collector.collect().quarantined[0].reasons == (Reason.UNKNOWN_CLASS, Reason.NO_RATIONALE)
    assert room.collector.collect().new == 0


def test_two_who_differ_wait_for_a_third(room):
    task = room.ask(signatures=2)
    room.desk.answer(task, "ann@x.org", label="1")
    assert room.collector.collect().disagreements == ()
    room.desk.answer(task, "bob@x.org", label="2")
    assert room.collector.collect().disagreements == ("t_1",)
    room.desk.answer(task, "cid@x.org", label="2")
    brought = room.collector.collect()
    assert (brought.disagreements, brought.resolved[0].method, brought.resolved[0].reviewers) == (
        (),
        "majority",
        ("r1", "r2"),
    )


def test_a_second_answer_counts_once_the_first_is_gone(room):
    task = room.ask()
    first = room.desk.answer(task, label="2")
    room.desk.answer(task, label="3")
    assert room.collector.collect().quarantined[0].reasons == (Reason.ALREADY_ANSWERED,)
    room.desk.delete(first)
    room.collector.collect()
    assert room.labels() == {"d_1": "3"}


def test_an_accepted_answer_stays_when_its_reviewer_leaves(room):
    task = room.ask(signatures=2)
    room.desk.answer(task)
    room.collector.collect()
    room.roster = Roster(room.roster.people[1:])
    room.desk.answer(task, "bob@x.org")
    assert room.collector.collect().resolved[0].reviewers == ("r0", "r1")


def test_skipped_answers_are_kept_but_resolve_nothing(room):
    room.desk.answer(room.ask(), label=None, rationale="", skipped=True)
    brought = room.collector.collect()
    assert (brought.accepted, brought.quarantined, brought.resolved) == (1, (), ())


def test_an_escalation_waits_for_an_adjudicator_whose_word_then_counts(room):
    room.desk.answer(room.ask("1"), label=None, verdict=Verdict.ESCALATE)
    assert room.collector.collect().ties == ("t_1",)
    open_ticket(room.database, "t_adj", "d_1", 1, TicketKind.ADJUDICATION)
    room.desk.answer(room.desk.add_task("t_adj"), "dan@x.org", label="3")
    room.collector.collect()
    assert room.book.resolution_of("d_1").method == "adjudicated"


def test_resolutions_are_listed_by_kind_and_time(room):
    room.desk.answer(room.ask("a"))
    room.collector.collect()
    room.wait(hours=1)
    later = room.desk.now
    room.desk.answer(room.ask("b", kind=TicketKind.SPOT_CHECK))
    room.collector.collect()
    assert [one.decision_id for one in room.book.resolutions(kinds=["spot_check"])] == ["d_b"]
    assert [one.decision_id for one in room.book.resolutions(since=later)] == ["d_b"]
    assert room.book.resolutions(kinds=[]) == []
    assert room.book.resolution_of("d_nobody") is None
