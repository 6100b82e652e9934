"""The contract of the desk, against the twin and against Label Studio."""

from __future__ import annotations

import itertools
import re
import socket
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest

from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import CredentialsError, ServiceDownError
from hitl_mlops.review import accounts
from hitl_mlops.review.answer import ESCALATE, Answer, Verdict
from hitl_mlops.review.desk import Cursor, Desk, DeskTask
from hitl_mlops.review.desk_in_memory import InMemoryDesk
from hitl_mlops.review.desk_label_studio import LabelStudioDesk
from hitl_mlops.review.interface import shown_values, without_the_model
from hitl_mlops.review.session import ReviewerSession
from hitl_mlops.review.ticket import Ticket, TicketKind
from tests.builders import NOW, a_case, a_decision

HOSTILE = '<script>alert(1)</script> & "Zürich" 日本 =HYPERLINK("http://x") ${case_id} \u202eabc'
_numbers = itertools.count(1)


class CutLine(httpx.BaseTransport):
    """A line to the server that is cut after so many requests."""

    def __init__(self, left: int) -> None:
        self.left = left
        self._line = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.left <= 0:
            raise httpx.ConnectError("cut", request=request)
        self.left -= 1
        return self._line.handle_request(request)

    def close(self) -> None:
        self._line.close()


@dataclass
class Room:
    """A desk and two people at it."""

    desk: Desk
    ann: ReviewerSession
    bob: ReviewerSession


def a_task(**changes: object) -> Task:
    plain = {
        "project": f"desk {next(_numbers)}",
        "kind": InputKind.TEXT,
        "inputs": ("x",),
        "show": ("amount",),
    }
    return Task(**({"classes": ("yes", "no")} | plain | changes))


def tickets(count: int, *, blind: bool = False, signatures: int = 1, text: str = "words") -> list[Ticket]:
    made = []
    for number in range(count):
        case = a_case(case_id=f"case-{number}", inputs={"x": text})
        shown = shown_values(a_decision(case_id=case.case_id), case, a_task(), blind=blind)
        made.append(
            Ticket(
                ticket_id=f"t_{'blind' if blind else 'open'}_{number}",
                decision_id=f"d_case-{number}",
                kind=TicketKind.SHADOW if blind else TicketKind.REVIEW,
                suggestion="yes",
                lane="standard",
                signatures=signatures,
                blind=blind,
                opened_at=NOW,
                due_at=NOW + timedelta(hours=24),
                shown=shown,
            )
        )
    return made


@pytest.fixture(params=["twin", pytest.param("real", marks=pytest.mark.real)])
def room(request: pytest.FixtureRequest) -> Room:
    if request.param == "twin":
        desk = InMemoryDesk()
        return Room(desk, desk.session("ann@hitl.example"), desk.session("bob@hitl.example"))
    server = request.getfixturevalue("label_studio")
    real = LabelStudioDesk(server.url, server.token, a_task())
    people = [accounts.enter(real.http, f"{name}@hitl.example", "pass-word-1") for name in ("ann", "bob")]
    return Room(real, *people)


def tasks_of(desk: Desk, since: Cursor | None = None) -> list[DeskTask]:
    return [task for page in desk.changes(since) for task in page]


def answers_of(desk: Desk) -> list[Answer]:
    return [answer for task in tasks_of(desk) for answer in task.answers]


def test_pushing_twice_doubles_nothing(room: Room) -> None:
    wanted = [*tickets(3), *tickets(2, blind=True)]
    first = room.desk.push(wanted)
    assert room.desk.push(wanted) == first
    assert set(room.desk.task_ids().values()) == {ticket.ticket_id for ticket in wanted}
    assert len(room.desk.task_ids()) == 5


def test_a_push_that_was_half_done_is_completed(room: Room) -> None:
    first = room.desk.push(tickets(2))
    assert first.items() <= room.desk.push(tickets(4)).items()
    assert len(room.desk.task_ids()) == 4


def test_pushing_nothing_does_nothing(room: Room) -> None:
    assert room.desk.push([]) == {}
    assert room.desk.task_ids() == {}


def test_an_answer_comes_back_as_it_was_given(room: Room) -> None:
    [task_id] = room.desk.push(tickets(1)).values()
    given = room.ann.answer(task_id, "no", f"because {HOSTILE}", "wrong_class", seconds=7.5)
    [answer] = answers_of(room.desk)
    assert (answer.annotation_id, answer.task_id, answer.ticket_id) == (given, task_id, "t_open_0")
    assert (answer.label, answer.reason_code, answer.seconds) == ("no", "wrong_class", 7.5)
    assert answer.rationale == f"because {HOSTILE}"
    assert answer.reviewer == answer.edited_by == "ann@hitl.example"
    assert (answer.desk, answer.skipped) == (room.desk.name, False)
    assert re.fullmatch("[0-9a-f]{64}", answer.payload_hash)


def test_every_field_of_the_page_comes_back(room: Room) -> None:
    accepted, edited, rejected, passed = room.desk.push(tickets(4)).values()
    model = str(tickets(1)[0].shown["model_label"])
    other = next(name for name in ("yes", "no") if name != model)
    room.ann.answer(accepted, None, "seen", verdict=Verdict.ACCEPT)
    given = room.ann.answer(edited, model, "seen", "wrong_class")
    tags = ("bias", "factual", "made up")
    room.ann.edit(given, other, "seen", "policy", verdict=Verdict.EDIT, error_tags=tags, for_training=False)
    room.ann.answer(rejected, None, "blank", "missing_context", verdict=Verdict.REJECT)
    room.ann.answer(passed, None, "hard", "policy", verdict=Verdict.ESCALATE, error_tags=["policy_violation"])
    found = {answer.task_id: answer for answer in answers_of(room.desk)}
    said = {
        task: (one.verdict, one.label, one.reason_code, one.error_tags, one.for_training)
        for task, one in found.items()
    }
    assert said == {
        accepted: (Verdict.ACCEPT, model, "agree", (), True),
        edited: (Verdict.EDIT, other, "policy", ("factual", "bias"), False),
        rejected: (Verdict.REJECT, None, "missing_context", (), True),
        passed: (Verdict.ESCALATE, None, "policy_violation", ("policy_violation",), True),
    }
    assert all(one.stated is one.verdict for one in found.values())


def test_a_class_that_does_not_go_with_the_decision_shows(room: Room) -> None:
    agrees, differs = room.desk.push(tickets(2)).values()
    model = str(tickets(1)[0].shown["model_label"])
    other = next(name for name in ("yes", "no") if name != model)
    room.ann.answer(agrees, other, "seen", verdict=Verdict.ACCEPT)
    room.ann.answer(differs, model, "seen", verdict=Verdict.EDIT)
    assert [answer.contradicts_itself for answer in answers_of(room.desk)] == [True, True]


def test_tasks_without_answers_are_left_out_of_the_first_pull(room: Room) -> None:
    tasks = list(room.desk.push(tickets(3)).values())
    room.ann.answer(tasks[1], "yes")
    assert [task.task_id for task in tasks_of(room.desk)] == [tasks[1]]


def test_both_projects_come_in_one_order(room: Room) -> None:
    shown, blind = room.desk.push(tickets(2)), room.desk.push(tickets(2, blind=True))
    order = [*shown.values(), *blind.values()]
    order = [order[2], order[0], order[3], order[1]]
    for task_id in order:
        room.ann.answer(task_id, "yes", "seen")
    found = tasks_of(room.desk)
    assert [task.task_id for task in found] == order
    assert found == sorted(found, key=lambda task: task.cursor)


def test_only_what_changed_at_or_after_the_cursor_comes(room: Room) -> None:
    tasks = list(room.desk.push(tickets(4)).values())
    for task_id in tasks:
        room.ann.answer(task_id, "yes", "seen")
    cursor = tasks_of(room.desk)[2].cursor
    assert [task.task_id for task in tasks_of(room.desk, cursor)] == tasks[2:]


def test_an_edit_is_a_new_revision_of_the_same_answer(room: Room) -> None:
    [task_id] = room.desk.push(tickets(1)).values()
    given = room.ann.answer(task_id, "no", "first", "policy", seconds=4.0)
    before = tasks_of(room.desk)[0]
    room.bob.edit(given, "yes", "second thoughts", "agree")
    [after] = tasks_of(room.desk, Cursor(before.changed_at, before.cursor.task_id))
    old, new = before.answers[0], after.answers[0]
    assert new.revision > old.revision
    assert (new.annotation_id, new.reviewer, new.seconds) == (given, "ann@hitl.example", 4.0)
    assert (new.edited_by, new.label, new.rationale) == ("bob@hitl.example", "yes", "second thoughts")
    assert new.payload_hash != old.payload_hash


def test_a_deleted_answer_leaves_a_changed_task_without_it(room: Room) -> None:
    [task_id] = room.desk.push(tickets(1)).values()
    given = room.ann.answer(task_id, "no", "first")
    cursor = tasks_of(room.desk)[0].cursor
    room.ann.delete(given)
    [after] = tasks_of(room.desk, cursor)
    assert after.answers == ()
    assert after.cursor > cursor


def test_a_skip_is_an_answer_without_a_label(room: Room) -> None:
    [task_id] = room.desk.push(tickets(1)).values()
    room.bob.skip(task_id)
    [answer] = answers_of(room.desk)
    assert (answer.skipped, answer.label, answer.reviewer) == (True, None, "bob@hitl.example")


def test_the_same_answer_sent_twice_counts_once(room: Room) -> None:
    [task_id] = room.desk.push(tickets(1)).values()
    sent = [room.ann.answer(task_id, "no", "seen", unique_id=f"{room.desk.name} once") for _ in range(2)]
    assert len(set(sent)) == 1
    assert len(answers_of(room.desk)) == 1


def test_the_verdict_tells_the_answer_from_the_model_s(room: Room) -> None:
    [same, other, passed] = room.desk.push(tickets(3)).values()
    [unseen] = room.desk.push(tickets(1, blind=True)).values()
    model = str(tickets(1)[0].shown["model_label"])
    room.ann.answer(same, model, "seen", "agree")
    room.ann.answer(other, next(name for name in ("yes", "no") if name != model), "seen", "wrong_class")
    room.ann.answer(passed, model, "too hard", ESCALATE)
    room.ann.answer(unseen, "yes", "seen")
    verdicts = {answer.task_id: answer.verdict for answer in answers_of(room.desk)}
    assert verdicts == {same: Verdict.ACCEPT, other: Verdict.EDIT, passed: Verdict.ESCALATE, unseen: None}


def test_two_people_may_answer_one_ticket(room: Room) -> None:
    [task_id] = room.desk.push(tickets(1, signatures=2)).values()
    room.ann.answer(task_id, "no", "seen")
    room.bob.answer(task_id, "yes", "seen too")
    assert [answer.label for answer in answers_of(room.desk)] == ["no", "yes"]


def test_each_sheet_of_a_ticket_is_a_task_of_its_own_and_none_is_doubled(room: Room) -> None:
    [first] = tickets(1, signatures=3)
    second = replace(first, copy=2)
    third = replace(first, copy=3, blind=True, shown=without_the_model(first.shown))
    tasks = room.desk.push([first, second])
    again = room.desk.push([third, second])
    task = room.desk.push([third])[third.sheet_id]
    assert again == {third.sheet_id: task, second.sheet_id: tasks[second.sheet_id]}
    assert list(room.desk.task_ids().values()) == [first.ticket_id] * 3
    room.ann.answer(tasks[first.sheet_id], "yes", "seen")
    room.bob.answer(task, "no", "seen too")
    said = {(one.ticket_id, one.task_id, one.label, one.verdict) for one in answers_of(room.desk)}
    assert said == {
        (first.ticket_id, tasks[first.sheet_id], "yes", Verdict.ACCEPT),
        (first.ticket_id, task, "no", None),
    }


def test_closed_tasks_stay_with_their_answers_and_may_be_closed_again(room: Room) -> None:
    tasks = list(room.desk.push(tickets(2)).values())
    room.ann.answer(tasks[0], "yes", "seen")
    room.desk.close(tasks)
    room.desk.close([tasks[0], "999999"])
    assert set(room.desk.task_ids()) == set(tasks)
    room.bob.answer(tasks[1], "no", "seen too late")
    assert [answer.label for answer in answers_of(room.desk)] == ["yes", "no"]


@pytest.mark.real
def test_label_studio_offers_no_task_that_was_closed(label_studio) -> None:
    desk = LabelStudioDesk(label_studio.url, label_studio.token, a_task())
    first, second = desk.push(tickets(2)).values()
    offered = f"/api/projects/{desk.ensure_ready()[0].project_id}/next"
    assert str(desk.http.get(offered)["id"]) == first
    desk.close([first])
    assert str(desk.http.get(offered)["id"]) == second


def test_people_are_known_by_their_account(room: Room) -> None:
    assert {"ann@hitl.example", "bob@hitl.example"} <= set(room.desk.people())


@pytest.mark.real
def test_nothing_is_skipped_while_rows_move(label_studio) -> None:
    desk = LabelStudioDesk(label_studio.url, label_studio.token, a_task(), page_tasks=3)
    ann = accounts.enter(desk.http, "ann@hitl.example", "pass-word-1")
    tasks = list(desk.push(tickets(10)).values())
    given = [ann.answer(task_id, "yes", "seen") for task_id in tasks]
    seen: list[DeskTask] = []
    for number, page in enumerate(desk.changes()):
        seen += page
        ann.edit(given[number], "no", "moved behind the cursor")
    assert {task.task_id for task in seen} == set(tasks)


@pytest.mark.real
def test_a_desk_keeps_its_name_and_learns_new_classes_without_losing_old_ones(label_studio) -> None:
    task = a_task()
    before = LabelStudioDesk(label_studio.url, label_studio.token, task)
    grown = Task(task.project, task.kind, task.inputs, ("maybe", "no"), show=task.show)
    after = LabelStudioDesk(label_studio.url, label_studio.token, grown)
    assert after.name == before.name
    [shown, _blind] = after.ensure_ready()
    page = after.http.get(f"/api/projects/{shown.project_id}/")
    assert set(page["parsed_label_config"]["label"]["labels"]) == {"yes", "no", "maybe"}


@pytest.mark.real
def test_two_owners_of_one_title_have_a_desk_each(label_studio) -> None:
    task = a_task()
    ours, theirs = (
        LabelStudioDesk(label_studio.url, label_studio.token, task, owner=owner) for owner in ("us", "them")
    )
    ours.push(tickets(3))
    assert theirs.name != ours.name
    assert theirs.task_ids() == {}
    again = LabelStudioDesk(label_studio.url, label_studio.token, task, owner="us")
    assert again.name == ours.name


@pytest.mark.real
def test_hostile_text_is_kept_as_text(label_studio) -> None:
    desk = LabelStudioDesk(label_studio.url, label_studio.token, a_task())
    [task_id] = desk.push(tickets(1, text=HOSTILE)).values()
    data = desk.http.get(f"/api/tasks/{task_id}/")["data"]
    assert data["text"] == HOSTILE
    assert "kind" not in data


@pytest.mark.real
def test_a_wrong_token_is_refused_with_the_remedy(label_studio) -> None:
    with pytest.raises(CredentialsError, match="LABEL_STUDIO_TOKEN"):
        LabelStudioDesk(label_studio.url, "0" * 40, a_task()).push(tickets(1))


def test_a_server_that_is_down_is_said_to_be() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ServiceDownError, match="does not answer"):
            LabelStudioDesk(closed, "0" * 40, a_task()).push(tickets(1))


@pytest.mark.real
def test_a_server_that_stops_in_mid_paging_is_said_to_be_down_and_nothing_is_lost(label_studio) -> None:
    task, line = a_task(), CutLine(1000)
    desk = LabelStudioDesk(label_studio.url, label_studio.token, task, page_tasks=3, transport=line)
    ann = accounts.enter(desk.http, "ann@hitl.example", "pass-word-1")
    for task_id in desk.push(tickets(8)).values():
        ann.answer(task_id, "yes", "seen")
    pages = desk.changes()
    first = next(pages)
    line.left = 0
    with pytest.raises(ServiceDownError):
        list(pages)
    line.left = 1000
    rest = tasks_of(desk, first[-1].cursor)
    assert len({task.task_id for task in [*first, *rest]}) == 8


@pytest.mark.real
def test_an_import_whose_reply_was_lost_is_found_again(label_studio) -> None:
    class LostReply(CutLine):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            reply = super().handle_request(request)
            if request.url.path.endswith("/import") and self.left > 500:
                self.left = 400
                reply.read()
                reply.close()
                raise httpx.ReadTimeout("lost", request=request)
            return reply

    desk = LabelStudioDesk(label_studio.url, label_studio.token, a_task(), transport=LostReply(1000))
    with pytest.raises(ServiceDownError):
        desk.push(tickets(4))
    assert len(desk.push(tickets(4))) == 4
    assert len(desk.task_ids()) == 4


def test_what_a_task_says_of_its_ticket_is_changed_and_the_rest_stays(room: Room) -> None:
    tasks = room.desk.push(tickets(2))
    first, second = tasks.values()
    room.ann.answer(first, "yes", "clear as day", seconds=5.0)
    for _ in range(2):
        room.desk.hand({first: {"lane": "senior", "due": "2026-03-03 12:00 UTC"}, "999999999": {"lane": "x"}})
    assert room.desk.task_ids() == {first: "t_open_0", second: "t_open_1"}
    [answer] = answers_of(room.desk)
    assert (answer.ticket_id, answer.label) == ("t_open_0", "yes")
    assert room.desk.data_of(first)["lane"] == "senior"
    assert room.desk.data_of(second)["lane"] == "standard"
    room.desk.hand({})


def test_each_person_has_a_tab_with_what_is_theirs_and_unanswered(room: Room) -> None:
    first, second, third = room.desk.push(tickets(3)).values()
    room.desk.hand({first: {"for": "Ann"}, second: {"for": "Ann"}, third: {"for": "r2"}})
    room.ann.answer(first, "yes", "clear as day", seconds=5.0)
    made = room.desk.tabs(["Ann", "r2"])
    assert list(made) == ["Ann", "r2"]
    assert room.desk.tabs(["r2", "Ann"]) == made
    if isinstance(room.desk, LabelStudioDesk):
        [page, _blind] = made["Ann"]
        found = room.desk.http.get("/api/tasks/", {"view": page.rpartition("=")[2]})
        assert [str(task["id"]) for task in found["tasks"]] == [second]
