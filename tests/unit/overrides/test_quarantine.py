from __future__ import annotations

import pytest

from hitl_mlops.errors import InputError, NotFoundError, RefusedError
from hitl_mlops.overrides.quarantine import Ruling
from hitl_mlops.overrides.record import AnswerState
from hitl_mlops.review.roster import Person, Roster
from tests.fake_desk import START

BY_DAN = Ruling("r3", "I asked her: she had it on paper", START)


def _refused(room, **changes):
    room.desk.answer(room.ask(), label="2", **{"seconds": None, **changes})
    room.collector.collect()
    [one] = room.quarantine.waiting()
    return one.key


def test_a_released_answer_resolves_its_ticket_and_the_trail_names_who_let_it_in(room):
    key = _refused(room)
    [resolution] = room.quarantine.release(key, BY_DAN).made
    assert (resolution.label, resolution.reviewers) == ("2", ("r0",))
    assert room.labels() == {"d_1": "2"}
    assert room.quarantine.waiting() == []
    told = [entry.read() for entry in room.trail.about(key)]
    assert [one["kind"] for one in told][-2:] == ["answers.released", "resolutions.made"]
    assert told[-2]["actor"] == "r3"
    assert not any(b"on paper" in entry.body for entry in room.trail.entries())
    kept = room.book.answer(key)
    assert (kept.ruled_by, kept.ruling, bool(kept.reasons)) == ("r3", BY_DAN.reason, True)


def test_releasing_again_does_nothing(room):
    key = _refused(room)
    room.quarantine.release(key, BY_DAN)
    size = room.trail.size()
    assert room.quarantine.release(key, BY_DAN).made == ()
    assert room.trail.size() == size


def test_a_ruling_outlives_later_collections_of_the_same_task(room):
    key = _refused(room)
    room.quarantine.release(key, BY_DAN)
    room.desk.answer(int(room.book.answer(key).answer.task_id), "bob@x.org", label="2")
    room.collector.collect()
    assert room.book.resolutions()[0].reviewers == ("r0", "r1")


def test_a_dropped_answer_never_comes_back(room):
    key = _refused(room)
    room.quarantine.drop(key, BY_DAN)
    room.quarantine.drop(key, BY_DAN)
    room.collector.sweep()
    assert room.quarantine.waiting() == []
    assert room.book.answer(key).state is AnswerState.DROPPED
    assert room.kinds().count("answers.dropped") == 1


def test_an_edit_of_a_released_answer_is_screened_like_any_other(room):
    key = _refused(room)
    room.quarantine.release(key, BY_DAN)
    room.desk.edit(room.book.answer(key).answer.annotation_id, label="3")
    brought = room.collector.collect()
    assert len(brought.quarantined) == len(brought.withdrawn) == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"label": "9"}, "the class is not one"),
        ({"label": None}, "no class was chosen"),
        ({"account": "eve@x.org"}, "not on the roster"),
    ],
)
def test_nothing_is_released_that_has_no_class_or_person_to_count_for(room, changes, why):
    task = room.ask()
    room.desk.answer(task, **changes)
    room.collector.collect()
    with pytest.raises(RefusedError, match=why):
        room.quarantine.release(room.quarantine.waiting()[0].key, BY_DAN)
    assert room.labels() == {}


def test_an_answer_of_someone_added_to_the_roster_can_be_released(room):
    room.desk.answer(room.ask(), "eve@x.org", label="2")
    room.collector.collect()
    room.roster = Roster((*room.roster.people, Person("r9", "Eve@X.org")))
    [resolution] = room.quarantine.release(room.quarantine.waiting()[0].key, BY_DAN).made
    assert resolution.reviewers == ("r9",)


def test_a_second_answer_of_the_same_person_is_not_released(room):
    task = room.ask()
    room.desk.answer(task, label="1")
    room.desk.answer(task, label="2")
    room.collector.collect()
    with pytest.raises(RefusedError, match="answered this ticket already"):
        room.quarantine.release(room.quarantine.waiting()[0].key, BY_DAN)


def test_other_content_under_one_revision_replaces_the_first_when_released(room):
    annotation = room.desk.answer(room.ask(), label="2")
    room.collector.collect()
    room.desk.edit(annotation, in_secret=True, label="3")
    room.collector.collect()
    [one] = room.quarantine.waiting()
    settled = room.quarantine.release(one.key, BY_DAN)
    assert (len(settled.withdrawn), len(settled.made)) == (1, 1)
    assert room.labels() == {"d_1": "3"}
    room.collector.sweep()
    assert room.labels() == {"d_1": "3"}


def test_nobody_rules_on_an_own_answer(room):
    with pytest.raises(RefusedError, match="r0 gave the answer"):
        room.quarantine.release(_refused(room), Ruling("r0", "trust me", START))


@pytest.mark.parametrize("ruling", [Ruling("", "why", START), Ruling("r3", " ", START)])
def test_a_ruling_needs_a_person_and_a_reason(room, ruling):
    with pytest.raises(InputError, match="a person and a reason"):
        room.quarantine.drop(_refused(room), ruling)


def test_what_does_not_wait_cannot_be_ruled_on(room):
    with pytest.raises(NotFoundError):
        room.quarantine.drop("fake:1/77/x", BY_DAN)
    room.desk.answer(room.ask())
    room.collector.collect()
    [key] = room.book.resolutions()[0].answer_keys
    with pytest.raises(RefusedError, match="not in quarantine"):
        room.quarantine.drop(key, BY_DAN)
