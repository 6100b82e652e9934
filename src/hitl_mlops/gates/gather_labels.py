"""How good the labels are, gathered from the answers that people gave."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from hitl_mlops.gates.evidence import LabelQuality, ReviewerHealth
from hitl_mlops.overrides.record import AnswerState, KeptAnswer, Resolution
from hitl_mlops.statistics.agreement import krippendorff_alpha


def label_quality(answers: Sequence[KeptAnswer], resolutions: Sequence[Resolution]) -> LabelQuality | None:
    """Of the answers and resolutions since the champion; None where nobody answered.

    Revisions that a later one replaced are not counted: an edit is no second answer.
    """
    counted = [one for one in answers if one.state is not AnswerState.SUPERSEDED]
    if not counted:
        return None
    refused = sum(_refused(one) for one in counted)
    people = {person for one in resolutions for person in one.reviewers}
    on_ticket = _by_ticket(counted)
    return LabelQuality(
        answers=len(counted),
        quarantined=refused,
        labels=len(resolutions),
        reviewers=len(people),
        agreement=krippendorff_alpha(
            [str(one.answer.label) for one in two[:2]] for two in on_ticket.values()
        ),
        health=_health(counted, on_ticket, {one.ticket_id: one.label for one in resolutions}),
    )


def _refused(one: KeptAnswer) -> bool:
    return one.state in (AnswerState.QUARANTINED, AnswerState.DROPPED)


def _by_ticket(answers: Sequence[KeptAnswer]) -> dict[str, list[KeptAnswer]]:
    """The accepted labels on each ticket, the earliest of each person, by time.

    A third person is asked only where two differ, so that agreement is between the first two.
    """
    found: dict[str, dict[str, KeptAnswer]] = defaultdict(dict)
    for one in sorted(answers, key=lambda each: (each.answer.answered_at, each.key)):
        said = one.answer
        if (
            one.state is AnswerState.ACCEPTED
            and said.ticket_id
            and said.label is not None
            and not said.skipped
        ):
            found[said.ticket_id].setdefault(said.reviewer, one)
    return {ticket: list(ones.values()) for ticket, ones in found.items()}


def _health(
    answers: Sequence[KeptAnswer], on_ticket: Mapping[str, Sequence[KeptAnswer]], resolved: Mapping[str, str]
) -> tuple[ReviewerHealth, ...]:
    given, refused = (
        Counter(one.answer.reviewer for one in answers if chosen(one))
        for chosen in (lambda _: True, _refused)
    )
    compared: Counter[str] = Counter()
    differed: Counter[str] = Counter()
    for ticket, ones in on_ticket.items():
        if len(ones) > 1 and ticket in resolved:
            compared.update(one.answer.reviewer for one in ones)
            differed.update(one.answer.reviewer for one in ones if one.answer.label != resolved[ticket])
    return tuple(
        ReviewerHealth(count, refused[name], compared[name], differed[name])
        for name, count in sorted(given.items())
    )
