"""What is known for sure, which seeds and calibration exercises come of it, and how their tickets look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.decisions.explanation import ExplainedBy, Explanation, Part
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import InputError
from hitl_mlops.overrides.record import Method, Resolution
from hitl_mlops.oversight.calibration import Due, choose_calibration, due_now
from hitl_mlops.oversight.exercise import Source, Truth, known_cases, truths
from hitl_mlops.oversight.open import (
    Disguise,
    calibration_ticket,
    newest_case_id,
    plain_decision,
    seed_ticket,
    told_insight,
)
from hitl_mlops.oversight.policy import OversightPolicy
from hitl_mlops.oversight.seeds import Pool, choose_seeds, wrong_suggestion
from hitl_mlops.review.open import Deadlines, Shown, learning_tickets
from hitl_mlops.review.page_why import Insight
from hitl_mlops.review.ticket import Ticket, TicketKind
from tests.builders import KEY, NOW, a_case, a_decision
from tests.oversight_builders import a_known, a_waiting

SHOWN = Shown(Task("p", InputKind.TABLE, ("x",), ("yes", "no", "maybe")))
ALL = OversightPolicy(seed_share=1.0)


def a_resolution(decision: str, label: str = "yes", **changes: object) -> Resolution:
    plain = {
        "resolution_id": f"res_{decision}_{label}",
        "decision_id": decision,
        "ticket_id": f"t_{decision}",
        "ticket_kind": "review",
        "label": label,
        "model_label": "yes",
        "method": Method.UNANIMOUS,
        "answer_keys": ("a", "b"),
        "reviewers": ("r1", "r2"),
        "reason_codes": (None, None),
        "resolved_at": NOW,
    }
    return Resolution(**{**plain, **changes})


def a_disguise(**changes: object) -> Disguise:
    plain = {"shown": SHOWN, "deadlines": Deadlines(), "key": KEY, "is_taken": lambda _: False}
    return Disguise(**{**plain, **changes})


def a_due(ticket: str, person: str, *, right: bool = True) -> Due:
    return Due(ticket, person, model_was_right=right)


def a_learning_ticket() -> Ticket:
    decision = a_decision()
    [one] = learning_tickets([decision], {"case-1": a_case()}, SHOWN, Deadlines(), now=NOW)
    return one


def chosen(tickets, known, policy=ALL, **pool):
    like = {one.decision_id: a_decision(decision_id=one.decision_id, route=one.lane) for one in tickets}
    return choose_seeds(tickets, like, Pool(known, **pool), policy, KEY)


def test_only_what_can_be_trusted_is_known():
    one_person = a_resolution("d_1", reviewers=("r1",), method=Method.SINGLE)
    majority = a_resolution("d_2", method=Method.MAJORITY)
    same_twice = a_resolution("d_3", reviewers=("r1", "r1"))
    two, judged = a_resolution("d_4"), a_resolution("d_5", method=Method.ADJUDICATED, reviewers=("r9",))
    found = truths([one_person, majority, same_twice, two, judged], {"d_6": "no"})
    assert found == {
        "d_4": Truth("yes", Source.UNANIMOUS),
        "d_5": Truth("yes", Source.ADJUDICATED),
        "d_6": Truth("no", Source.OUTCOME),
    }


def test_where_people_and_the_outcome_contradict_each_other_nothing_is_known():
    assert truths([a_resolution("d_1", "yes")], {"d_1": "no"}) == {}
    assert truths([a_resolution("d_1", "yes")], {"d_1": "yes"})["d_1"].source is Source.OUTCOME


def test_a_known_case_needs_an_answer_of_the_model_and_its_case():
    found = {"d_1": Truth("yes", Source.OUTCOME), "d_2": Truth("yes", Source.OUTCOME)}
    silent = a_decision(case_id="a", label="", probabilities={})
    lost = a_decision(case_id="b")
    assert known_cases(found, {"d_1": silent, "d_2": lost}, {"a": a_case(case_id="a")}, {}) == []


@given(
    st.sampled_from(["yes", "no", "maybe"]),
    st.sampled_from(["yes", "no", "maybe"]),
    st.lists(st.floats(0.01, 1), min_size=3, max_size=3),
    st.sampled_from(["standard", "senior"]),
)
def test_a_suggestion_is_never_the_truth_and_looks_like_an_answer(truth, label, weights, lane):
    shares = {name: one / sum(weights) for name, one in zip(("yes", "no", "maybe"), weights, strict=True)}
    known = a_known(truth=truth, label=label, confidence=shares[label], probabilities=shares)
    told = wrong_suggestion(known, lane)
    assert told is not None
    assert told.label != truth
    assert told.confidence == told.probabilities[told.label] == known.decision.confidence
    assert sorted(told.probabilities.values()) == sorted(shares.values())
    assert told.route == known.decision.route


def test_above_standard_no_rule_names_the_class_that_is_hidden():
    known = a_known(reasons=("label yes needs a second look → senior",), route="senior")
    assert wrong_suggestion(known, "senior") is None
    assert wrong_suggestion(known, "standard") is not None
    wrong = a_known(truth="no", reasons=("label yes needs a second look → senior",), route="senior")
    assert wrong_suggestion(wrong, "senior") == wrong.decision


def test_a_case_with_one_class_alone_makes_no_seed():
    assert wrong_suggestion(a_known(probabilities={"yes": 1.0}, confidence=1.0)) is None


def test_the_share_of_tickets_has_seeds_drawn_by_key_and_always_the_same():
    tickets = [a_waiting(SHOWN, f"c{number}") for number in range(1000, 3000)]
    known = [a_known(f"old-{number}") for number in range(300)]
    policy = OversightPolicy(seed_share=0.05)
    seeds = chosen(tickets, known, policy)
    assert 60 <= len(seeds) <= 140
    assert seeds == chosen(tickets, known, policy)
    assert len({one.known.decision.decision_id for one in seeds}) == len(seeds)
    beside = {one.beside.ticket_id for one in seeds}
    like = {one.decision_id: a_decision(decision_id=one.decision_id) for one in tickets}
    others = choose_seeds(tickets, like, Pool(known), policy, b"another key")
    assert beside != {one.beside.ticket_id for one in others}


def test_no_seed_stands_beside_a_ticket_that_is_no_ordinary_one():
    ticket = a_waiting(SHOWN)
    known = [a_known()]
    assert len(chosen([ticket], known)) == 1
    for changes in (
        {"blind": True},
        {"signatures": 2},
        {"kind": TicketKind.SHADOW},
        {"kind": TicketKind.COMPLAINT},
        {"meant_for": "r1"},
        {"step": 1},
        {"blind_first": True},
        {"stages": ("operations", "compliance")},
        {"copy": 2},
    ):
        assert chosen([replace(ticket, **changes)], known) == []


def test_a_case_of_another_route_or_used_before_or_seen_by_all_is_no_seed():
    ticket = a_waiting(SHOWN)
    assert chosen([ticket], [a_known(route="senior")]) == []
    known = a_known(seen_by=("r1", "r2"))
    assert chosen([ticket], [known], used=frozenset({known.decision.decision_id})) == []
    assert chosen([ticket], [known], active=["r1", "r2"]) == []
    assert len(chosen([ticket], [known], active=["r1", "r2", "r3"])) == 1


def test_a_case_that_all_who_have_the_skill_have_seen_is_no_seed():
    ticket, known = replace(a_waiting(SHOWN), skill="law"), a_known(seen_by=("r1",))
    who = {"active": ["r1", "r2"], "able": lambda skill: ["r1"] if skill == "law" else ["r1", "r2"]}
    assert chosen([ticket], [known], **who) == []
    assert len(chosen([ticket], [a_known(seen_by=("r2",))], **who)) == 1


def test_the_case_that_the_fewest_have_seen_is_taken():
    fresh, stale = a_known("fresh"), a_known("stale", seen_by=("r1",))
    [seed] = chosen([a_waiting(SHOWN)], [stale, fresh], active=["r1", "r2"])
    assert seed.known is fresh


def test_who_is_fast_gets_more_seeds_meant_for_them_of_cases_new_to_them():
    tickets = [a_waiting(SHOWN, f"c{number}") for number in range(1000, 3000)]
    known = [a_known(f"old-{number}") for number in range(600)]
    policy = OversightPolicy(seed_share=0.1, when_fast=3.0)
    seeds = chosen(tickets, known, policy, active=["r1", "r2"], fast=["r1"])
    mine = [one for one in seeds if one.meant_for == "r1"]
    assert 140 <= len(mine) <= 260  # .1 * (3 - 1) / 2 of 2,000
    assert chosen(tickets[:50], [a_known(seen_by=("r1",))], policy, active=["r1"], fast=["r1"]) == []


def test_the_ticket_of_a_seed_differs_from_the_one_beside_it_by_its_case_alone():
    ticket = a_waiting(SHOWN, model_version="7", at=NOW)
    [seed] = choose_seeds(
        [ticket], {ticket.decision_id: a_decision(model_version="7")}, Pool([a_known()]), ALL, KEY
    )
    made = seed_ticket(seed, "c1001", a_disguise())
    assert made is not None
    hidden, exercise = made
    assert hidden.shown.keys() == ticket.shown.keys()
    for name in ("lane", "skill", "signatures", "blind", "opened_at", "due_at", "state", "meant_for", "step"):
        assert getattr(hidden, name) == getattr(ticket, name)
    assert hidden.shown["provenance_html"] == ticket.shown["provenance_html"]
    assert hidden.shown["model_label"] == hidden.suggestion == exercise.suggestion == "no"
    assert exercise.truth == "yes"
    assert exercise.decision_id == hidden.decision_id == seed.known.decision.decision_id
    assert "old-1" not in str(hidden.shown)
    assert len(hidden.ticket_id) == len(ticket.ticket_id)
    assert hidden.ticket_id[:2] == "t_"
    assert TicketKind.SEED not in str(hidden.shown)


def test_the_page_of_a_seed_tells_the_wrong_class_as_the_likeliest():
    ticket = a_waiting(SHOWN)
    [seed] = chosen([ticket], [a_known()])
    hidden, _ = seed_ticket(seed, "c1001", a_disguise())
    assert hidden.shown["model_confidence"] == "80 %"
    assert hidden.shown["alternatives_html"].index("no") < hidden.shown["alternatives_html"].index("yes")
    assert "Next likeliest: <b>yes</b>" in hidden.shown["why_html"]


def test_an_id_that_is_shown_in_a_column_is_the_alias_too():
    task = replace(SHOWN.task, id="case_id", show=("case_id",))
    known = a_known()
    known = replace(known, case=replace(known.case, attributes={"case_id": "old-1"}))
    ticket = a_waiting(Shown(task))
    [seed] = chosen([ticket], [known])
    hidden, _ = seed_ticket(seed, "c1001", a_disguise(shown=Shown(task)))
    assert hidden.shown["case_id"] in hidden.shown["beside_html"]
    assert "old-1" not in str(hidden.shown)


def test_a_seed_that_would_show_in_any_way_is_not_opened():
    ticket = a_waiting(SHOWN)
    [seed] = chosen([ticket], [a_known()])

    def gone(_case):
        raise InputError("The picture is gone.")

    assert seed_ticket(seed, "ann", a_disguise()) is None
    assert seed_ticket(seed, "c1001", a_disguise(shown=replace(SHOWN, picture=gone))) is None
    other = replace(ticket, shown={**ticket.shown, "more": ""})
    assert seed_ticket(replace(seed, beside=other), "c1001", a_disguise()) is None
    assert seed_ticket(replace(seed, beside=replace(ticket, skill="law")), "c1001", a_disguise()) is None


def explained(seed, *, by_model: bool = True) -> Insight:
    parts = (Part("x", "5", 0.8),)
    found = Explanation(ExplainedBy.LINEAR, "no", parts) if by_model else None
    return told_insight(seed, Insight(found))


def test_what_spoke_for_the_answer_is_told_of_the_suggestion_and_never_left_out():
    neighbour = Insight(Explanation(ExplainedBy.LINEAR, "no", (Part("x", "1.5", 0.3),)))
    ticket = a_waiting(replace(SHOWN, insights=lambda _d, _c: lambda _one: neighbour))
    [seed] = chosen([ticket], [a_known()])
    made = seed_ticket(seed, "c1001", a_disguise(insight=explained))
    assert made is not None
    assert "log-odds against yes" in made[0].shown["why_html"]
    assert plain_decision(seed).label == "yes"
    unexplained = a_disguise(insight=lambda one: explained(one, by_model=False))
    assert seed_ticket(seed, "c1001", unexplained) is None
    [natural] = chosen([ticket], [a_known(truth="no")])
    assert explained(natural).explanation.against == "no"


MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


@given(st.integers(0, 6 * 24), st.integers(0, 10))
def test_what_is_due_once_stays_due_and_all_of_a_week_is_due_at_its_end(hour, per_week):
    earlier = due_now(["r1", "r2"], per_week, KEY, MONDAY + timedelta(hours=hour))
    later = due_now(["r1", "r2"], per_week, KEY, MONDAY + timedelta(hours=hour + 12))
    end = due_now(["r1", "r2"], per_week, KEY, MONDAY + timedelta(days=7, seconds=-1))
    assert set(earlier) <= set(later) <= set(end)
    assert len(end) == 2 * per_week
    assert len({one.ticket_id for one in end}) == 2 * per_week


@pytest.mark.parametrize("per_week", [1, 2, 3, 4])
def test_half_of_the_exercises_are_cases_that_the_model_got_right(per_week):
    ends = [MONDAY + timedelta(weeks=week, seconds=-1) for week in range(1, 9)]
    found = [one.model_was_right for end in ends for one in due_now(["r1"], per_week, KEY, end)]
    assert abs(2 * sum(found) - len(found)) <= 1


def test_nobody_gets_an_exercise_of_a_case_they_saw_or_twice():
    right, wrong = a_known("a-1"), a_known("a-2", truth="no")
    due = [a_due("t_1", "r1"), a_due("t_2", "r1", right=False), a_due("t_3", "r1"), a_due("t_4", "r2")]
    found = choose_calibration(due, [right, wrong], frozenset(), KEY)
    assert [(one.ticket_id, one.known) for one in found] == [("t_1", right), ("t_2", wrong), ("t_4", right)]
    assert choose_calibration(due[:1], [a_known(seen_by=("r1",))], frozenset(), KEY) == []
    used = frozenset({(right.decision.decision_id, "r1")})
    assert choose_calibration(due[:1], [right], used, KEY) == []


def test_a_calibration_ticket_is_blind_and_tells_neither_the_model_nor_the_truth():
    [one] = choose_calibration([a_due("t_1", "r1", right=False)], [a_known(truth="no")], frozenset(), KEY)
    ticket, exercise = calibration_ticket(one, "c1001", a_disguise(), NOW)
    assert ticket.blind
    assert "model_label" not in ticket.shown
    others = a_learning_ticket()
    assert (ticket.shown.keys(), ticket.lane, ticket.blind) == (
        others.shown.keys(),
        others.lane,
        others.blind,
    )
    assert (ticket.kind, ticket.meant_for, ticket.signatures) == (TicketKind.CALIBRATION, "r1", 1)
    assert (exercise.truth, exercise.suggestion) == ("no", "yes")
    assert "old-1" not in str(ticket.shown)
    assert calibration_ticket(one, "ann", a_disguise(), NOW) is None


def test_the_newest_case_gives_the_form_of_ids():
    assert newest_case_id([a_decision(case_id="a"), a_decision(case_id="b", at=NOW + timedelta(1))]) == "b"
    assert newest_case_id([]) == ""
