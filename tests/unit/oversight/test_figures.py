"""Figures of reviewers: who stamps is suspected once, who checks is not, and time accuses nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.overrides.record import Method, Resolution
from hitl_mlops.oversight.agreement import agreement_figures, answered_by_two
from hitl_mlops.oversight.notices import Closing, counted_from, new_issues, new_suspicions
from hitl_mlops.oversight.pace import pace
from hitl_mlops.oversight.policy import OversightPolicy
from hitl_mlops.oversight.reviewers import Seen, reviewer_figures, seed_figures, seeds_of
from hitl_mlops.review.ticket import TicketKind
from tests.builders import NOW, a_decision
from tests.oversight_builders import an_answer, an_exercise

POLICY = OversightPolicy(seed_share=0.02, agreement=0.6)


def seeded(caught: list[bool], person: str = "r1", **changes: object):
    """Answers to seeds that suggested no, in their order."""
    found = []
    for place, one in enumerate(caught):
        at = NOW + timedelta(minutes=place)
        name = f"t_{person}_{place}"
        given = an_answer(
            name, person, kind=TicketKind.SEED, label="yes" if one else "no", answered_at=at, collected_at=at
        )
        found.append((given, an_exercise(name)))
    return found


def seen_of(*pairs, **changes: object) -> Seen:
    given = [one for group in pairs for one, _ in group]
    return Seen(given, {one.ticket_id: known for group in pairs for one, known in group}, **changes)


def a_resolution(decision: str, label: str, *people: str, method: Method = Method.UNANIMOUS) -> Resolution:
    keys = tuple(f"k_{one}" for one in people)
    reasons = tuple(None for _ in people)
    return Resolution(
        f"res_{decision}", decision, "t", "review", label, "no", method, keys, people, reasons, NOW
    )


def test_who_confirms_every_wrong_suggestion_is_suspected_after_a_few():
    assert not seed_figures(seeded([False] * 2), POLICY).suspected
    found = seed_figures(seeded([False] * 4), POLICY)
    assert found.suspected
    assert (found.seen, found.caught_count, found.caught.value) == (4, 0, 0.0)


def test_another_wrong_class_and_passing_it_on_are_caught_but_not_right():
    [(given, known)] = seeded([False])
    third = (an_answer(given.ticket_id, label="maybe"), known)
    passed = (an_answer(given.ticket_id, label=None, escalated=True), known)
    found = seed_figures([third, passed], POLICY)
    assert (found.caught_count, found.right.value) == (2, 0.0)


def test_a_suspicion_stays_when_they_check_from_then_on():
    found = seed_figures(seeded([False] * 5 + [True] * 200), POLICY)
    assert found.suspected


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), max_size=60))
def test_the_evidence_never_falls_as_seeds_come(caught):
    values = [seed_figures(seeded(caught[:count]), POLICY).e_value for count in range(len(caught) + 1)]
    assert values == sorted(values)
    assert values[0] == 1.0


@pytest.mark.parametrize("rate", [0.8, 0.9])
def test_of_those_who_keep_the_promise_no_more_than_promised_are_ever_suspected(rate):
    rng = np.random.default_rng(11)
    policy, people = OversightPolicy(seed_share=0.02, alpha=0.05), 300
    draws = rng.random((people, 100)) < rate
    groups = [seeded(row.tolist(), f"r{number}") for number, row in enumerate(draws)]
    suspected = new_suspicions(seeds_of(seen_of(*groups), policy), [], NOW)
    assert len(suspected) <= 0.05 * people + 2 * np.sqrt(0.05 * 0.95 * people)


def test_each_is_suspected_once_and_anew_only_after_somebody_has_talked_to_them():
    before, honest = seeded([False] * 5), seeded([True] * 5, "r2")
    figures = seeds_of(seen_of(before, honest), POLICY)
    [first] = new_suspicions(figures, [], NOW)
    assert (first.person, first.seeds, first.caught) == ("r1", 5, 0)
    assert new_suspicions(figures, [first], NOW) == []
    talked = [replace(first, closed=Closing("lead", "talked", NOW + timedelta(hours=1)))]
    since = counted_from(talked)
    again = seeds_of(seen_of(before, counted_from=since), POLICY)
    assert again["r1"].seen == 0
    assert new_suspicions(again, talked, NOW) == []
    later = [
        (an_answer(f"t_{n}", kind=TicketKind.SEED, label="no", answered_at=NOW + timedelta(hours=2)), known)
        for n, (_, known) in enumerate(seeded([False] * 5))
    ]
    assert seed_figures(later, POLICY, since["r1"]).suspected


def test_anchoring_is_the_difference_between_blind_and_shown():
    blind = [
        (
            an_answer(f"t_b{n}", kind=TicketKind.CALIBRATION, shown=None, label=label),
            an_exercise(f"t_b{n}", kind=TicketKind.CALIBRATION, suggestion=model),
        )
        for n, (label, model) in enumerate([("yes", "no"), ("yes", "no"), ("no", "yes"), ("yes", "yes")])
    ]
    found = reviewer_figures(seen_of(blind, seeded([True, False])), POLICY)["r1"].calibration
    assert found.where_model_wrong.value == 1.0
    assert found.where_model_right.value == 0.5
    assert found.pull == 0.5


def test_accuracy_is_against_what_others_settled_never_against_oneself():
    answers = [an_answer(f"t_{n}", decision_id=f"d_{n}", label="yes") for n in range(4)]
    settled = {
        "d_0": a_resolution("d_0", "yes", "r1", "r2"),  # one other alone
        "d_1": a_resolution("d_1", "no", "r2", "r3"),
        "d_2": a_resolution("d_2", "yes", "r1", "r2", "r3"),
        "d_3": a_resolution("d_3", "yes", "r9", method=Method.ADJUDICATED),
    }
    found = reviewer_figures(Seen(answers, settled=settled), POLICY)["r1"].settled
    assert (found.reviewed, found.value) == (3, pytest.approx(2 / 3))
    own = {"d_3": a_resolution("d_3", "yes", "r1", method=Method.ADJUDICATED)}
    assert reviewer_figures(Seen(answers, settled=own), POLICY)["r1"].settled.reviewed == 0


def test_overrides_are_told_by_route_and_spot_checks_weighted():
    routes = ["standard", "standard", "senior"]
    decisions = {
        f"d_t_{n}": a_decision(case_id=f"c{n}", route=route, label="no") for n, route in enumerate(routes)
    }
    decisions["d_s0"] = a_decision(label="no", pi=0.1, route="auto")
    decisions["d_s1"] = a_decision(label="no", pi=0.5, route="auto")
    answers = [an_answer(f"t_{n}", label=label) for n, label in enumerate(("yes", "no", "no"))]
    answers += [
        an_answer(f"s{n}", decision_id=f"d_s{n}", kind=TicketKind.SPOT_CHECK, label=label)
        for n, label in enumerate(("yes", "no"))
    ]
    found = reviewer_figures(Seen(answers, decisions=decisions), POLICY)["r1"]
    assert {route: one.value for route, one in found.overrides.items()} == {
        "auto": 0.5, "senior": 0.0, "standard": 0.5,
    }  # fmt: skip
    assert found.spot_check_errors.value == pytest.approx(10 / 12)


def test_exercises_count_in_no_figure_of_the_work():
    found = reviewer_figures(seen_of(seeded([True, False, True])), POLICY)["r1"]
    assert (found.answers, found.overrides, found.pace.answers) == (0, {}, 0)


def test_who_has_not_answered_is_listed_with_nothing_known():
    found = reviewer_figures(Seen([]), POLICY, ["r7"])["r7"]
    assert (found.answers, found.seeds.e_value, found.seeds.suspected) == (0, 1.0, False)
    assert found.pace.factor is None


def times(count: int, factor: float, spread: float = 0.3, seed: int = 3):
    rng = np.random.default_rng(seed)
    hard = rng.uniform(0, 0.5, 2 * count)
    seconds = np.exp(1 + 2 * hard + rng.normal(0, spread, 2 * count))
    theirs = np.arange(2 * count) < count
    return np.where(theirs, factor * seconds, seconds), hard, theirs


def test_who_takes_a_third_of_the_time_is_fast_and_who_takes_two_thirds_is_not():
    assert pace(*times(60, 0.33)).fast
    assert not pace(*times(60, 0.67)).fast
    assert pace(*times(60, 0.33)).factor == pytest.approx(0.33, rel=0.2)


def test_easy_cases_make_nobody_fast():
    hard = np.r_[np.full(50, 0.02), np.full(25, 0.02), np.full(25, 0.6)]
    seconds = np.exp(1 + 3 * hard) * np.tile([0.9, 1.1], 50)
    assert not pace(seconds, hard, np.arange(100) < 50).fast


def test_too_few_answers_or_times_that_are_none_say_nothing():
    assert pace(*times(19, 0.1)).factor is None
    seconds, hard, theirs = times(60, 0.1)
    assert pace(np.where(theirs, 0.0, seconds), hard, theirs).answers == 0


def both(pairs, *, hours: int = 0):
    answers = [
        an_answer(
            f"t_{n}", person, label=label, answered_at=NOW + timedelta(hours=hours, seconds=n * 10 + place)
        )
        for n, labels in enumerate(pairs)
        for place, (person, label) in enumerate(zip(("r1", "r2", "r3"), labels, strict=False))
    ]
    return answered_by_two(answers)


MIXED = [("a", "a")] * 30 + [("b", "c"), ("c", "b"), ("b", "b"), ("c", "c")] * 10


def test_the_first_two_of_a_ticket_are_compared_and_exercises_are_not():
    [one] = both([("a", "b", "b")])
    assert one.labels == ("a", "b")
    assert answered_by_two([an_answer("t", person, kind=TicketKind.SEED) for person in ("r1", "r2")]) == []
    assert answered_by_two([an_answer("t", "r1"), an_answer("t", "r1", key="again")]) == []


def test_agreement_of_pairs_of_all_and_of_each_class_is_told():
    found = agreement_figures(both(MIXED))
    [pair] = found.pairs
    assert (pair.people, pair.cases) == (("r1", "r2"), 70)
    assert pair.kappa == pytest.approx(found.fleiss, abs=0.02)
    assert found.by_class["a"].value == 1.0
    assert found.by_class["b"].high < 0.6
    nothing = agreement_figures([])
    assert (nothing.overall.value, nothing.fleiss, nothing.pairs, nothing.by_class) == (None, None, (), {})


def test_low_agreement_on_a_class_opens_one_issue_with_the_cases_that_differ():
    found = new_issues(both(MIXED), [], POLICY, NOW)
    assert [one.label for one in found] == ["b", "c"]
    assert found[0].cases == 30
    assert len(found[0].decision_ids) == 20
    assert new_issues(both(MIXED), found, POLICY, NOW) == []
    assert new_issues(both(MIXED), [], OversightPolicy(agreement=None), NOW) == []
    assert new_issues(both(MIXED), [], OversightPolicy(agreement=0.6, agreement_cases=31), NOW) == []


def test_a_closed_issue_is_opened_anew_by_later_answers_alone():
    closed = [
        replace(one, closed=Closing("lead", "rewritten", NOW + timedelta(days=1)))
        for one in new_issues(both(MIXED), [], POLICY, NOW)
    ]
    assert new_issues(both(MIXED), closed, POLICY, NOW) == []
    later = [*both(MIXED), *both(MIXED, hours=48)]
    assert [one.label for one in new_issues(later, closed, POLICY, NOW)] == ["b", "c"]
