"""Chapters 2 and 3: the model decides, the scanner changes, and people are asked about what is doubtful."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hitl_mlops.demo.people import TEAM
from hitl_mlops.demo.scene import Scene

if TYPE_CHECKING:
    from hitl_mlops.decisions.record import Decision

AFTER_THE_CHANGE = 300
"""Cheques of the new scanner that the first champion decides before anybody does something about it."""


def decide(scene: Scene) -> tuple[Decision, ...]:
    """Cheques of both scanners were decided, and tickets stand in Label Studio; those decisions."""
    tell = scene.narrator
    tell.chapter("The model decides, the policy says what people must see")
    decided: list[Decision] = []
    for scanner, count in (("old", scene.cheques.new_scanner_from), ("new", AFTER_THE_CHANGE)):
        with tell.step(f"decide, {scanner} scanner", f"Cheques of the {scanner} scanner are decided") as step:
            made = scene.decide_next(count)
            decided += made.decisions
            step.done(
                f"{len(made.decisions)} cheques of the {scanner} scanner: "
                f"{_wrong(scene, made.decisions):.0%} read "
                f"wrong (nobody knows yet), {_asked(made.decisions):.0%} go to people, spot checks among "
                "them. "
                f"{_routes(made.decisions)}."
            )
    with tell.step("tickets", "Tickets are put into Label Studio") as step:
        pushed = scene.project.push()
        step.done(f"{pushed.pushed} tickets stand in Label Studio: {scene.project.parts.desk.pages[0]}")
    tell.aside(
        "Half-way the scanner was replaced by one that smears. The policy file sends doubtful digits and "
        "large "
        "amounts to people, and a share of the rest as spot checks. A ticket shows the digit's image, the "
        "model's "
        "answer, the three next best, why it is asked, and where the model comes from."
    )
    return tuple(decided)


def answer(scene: Scene, decisions: Sequence[Decision]) -> None:
    """Every ticket has its answers, and five more that should not count lie among them."""
    tell = scene.narrator
    tell.chapter("Five reviewers answer. They are simulated")
    tell.aside(
        "They are programs with accounts of their own. They know the digit that was written and answer "
        "with it, "
        "but err at the rates below; what they see and send goes through Label Studio's own API."
    )
    tell.table(
        [
            (
                one.name,
                one.account,
                "stamps whatever the model says" if one.stamps else f"errs in {one.error_rate:.0%}",
                f"about {one.seconds:g} s a ticket",
            )
            for one in TEAM
        ]
    )
    with tell.step("answers", "Reviewers answer") as step:
        spoiled = scene.team.spoil(scene.open_questions(decisions))
        given = scene.review(decisions, step, "Reviewers answer")
        stamped = sum(one.person_id == "r5" for one in scene.team.given)
        step.done(
            f"{given} answers came in, {stamped} of them stamped by Eve, and {spoiled} more that are bad "
            "on purpose."
        )


def _wrong(scene: Scene, decisions: Sequence[Decision]) -> float:
    return sum(one.label != scene.cheques.truth[one.case_id] for one in decisions) / len(decisions)


def _asked(decisions: Sequence[Decision]) -> float:
    return sum(one.to_review for one in decisions) / len(decisions)


def _routes(decisions: Sequence[Decision]) -> str:
    counts = Counter(one.route for one in decisions)
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.most_common())
