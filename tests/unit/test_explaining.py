"""Tickets are explained before they are put on the desk, and deciding never waits for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hitl_mlops.explaining import explain_waiting
from hitl_mlops.project import Project
from hitl_mlops.review.ticket import Ticket
from tests.freeze_room import some_cases
from tests.review_room import DeskParts, ReviewRoom

POLICY = """\
version: 1
routes:
  auto: {confidence: "> 1"}
  two: {confidence: "<= 1", signatures: 2, blind_second: true}
spot_checks: {auto: 0.01}
"""


@pytest.fixture
def room(tmp_path) -> Iterator[ReviewRoom]:
    made = ReviewRoom(tmp_path, POLICY)
    yield made
    made.close()


def decided(room: ReviewRoom, count: int = 3) -> list[Ticket]:
    room.project.decide(some_cases(0, count))
    return room.project.parts.tickets.unexplained(100)


def test_what_is_decided_is_explained_before_it_is_on_the_desk(room: ReviewRoom) -> None:
    before = decided(room)
    assert len(before) == 3
    assert all("spoke" not in one.shown["why_html"] for one in before)
    room.project.push()
    after = room.project.parts.tickets.by_ids(one.ticket_id for one in before)
    assert all(one.explained and "spoke" in one.shown["why_html"] for one in after)
    assert [set(one.shown) for one in after] == [set(one.shown) for one in before]
    assert room.project.parts.tickets.unexplained(100) == []


def test_explaining_again_changes_nothing(room: ReviewRoom) -> None:
    decided(room)
    assert explain_waiting(room.project.verbs) == 3
    assert explain_waiting(room.project.verbs) == 0


def test_more_than_are_explained_at_once_are_all_explained(room: ReviewRoom) -> None:
    decided(room, 230)
    assert explain_waiting(room.project.verbs) == 230


def test_where_the_model_cannot_be_had_the_ticket_says_so_and_is_pushed(
    room: ReviewRoom,
) -> None:
    asked = decided(room)
    settings = room.project.settings
    without = Project(settings, DeskParts(settings), actor="test")
    assert without.push().pushed == 6
    shown = [one.shown for one in without.parts.tickets.by_ids(one.ticket_id for one in asked)]
    assert all("no explanation" in one["why_html"] for one in shown)
    without.close()


def test_the_blind_sheet_of_an_explained_ticket_tells_nothing_of_it(room: ReviewRoom) -> None:
    decided(room, 1)
    explain_waiting(room.project.verbs)
    [first] = room.project.parts.tickets.waiting()
    assert first.blind
    assert not {"why_html", "similar_html", "model_label"} & first.shown.keys()
