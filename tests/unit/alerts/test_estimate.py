from __future__ import annotations

import numpy as np
import pytest

from hitl_mlops.alerts.estimate import EstimatePolicy, check_estimate
from hitl_mlops.overrides.record import Method, Resolution
from hitl_mlops.review.ticket import TicketKind
from tests.builders import NOW, a_decision


def a_resolution(decision, *, right, kind=TicketKind.REVIEW):
    return Resolution(
        resolution_id=f"r-{decision.decision_id}-{kind}",
        decision_id=decision.decision_id,
        ticket_id=f"t-{decision.decision_id}",
        ticket_kind=kind,
        label=decision.label if right else "no",
        model_label=decision.label,
        method=Method.SINGLE,
        answer_keys=(),
        reviewers=("ana",),
        reason_codes=(None,),
        resolved_at=NOW,
    )


def decided(seed, count, *, sure, accuracy, reviewed=0.0, start=0):
    """So many decisions at one confidence, and what people said of a part of them."""
    rng = np.random.default_rng(seed)
    rows = [a_decision(case_id=f"c-{start + place}", confidence=sure, pi=0.2) for place in range(count)]
    said = [a_resolution(one, right=bool(rng.random() < accuracy)) for one in rows if rng.random() < reviewed]
    return rows, said


def test_decisions_as_sure_as_those_that_people_confirmed_are_no_alarm():
    past, said = decided(1, 2_000, sure=0.9, accuracy=0.9, reviewed=0.2)
    now, _ = decided(2, 2_000, sure=0.9, accuracy=0.9, start=2_000)

    found = check_estimate("p", past + now, said, promised=0.9)

    assert not found.alarm
    assert found.figure == pytest.approx(0.9, abs=0.03)
    assert found.interval[0] <= found.figure <= found.interval[1]
    assert (found.bound, found.decisions, found.labels) == (pytest.approx(0.88), 2_000, len(said))


def test_much_less_sure_decisions_alarm_before_any_of_them_is_labelled():
    past, said = decided(3, 2_000, sure=0.9, accuracy=0.9, reviewed=0.2)
    now, _ = decided(4, 2_000, sure=0.5, accuracy=0.5, start=2_000)

    found = check_estimate("p", past + now, said, promised=0.9)

    assert found.alarm
    assert found.figure == pytest.approx(0.5, abs=0.05)
    assert found.interval[1] < found.bound
    assert found.reason.startswith("A drop: about")


def test_a_drop_that_is_not_proven_is_no_alarm_and_is_told():
    past, said = decided(5, 200, sure=0.9, accuracy=0.9, reviewed=0.2)
    now, _ = decided(6, 500, sure=0.86, accuracy=0.9, start=200)

    found = check_estimate("p", past + now, said, promised=0.9, policy=EstimatePolicy(recent=500))

    assert not found.alarm
    assert found.reason.startswith("No proven drop")


@pytest.mark.parametrize(("labels", "decisions"), [(0, 500), (29, 500), (40, 50)])
def test_too_few_labels_or_decisions_tell_nothing(labels, decisions):
    rows, _ = decided(7, decisions, sure=0.9, accuracy=0.9)
    said = [a_resolution(one, right=True) for one in rows[:labels]]

    found = check_estimate("p", rows, said, promised=0.9)

    assert (found.alarm, found.figure, found.interval) == (False, None, None)
    assert found.reason.startswith("Too few to tell")


def test_tickets_chosen_by_outcome_do_not_count():
    rows, said = decided(8, 1_000, sure=0.9, accuracy=1.0, reviewed=0.2)
    shadow = [a_resolution(one, right=False, kind=TicketKind.SHADOW) for one in rows]

    assert check_estimate("p", rows, said + shadow, promised=0.9) == check_estimate(
        "p", rows, said, promised=0.9
    )


def test_labels_older_than_the_memory_do_not_count():
    rows, said = decided(9, 1_000, sure=0.9, accuracy=0.9, reviewed=0.5)

    found = check_estimate("p", rows, said, promised=0.9, policy=EstimatePolicy(memory=100, recent=100))

    assert found.labels == sum(one.decision_id in {row.decision_id for row in rows[-100:]} for one in said)


def test_nothing_decided_is_no_alarm():
    assert not check_estimate("p", [], [], promised=0.9).alarm


def test_without_a_drop_an_alarm_is_rarer_than_promised():
    alarms = []
    for seed in range(200):
        past, said = decided(seed, 600, sure=0.9, accuracy=0.88, reviewed=0.2)
        now, _ = decided(seed, 300, sure=0.9, accuracy=0.88, start=600)
        alarms.append(
            check_estimate("p", past + now, said, promised=0.9, policy=EstimatePolicy(recent=300)).alarm
        )

    assert np.mean(alarms) <= 0.025 + 2.6 * np.sqrt(0.025 * 0.975 / 200)
