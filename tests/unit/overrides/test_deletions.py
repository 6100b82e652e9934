"""A sweep does not take most of the overrides back unasked."""

from __future__ import annotations

import pytest

from hitl_mlops.errors import RefusedError
from tests.collection_room import Room


@pytest.fixture
def answered(room: Room) -> list[int]:
    """Twelve tasks, each answered and resolved."""
    tasks = [room.ask(str(number)) for number in range(12)]
    for task in tasks:
        room.desk.answer(task)
    room.collector.collect()
    assert len(room.labels()) == 12
    return tasks


def test_an_emptied_desk_is_refused_and_nothing_changes(room, answered):
    for task in answered:
        room.desk.delete_task(task)
    with pytest.raises(RefusedError, match="12 of 12 resolutions") as refused:
        room.collector.sweep()
    assert "--accept-deletions" in refused.value.remedy
    assert len(room.labels()) == 12


def test_a_desk_restored_without_its_answers_is_refused_before_the_first_page(room, answered):
    for held in room.desk.answers.values():
        held.clear()
    entries = len(room.kinds())
    with pytest.raises(RefusedError):
        room.collector.sweep()
    assert len(room.kinds()) == entries


def test_a_collection_that_is_due_to_sweep_is_refused_too(room, answered):
    for task in answered:
        room.desk.delete_task(task)
    room.wait(days=2)
    with pytest.raises(RefusedError):
        room.collector.collect()


def test_deletions_that_a_person_accepts_are_taken_over(room, answered):
    for task in answered:
        room.desk.delete_task(task)
    assert len(room.collector.sweep(accept_deletions=True).withdrawn) == 12
    assert room.labels() == {}


def test_a_few_deletions_need_no_word(room, answered):
    for task in answered[:10]:
        room.desk.delete_task(task)
    assert len(room.collector.sweep().withdrawn) == 10


def test_many_edits_are_no_deletions(room, answered):
    for task in answered:
        [annotation] = room.desk.answers[task]
        room.desk.edit(annotation, label="2")
    assert len(room.collector.sweep().resolved) == 12
