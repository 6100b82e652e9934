"""Every screen refuses the same answers for the same reasons, and says all of them."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hitl_mlops.overrides.reasons import BARRING, Reason
from hitl_mlops.overrides.screen import Known, ScreenPolicy
from hitl_mlops.overrides.screen_great_expectations import GreatExpectationsScreen
from hitl_mlops.overrides.screen_plain import PlainScreen
from hitl_mlops.review.answer import Answer, Verdict

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
KNOWN = Known(
    classes=frozenset({"1", "2"}),
    tickets=frozenset({"t1", "t2"}),
    reviewers={"ann@x.org": "r0", "bob@x.org": "r1"},
    answered=frozenset({("t2", "bob@x.org")}),
    now=NOW,
)


def an_answer(**changes: object) -> Answer:
    answer = Answer(
        desk="desk:1",
        annotation_id="1",
        revision="2026-01-01T11:00:00.000000Z",
        task_id="1",
        ticket_id="t1",
        reviewer="ann@x.org",
        edited_by="ann@x.org",
        label="1",
        verdict=None,
        rationale="clear",
        reason_code=None,
        seconds=4.0,
        answered_at=NOW - timedelta(hours=1),
        skipped=False,
        payload_hash="h",
    )
    return replace(answer, **changes)  # type: ignore[arg-type]


@pytest.fixture(
    params=[PlainScreen, pytest.param(GreatExpectationsScreen, marks=pytest.mark.real)],
    ids=["twin", "real"],
)
def screen(request):
    return request.param()


def reasons(screen, *answers, known=KNOWN):
    return [one.reasons for one in screen.screen(answers, known)]


def test_nothing_screened_is_nothing_refused(screen):
    assert screen.screen([], KNOWN) == []


def test_a_good_answer_passes(screen):
    assert reasons(screen, an_answer()) == [()]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ticket_id": None}, Reason.UNKNOWN_TICKET),
        ({"ticket_id": "t9"}, Reason.UNKNOWN_TICKET),
        ({"ticket_id": ""}, Reason.UNKNOWN_TICKET),
        ({"ticket_id": "None"}, Reason.UNKNOWN_TICKET),
        ({"reviewer": "eve@x.org", "edited_by": "eve@x.org"}, Reason.UNKNOWN_REVIEWER),
        ({"edited_by": "bob@x.org"}, Reason.EDITED_BY_ANOTHER),
        ({"label": None}, Reason.NO_CLASS),
        ({"stated": Verdict.ACCEPT, "verdict": Verdict.EDIT}, Reason.CONTRADICTION),
        ({"stated": Verdict.EDIT, "verdict": Verdict.ACCEPT}, Reason.CONTRADICTION),
        ({"label": None, "stated": Verdict.EDIT}, Reason.NO_CLASS),
        ({"label": "7"}, Reason.UNKNOWN_CLASS),
        ({"label": ""}, Reason.UNKNOWN_CLASS),
        ({"rationale": ""}, Reason.NO_RATIONALE),
        ({"rationale": "  \n ok  "}, Reason.NO_RATIONALE),
        ({"seconds": None}, Reason.NO_TIME),
        ({"seconds": math.nan}, Reason.NO_TIME),
        ({"seconds": math.inf}, Reason.NO_TIME),
        ({"seconds": 0.4}, Reason.TOO_FAST),
        ({"seconds": -1.0}, Reason.TOO_FAST),
        ({"seconds": 8 * 3600.0 + 1}, Reason.TOO_SLOW),
        ({"answered_at": NOW + timedelta(seconds=301)}, Reason.FROM_THE_FUTURE),
        ({"ticket_id": "t2", "reviewer": "Bob@x.org", "edited_by": "bob@x.org"}, Reason.ALREADY_ANSWERED),
    ],
)
def test_each_fault_is_named(screen, changes, reason):
    assert reasons(screen, an_answer(**changes)) == [(reason,)]


@pytest.mark.parametrize("reason", BARRING)
def test_who_is_not_asked_is_refused_for_that_answer_only(screen, reason):
    first, second = an_answer(annotation_id="1"), an_answer(annotation_id="2", ticket_id="t2")
    known = replace(KNOWN, barred={reason: frozenset({first.key})})
    assert reasons(screen, first, second, known=known) == [(reason,), ()]


@pytest.mark.parametrize(
    "changes",
    [
        {"skipped": True, "label": None, "rationale": "", "seconds": None, "ticket_id": None},
        {"label": None, "verdict": Verdict.ESCALATE},
        {"label": None, "verdict": Verdict.REJECT, "stated": Verdict.REJECT},
        {"verdict": Verdict.ACCEPT, "stated": Verdict.ACCEPT, "error_tags": ("bias",), "for_training": False},
        {"reviewer": "ANN@X.ORG"},
        {"seconds": 0.5},
        {"seconds": 8 * 3600.0},
        {"rationale": "äöü"},
        {"answered_at": NOW + timedelta(seconds=299)},
    ],
)
def test_what_is_unusual_but_right_passes(screen, changes):
    assert reasons(screen, an_answer(**changes)) == [()]


def test_every_fault_is_named_not_the_first(screen):
    worst = an_answer(ticket_id="x", reviewer="eve@x.org", label="9", rationale="", seconds=0.0)
    assert reasons(screen, worst) == [
        (
            Reason.UNKNOWN_TICKET,
            Reason.UNKNOWN_REVIEWER,
            Reason.EDITED_BY_ANOTHER,
            Reason.UNKNOWN_CLASS,
            Reason.NO_RATIONALE,
            Reason.TOO_FAST,
        )
    ]


def test_of_two_answers_of_one_person_the_earliest_good_one_passes(screen):
    late = an_answer(annotation_id="1")
    early = an_answer(annotation_id="2", answered_at=NOW - timedelta(hours=2))
    bad = an_answer(annotation_id="3", answered_at=NOW - timedelta(hours=3), label=None)
    assert reasons(screen, late, early, bad) == [(Reason.ALREADY_ANSWERED,), (), (Reason.NO_CLASS,)]


def test_a_skip_is_no_answer_that_another_would_repeat(screen):
    skip = an_answer(annotation_id="0", skipped=True, answered_at=NOW - timedelta(hours=3))
    assert reasons(screen, skip, an_answer()) == [(), ()]


def test_with_nothing_known_everything_is_refused(screen):
    nothing = Known(frozenset(), frozenset(), {}, frozenset(), NOW)
    assert reasons(screen, an_answer(), known=nothing) == [
        (Reason.UNKNOWN_TICKET, Reason.UNKNOWN_REVIEWER, Reason.UNKNOWN_CLASS)
    ]


@pytest.mark.real
def test_both_screens_agree_on_a_thousand_answers_drawn_at_random():
    draw = random.Random(7)
    policy = ScreenPolicy(min_seconds=1.0, max_seconds=60.0, min_rationale_chars=2)
    answers = [
        an_answer(
            annotation_id=str(place),
            ticket_id=draw.choice(["t1", "t2", "t3", None]),
            reviewer=draw.choice(["ann@x.org", "Bob@x.org", "eve@x.org"]),
            edited_by=draw.choice(["ann@x.org", "bob@x.org"]),
            label=draw.choice(["1", "2", "3", None]),
            verdict=draw.choice([None, *Verdict]),
            rationale=draw.choice(["", "a", "ab", "  a  "]),
            seconds=draw.choice([None, 0.5, 1.0, 60.0, 61.0, math.nan]),
            answered_at=NOW + timedelta(seconds=draw.randrange(-600, 600)),
            skipped=draw.random() < 0.1,
        )
        for place in range(1000)
    ]
    keys = [answer.key for answer in answers]
    known = replace(KNOWN, barred={reason: frozenset(draw.sample(keys, 200)) for reason in BARRING})
    assert GreatExpectationsScreen(policy).screen(answers, known) == PlainScreen(policy).screen(
        answers, known
    )
