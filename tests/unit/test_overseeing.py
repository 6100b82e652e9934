"""A project that looks at how people judge: who stamps is found, and exercises move nothing else."""

from __future__ import annotations

import json
import stat
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.errors import InputError, NotFoundError
from hitl_mlops.explaining import explain_waiting
from hitl_mlops.review.desk_label_studio import _as_task
from hitl_mlops.review.ticket import EXERCISES, TicketKind, TicketState
from tests.loop_room import Loop
from tests.oversight_room import OVERSEEN, Room, a_room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Sixty past cases whose outcome is known."""
    made = a_room(tmp_path)
    past = made.decide(60)
    made.project.parts.tickets.mark_withdrawn([one.ticket_id for one in made.project.parts.tickets.waiting()])
    made.tell_outcomes(past)
    made.forward(timedelta(days=1))
    return made


def kinds(room: Room) -> Counter[str]:
    return Counter(one.read()["kind"] for one in room.project.parts.trail.entries())


def exercises(room: Room):
    return [one for one in room.open_tickets() if one.kind in EXERCISES]


def test_who_stamps_is_found_and_who_checks_is_not(room):
    for _ in range(3):
        room.round(40, stamps=("r2",))
    team = room.project.reviewing.overseeing.team()
    assert [one.person for one in team.suspicions] == ["r2"]
    assert not team.people["r1"].seeds.suspected
    assert team.people["r1"].seeds.caught.value == 1.0
    assert team.people["r2"].seeds.caught.value == 0.0
    assert kinds(room)[Kind.REVIEWER_SUSPECTED] == 1


def test_a_suspicion_is_closed_by_another_with_a_reason_and_begins_anew(room):
    for _ in range(2):
        room.round(40, stamps=("r2",))
    overseeing = room.project.reviewing.overseeing
    for by, reason in (("ann@x.org", " "), ("bob@x.org", "I am fine")):
        with pytest.raises(InputError):
            overseeing.clear("r2", by=by, reason=reason)
    overseeing.clear("r2", by="ann@x.org", reason="talked")
    with pytest.raises(NotFoundError):
        overseeing.clear("r2", by="ann@x.org", reason="talked")
    assert overseeing.team().suspicions == ()
    assert overseeing.team().people["r2"].seeds.seen == 0
    assert overseeing.look().suspicions == ()
    assert kinds(room)[Kind.REVIEWER_CLEARED] == 1


def test_a_page_holds_no_trace_of_what_it_is(room):
    room.decide(60)
    room.project.push()
    fields = frozenset(one for ticket in room.open_tickets() for one in ticket.shown)
    tasks = {one.ticket_id: _as_task(one, fields)["data"] for one in room.open_tickets()}
    hidden = {one.ticket_id: one for one in room.project.parts.exercises.all()}
    seeds = [one for one in room.open_tickets() if one.kind is TicketKind.SEED]
    real = [one for one in room.open_tickets() if one.kind is TicketKind.REVIEW]
    assert len(seeds) > 5
    log = room.project.parts.log
    for one in seeds:
        page = tasks[one.ticket_id]
        assert page.keys() == tasks[real[0].ticket_id].keys()
        assert page["provenance_html"] in {tasks[each.ticket_id]["provenance_html"] for each in real}
        assert (page["lane"], page["due"]) in {
            (tasks[t.ticket_id]["lane"], tasks[t.ticket_id]["due"]) for t in real
        }
        assert page["model_label"] != hidden[one.ticket_id].truth
        assert log.get(one.decision_id).case_id not in json.dumps(page)
        assert not log.decided([page["case_id"]])
        assert TicketKind.SEED not in json.dumps(page)
        assert "no explanation" not in page["why_html"]


def test_a_push_that_is_repeated_opens_the_same_seeds(room):
    room.decide(60)
    explain_waiting(room.project.verbs)
    overseeing = room.project.reviewing.overseeing
    assert overseeing.open_exercises() > 5
    opened = room.project.parts.exercises.all()
    assert overseeing.open_exercises() == 0
    assert room.project.parts.exercises.all() == opened
    assert kinds(room)[Kind.EXERCISES_OPENED] == 1


def test_the_trail_tells_that_there_were_exercises_and_nothing_of_their_truth(room):
    room.decide(60)
    room.project.push()
    [entry] = [
        one.read()
        for one in room.project.parts.trail.entries()
        if one.read()["kind"] == Kind.EXERCISES_OPENED
    ]
    assert set(entry["facts"]) == {"kinds", "digest"}
    assert room.project.verify_trail().sound


def test_answered_exercises_close_and_move_nothing_else(room):
    room.decide(60)
    room.project.push()
    parts = room.project.parts
    before = _world(room)
    asked = exercises(room)
    assert {one.kind for one in asked} >= {TicketKind.SEED}
    for place, one in enumerate(asked):
        person = one.meant_for or ("r1", "r2")[place % 2]
        label = "no" if room.truth(one.decision_id) == "yes" else "yes"
        room.answer(one, person, label)
    collected = room.project.collect()
    assert (collected.accepted, len(collected.resolved)) == (len(asked), 0)
    assert {one.state for one in parts.tickets.by_ids(one.ticket_id for one in asked)} == {
        TicketState.RESOLVED
    }
    assert len(parts.answers.accepted_for([one.ticket_id for one in asked])) == len(asked)
    assert _world(room) == before


def _world(room: Room) -> dict[str, object]:
    """All that answers in earnest move."""
    project, parts = room.project, room.project.parts
    past = {one.decision_id for one in parts.exercises.all()}
    return {
        "resolutions": parts.answers.resolutions(),
        "dataset": project.build_dataset().digest,
        "figures": replace(project.figures(), reviewing=None),  # their time is people's time
        "answers": parts.answers.answers_since(room.now() - timedelta(days=9)),
        "standing": [project.recourse.standing(name).state for name in sorted(past)],
        "breakers": project.look_at_breakers(),
        "flagged": parts.answers.flagged("wrong_class"),
        "deliveries": parts.callbacks.deliveries(),
    }


def test_nobody_counts_as_asked_by_an_exercise_and_none_is_late(room):
    parts, later = room.project.parts, room.now() + timedelta(days=30)
    room.decide(1)
    [ticket] = parts.tickets.waiting()
    parts.tickets.mark_withdrawn([ticket.ticket_id])
    for kind in EXERCISES:
        new = replace(ticket, ticket_id=f"t_{kind}", decision_id="d_other", kind=kind)
        parts.tickets.open([new])
    assert parts.tickets.asked_about(["d_other", ticket.decision_id]) == {ticket.decision_id}
    assert parts.tickets.overdue(later) == []
    assert parts.tickets.late_since(ticket.opened_at, later) == (0, 1)


def test_where_nothing_is_known_for_sure_the_page_says_what_is_missing(tmp_path):
    bare = a_room(tmp_path)
    bare.round(20, stamps=("r1", "r2"))
    assert bare.project.parts.exercises.all() == []
    said = Loop(bare.project.settings.folder).done("oversight")
    assert "report outcomes" in said["people"][0]["do_next"]


def test_without_the_sections_nothing_is_asked_and_nothing_is_noticed(tmp_path):
    quiet = a_room(tmp_path, OVERSEEN.partition("review:")[0])
    quiet.tell_outcomes(quiet.decide(30))
    quiet.round(30, stamps=("r1", "r2"))
    assert quiet.project.parts.exercises.all() == []
    assert quiet.project.reviewing.overseeing.team().suspicions == ()


def test_an_exercise_that_nobody_answers_is_offered_no_more_a_week_after_its_deadline(room):
    room.decide(60)
    room.project.push()
    asked = {one.ticket_id for one in exercises(room)}
    room.forward(timedelta(days=7))
    room.project.push()
    assert asked <= {one.ticket_id for one in exercises(room)}
    room.forward(timedelta(days=2))
    room.project.push()
    desk = room.project.parts.desk
    assert asked == {name for task, name in desk.task_ids().items() if task in desk.closed} & asked
    assert not asked & {one.ticket_id for one in room.open_tickets()}
    assert kinds(room)[Kind.EXERCISES_CLOSED] == 1
    assert room.project.parts.tickets.by_ids(asked)[0].state is TicketState.WITHDRAWN


def test_where_tickets_are_handed_out_an_exercise_is_meant_for_one_and_else_for_whoever_finds_it(tmp_path):
    for claims, meant in (("", {None}), ("  claims: {for: 2h}\n", {"r1", "r2"})):
        room = a_room(tmp_path / f"p{len(claims)}", OVERSEEN + claims)
        past = room.decide(40)
        room.tell_outcomes(past)
        room.project.parts.tickets.mark_withdrawn(
            [one.ticket_id for one in room.project.parts.tickets.waiting()]
        )
        for _ in range(8):
            room.project.reviewing.overseeing.open_exercises()
            room.forward(timedelta(days=1))
        found = [one for one in room.project.parts.tickets.waiting() if one.kind is TicketKind.CALIBRATION]
        assert {one.meant_for for one in found} == meant


def test_each_on_the_roster_gets_blind_cases_within_a_week(room):
    for _ in range(8):
        room.round(5)
    found = [one for one in room.project.parts.exercises.all() if one.kind is TicketKind.CALIBRATION]
    assert {one.meant_for for one in found} == {"r1", "r2"}
    assert all(one.blind for one in room.project.parts.tickets.by_ids(one.ticket_id for one in found))
    right = [one.suggestion == one.truth for one in found]
    assert True in right
    team = room.project.reviewing.overseeing.team()
    assert team.people["r1"].calibration.where_model_right.value == 1.0


def test_the_page_stands_alone_readable_for_its_owner_and_says_what_to_do(room, tmp_path):
    for _ in range(2):
        room.round(40, stamps=("r2",))
    loop = Loop(room.project.settings.folder)
    page = tmp_path / "team.html"
    page.write_text("an older one")
    page.chmod(0o644)
    said = loop.done("oversight", "--page", page)
    assert [one["figures"]["person"] for one in said["people"]] == ["r1", "r2"]
    assert "hitl oversight clear r2" in said["people"][1]["do_next"]
    text = page.read_text()
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert "Ann" in text
    assert said["known_left"] < 60
    confirmed = said["confirmed"]
    assert 0 < len(confirmed) <= 10
    assert all(one["person"] == "r2" and one["suggestion"] != one["truth"] for one in confirmed)
    assert confirmed[0]["decision_id"] in text
    assert "<svg" in text
    assert "http" not in text.replace("http://www.w3.org", "").replace("https://www.w3.org", "")
    shown = loop.call("oversight", as_json=False)
    assert "reason to talk" in shown.out
    assert loop.done("oversight", "clear", "r2", "--by", "r1", "--reason", "talked")["person"] == "r2"
    assert loop.call("oversight", "clear", "r2", "--by", "r1", "--reason", "talked").code == 2


def test_an_issue_is_listed_and_closed_once(room):
    from hitl_mlops.oversight.notices import GuidelineIssue

    issue = GuidelineIssue("issue_1", "yes", 0.2, 0.1, 0.3, 25, ("d_1",), room.now())
    room.project.parts.notices.keep([], [issue])
    loop = Loop(room.project.settings.folder)
    assert [one["label"] for one in loop.done("guideline", "issues")["issues"]] == ["yes"]
    assert "yes" in loop.call("guideline", "issues", as_json=False).out
    loop.done("guideline", "close", "issue_1", "--by", "r1", "--reason", "said what a yes is")
    assert loop.call("guideline", "close", "issue_1", "--by", "r1", "--reason", "again").code != 0
    [closed] = room.project.reviewing.overseeing.issues()
    assert closed.closed is not None
    assert closed.closed.reason == "said what a yes is"
