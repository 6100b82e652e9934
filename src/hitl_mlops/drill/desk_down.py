"""Rehearsal: Label Studio stops answering, as a twin also in the middle of a push, and comes back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from time import perf_counter

from hitl_mlops.decisions.record import Decision
from hitl_mlops.drill.record import Rehearsal, Scenario
from hitl_mlops.drill.room import Room, automatic, server_is_missed

CASES = 100


def rehearse(room: Room) -> Rehearsal:
    """Decisions went on, nothing was lost, doubled or made milder, or the rehearsal says what was."""
    minutes, project = room.minutes, room.project
    with minutes.step(f"{CASES} cases were decided, and their tickets pushed."):
        room.crown()
        rows = room.draw(CASES)
        before = room.decide(rows)
        project.push()
    with minutes.step(f"Label Studio was stopped; the same {CASES} rows came again, as new cases."):
        room.outside.stop_desk()
        meanwhile = room.decide(room.again(rows))
    _demand_same_routes(room, before, meanwhile)
    asked = [one for one in meanwhile if one.to_review]
    waiting = len(project.parts.tickets.waiting())
    minutes.demand(
        "whoever must be asked has a ticket that waits",
        limit=f"{len(asked)} tickets",
        found=waiting,
        met=waiting == len(asked),
    )
    with minutes.step("Pushing and collecting were tried."):
        missed = server_is_missed(project.push) and server_is_missed(project.collect)
    minutes.demand(
        "pushing and collecting say that it is down, and lose nothing",
        limit="exit code 3, as many tickets wait",
        found=f"{'said' if missed else 'not said'}, {len(project.parts.tickets.waiting())} wait",
        met=missed and len(project.parts.tickets.waiting()) == waiting,
    )
    pushed_s = _come_back(room, asked)
    room.demand_sound_trail()
    return Rehearsal(
        Scenario.LABEL_STUDIO_DOWN,
        minutes.verdict(),
        f"{len(meanwhile)} decisions were made meanwhile, {len(automatic(meanwhile))} of them automatic as "
        f"before; {waiting} tickets waited and were on the desk {pushed_s:.2f} s after it was back.",
        len(asked),
        "decisions that waited for people meanwhile",
        (
            "Start Label Studio again: hitl up.",
            "Push what waits: hitl review push, or the flow collect-overrides does it.",
        ),
        tuple(minutes.steps),
        tuple(minutes.demands),
        {
            "decided_meanwhile": len(meanwhile),
            "automatic_meanwhile": len(automatic(meanwhile)),
            "tickets_waiting": waiting,
            "pushed_after_s": round(pushed_s, 3),
        },
    )


def _demand_same_routes(room: Room, before: Sequence[Decision], meanwhile: Sequence[Decision]) -> None:
    """Row by row, what was for people before is for people now, by as strict a route or a stricter one."""
    policy, of_case = room.project.parts.policy, {one.case_id: one for one in before}
    pairs = [(of_case[twin], one) for one in meanwhile if (twin := _twin(one)) in of_case]
    milder = sum(policy.level(now.route) < policy.level(then.route) for then, now in pairs)
    room.minutes.demand(
        "decisions go on",
        limit=f"{len(before)} of the same rows",
        found=len(pairs),
        met=len(pairs) == len(before),
    )
    room.minutes.demand("none goes to a milder route", limit="0 decisions", found=milder, met=milder == 0)


def _twin(one: Decision) -> str:
    """The case of the same row, before: each row came again after all of them had come."""
    name, number = one.case_id.rsplit("-", 1)
    return f"{name}-{int(number) - CASES}"


def _come_back(room: Room, asked: Sequence[Decision]) -> float:
    """It came back, a twin after another stop in mid-push; seconds of the push that went through."""
    minutes, project = room.minutes, room.project
    ids = {one.decision_id for one in asked}
    room.outside.start_desk()
    if room.outside.stop_desk_midway(len(asked) // 2):
        with minutes.step("It came back, and stopped again in the middle of a push."):
            server_is_missed(project.push)
            room.outside.start_desk()
    with minutes.step("It came back, and all was pushed."):
        began = perf_counter()
        project.push()
        pushed_s = perf_counter() - began
        twice = project.push().pushed
    tickets = room.asked(asked)
    there = Counter(project.parts.desk.task_ids().values())
    sheets = project.parts.tickets.tasks([one.ticket_id for one in tickets])
    once = sum(there[name] == len(tasks) for name, tasks in sheets.items())
    minutes.demand(
        "each ticket is on the desk once, and pushing again pushes nothing",
        limit=f"{len(asked)} once, 0 again",
        found=f"{once} once, {twice} again",
        met=once == len(asked) and twice == 0,
    )
    with minutes.step("People answered all of them, and the answers were collected."):
        room.answer(tickets, room.truths(asked))
        project.collect()
    resolved = len(project.parts.answers.resolutions_of(ids))
    minutes.demand(
        "their answers arrive", limit=f"{len(asked)} decisions", found=resolved, met=resolved == len(asked)
    )
    return pushed_s
