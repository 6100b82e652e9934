"""Tickets of every kind of case, and a mix of all three, on Label Studio: for the browser."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from PIL import Image

from hitl_mlops.decisions.explanation import ExplainedBy, Explanation, Part, strongest
from hitl_mlops.decisions.heat import heat_of, regions_of
from hitl_mlops.decisions.record import Case
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.review.desk_label_studio import LabelStudioDesk
from hitl_mlops.review.interface import shown_values
from hitl_mlops.review.page_why import Insight, PastCase
from hitl_mlops.review.picture import picture_of, pictures_beside
from hitl_mlops.review.ticket import Ticket, TicketKind
from tests.builders import NOW, a_case, a_decision

GUIDELINE = (
    ("double payment", "The same invoice number was paid twice; the dates may differ."),
    ("wrong address", "The money went to an account that is not the creditor's. Look at the IBAN first."),
    ("other", "None of these, or several at once."),
)
CLASSES = tuple(name for name, _ in GUIDELINE)
LETTER = (
    "Dear Sir or Madam, invoice 4711 was paid twice, on 3 March and on 5 March, and nobody answers the "
    "phone. Please send one of the two amounts back to the account it came from. "
) * 3
LETTER_WHY = Explanation(
    ExplainedBy.LINEAR,
    "wrong address",
    strongest([
        Part(word, "", weight)
        for word, weight in (
            ("paid twice", 1.8), ("twice", 1.1), ("amounts", 0.4), ("invoice", 0.3), ("back", 0.2),
            ("account", -0.9), ("phone", -0.3), ("send", -0.1),
        )
    ]),
)  # fmt: skip


@dataclass(frozen=True)
class Shelf:
    """A project on the desk, with one ticket that shows the model's answer and one that does not."""

    desk: LabelStudioDesk
    task: Task
    shown: tuple[int, str]
    blind: tuple[int, str]


def shelf_of(kind: str, url: str, token: str, folder: Path, mark: str) -> Shelf:
    """Tickets of a `text`, a `table`, an `image` or a `mix`, in a project of their own."""
    task, case, why = _CASES[kind](f"{kind} {mark}", folder)
    desk = LabelStudioDesk(url, token, task)
    tickets = [_ticket(task, case, why, folder, blind=blind) for blind in (False, True)]
    placed = desk.push(tickets)
    shown, blind = (
        (project.project_id, placed[ticket.ticket_id])
        for project, ticket in zip(desk.ensure_ready(), tickets, strict=True)
    )
    return Shelf(desk, task, shown, blind)


def _ticket(task: Task, case: Case, why: Explanation, folder: Path, *, blind: bool) -> Ticket:
    share = (0.62, 0.27, 0.11)
    likely = dict(zip(task.classes, (*share, *([0.0] * len(task.classes))), strict=False))
    decision = a_decision(case_id=case.case_id, label=task.classes[0], probabilities=likely, confidence=0.62)
    past = tuple(
        PastCase(f"letter-{number}", task.classes[0], task.classes[number % 2], NOW - timedelta(days=number))
        for number in range(1, 4)
    )
    return Ticket(
        ticket_id=f"t_{'blind' if blind else 'open'}",
        decision_id=decision.decision_id,
        kind=TicketKind.SHADOW if blind else TicketKind.REVIEW,
        suggestion=decision.label,
        lane="senior",
        signatures=1,
        blind=blind,
        opened_at=NOW,
        due_at=NOW + timedelta(hours=24),
        shown=shown_values(
            decision,
            case,
            task,
            lane="senior",
            learned_from="dataset 3",
            image=picture_of(case, task, folder),
            pictures=pictures_beside(case, task, folder),
            insight=Insight(why, past),
            blind=blind,
        ),
    )


def _letter(project: str, _: Path) -> tuple[Task, Case, Explanation]:
    task = Task(project, InputKind.TEXT, ("x",), CLASSES, show=("amount", "city"), guideline=GUIDELINE)
    return task, _a_letter(), LETTER_WHY


def _row(project: str, _: Path) -> tuple[Task, Case, Explanation]:
    names = tuple(f"measure_{number}" for number in range(14))
    task = Task(project, InputKind.TABLE, names, CLASSES, show=("city",), guideline=GUIDELINE)
    inputs = {name: 1.37 * place for place, name in enumerate(names)}
    parts = [Part(name, f"{inputs[name]:.6g}", 0.4 - 0.07 * place) for place, name in enumerate(names)]
    why = Explanation(ExplainedBy.OCCLUSION, "other", strongest(parts))
    return task, a_case(inputs=inputs, attributes={"city": "Bern"}), why


def _digit(project: str, _: Path) -> tuple[Task, Case, Explanation]:
    names = tuple(f"pixel_{number}" for number in range(64))
    task = Task(project, InputKind.IMAGE, names, tuple("3890124567"), show=("city",))
    ink = [16.0 if place % 8 in (3, 4) and 8 <= place < 56 else 0.0 for place in range(64)]
    heat = heat_of([0.02 * value * (1 if place < 40 else -1) for place, value in enumerate(ink)])
    why = Explanation(ExplainedBy.LINEAR, "8", regions_of(heat), heat.shown)
    return task, a_case(inputs=dict(zip(names, ink, strict=True)), attributes={"city": "Bern"}), why


def _mixed(project: str, folder: Path) -> tuple[Task, Case, Explanation]:
    """A letter, a table, a picture, and more classes than stand as buttons."""
    Image.linear_gradient("L").resize((480, 320)).save(folder / "scan.png")
    many = (*CLASSES, *(f"reason number {number}" for number in range(20)))
    task = Task(
        project, InputKind.TEXT, ("x",), many,
        show=("amount", "city"), show_images=("scan",), guideline=GUIDELINE,
    )  # fmt: skip
    return task, _a_letter(scan="scan.png"), LETTER_WHY


def _a_letter(**more: Any) -> Case:
    return a_case(
        case_id="letter-9", inputs={"x": LETTER}, attributes={"amount": 812.5, "city": "Bern"} | more
    )


def _with_scan(project: str, folder: Path) -> tuple[Task, Case, Explanation]:
    """A letter, a table and a picture, with few classes."""
    task, case, why = _mixed(project, folder)
    return replace(task, classes=CLASSES), case, why


_CASES = {"text": _letter, "table": _row, "image": _digit, "mix": _mixed, "letter": _with_scan}
