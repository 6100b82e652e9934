"""Who gets which sheet."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from hitl_mlops.queueing.hand_out import BATCH, ClaimPolicy, Free, claim_policy, hand_out
from hitl_mlops.review.roster import Person, Tier
from hitl_mlops.routing.policy_file import parse_policy
from tests.builders import NOW

ANN, BOB, CID = (Person(f"r{n}", f"{name}@x.org") for n, name in enumerate(("ann", "bob", "cid")))
BOSS = Person("t1", "boss@x.org", tier=Tier.SUPERVISOR)
POLICY = ClaimPolicy(timedelta(hours=2), 20)


def free(number: int = 1, **changes: object) -> Free:
    plain = Free(f"t_{number}", str(number), "standard", "yes", NOW + timedelta(hours=24))
    return replace(plain, **changes)  # type: ignore[arg-type]


def given(sheets, people, *, held=None, met=None, policy=POLICY):
    made = hand_out(sheets, people, held or {}, met or {}, policy, key=b"key", now=NOW)
    assert all((one.at, one.until) == (NOW, NOW + policy.held_for) for one in made)
    return {one.task_id: one.person for one in made}


def test_the_earliest_deadline_comes_first_and_of_one_hour_the_riskier_lane():
    late = free(1, due_at=NOW + timedelta(hours=48))
    mild, risky = free(2), free(3, risk=2)
    made = hand_out([late, mild, risky], [ANN], {}, {}, POLICY, key=b"key", now=NOW)
    assert [one.task_id for one in made] == ["3", "2", "1"]


def test_nobody_holds_more_than_roster_and_policy_let_them():
    sheets = [free(number) for number in range(1, 11)]
    people = [replace(ANN, at_most=3), BOB]
    found = Counter(given(sheets, people, held={"r1": 2}, policy=ClaimPolicy(at_once=6)).values())
    assert found == {"r0": 3, "r1": 4}


def test_skill_language_and_whom_it_is_meant_for_are_heeded():
    german = replace(ANN, languages=("de",))
    sheets = [
        free(1, skill="senior"),
        free(2, language="fr"),
        free(3, meant_for="r2"),
        free(4, skill="cards"),
        free(5, barred=frozenset({"r0", "r1", "r2"})),
    ]
    people = [german, replace(BOB, languages=("fr",)), replace(CID, languages=("en",)), BOSS]
    assert given(sheets, people) == {"1": "t1", "2": "r1", "3": "r2", "5": "t1"}


def test_inactive_people_get_nothing():
    assert given([free()], [replace(ANN, active=False)]) == {}


def test_two_sheets_of_one_ticket_go_to_two_people():
    pair = [free(1, ticket_id="t"), free(2, ticket_id="t")]
    assert len(set(given(pair, [ANN, BOB]).values())) == 2
    assert len(given(pair, [ANN])) == 1
    assert given([free(1, with_=frozenset({"r0"}))], [ANN]) == {}


def test_who_let_it_lapse_gets_it_last():
    assert given([free(1, lapsed=frozenset({"r0"}))], [ANN, BOB]) == {"1": "r1"}
    assert given([free(1, lapsed=frozenset({"r0"}))], [ANN]) == {"1": "r0"}


def test_those_lowest_who_can_are_asked_first():
    assert given([free()], [BOSS, ANN]) == {"1": "r0"}


def test_those_who_met_least_often_meet():
    met = {frozenset({"r0", "r1"}): 4, frozenset({"r0", "r2"}): 1}
    assert given([free(1, with_=frozenset({"r0"}))], [ANN, BOB, CID], met=met) == {"1": "r2"}


def test_over_many_tickets_with_two_signatures_all_pairs_meet_alike():
    people = [Person(f"r{n}", f"p{n}@x.org", at_most=200) for n in range(5)]
    sheets = [free(2 * n + side, ticket_id=f"t{n}") for n in range(100) for side in (1, 2)]
    found = given(sheets, people, policy=ClaimPolicy(at_once=200))
    pairs = Counter(frozenset((found[str(2 * n + 1)], found[str(2 * n + 2)])) for n in range(100))
    assert len(pairs) == 10
    assert max(pairs.values()) - min(pairs.values()) <= 3


def test_similar_cases_stay_together_in_batches_and_work_is_shared():
    sheets = [free(n, suggestion="yes" if n <= 10 else "no") for n in range(1, 21)]
    found = given(sheets, [ANN, BOB])
    assert Counter(found.values()) == {"r0": 10, "r1": 10}
    changes = sum(found[str(n)] != found[str(n + 1)] for n in range(1, 20))
    assert changes <= 20 / BATCH


def test_the_same_is_given_whatever_the_order():
    sheets = [free(n, risk=n % 3) for n in range(1, 30)]
    assert given(sheets, [ANN, BOB, CID]) == given(sheets[::-1], [ANN, BOB, CID])


@pytest.mark.parametrize(
    ("said", "policy"),
    [
        ("", None),
        ("review: {claims: {}}", ClaimPolicy()),
        (
            "review: {claims: {for: 30m, at_once: 5, language: tongue}}",
            ClaimPolicy(timedelta(minutes=30), 5, "tongue"),
        ),
    ],
)
def test_the_policy_says_how_sheets_are_handed_out(said, policy):
    read = parse_policy(f"routes: {{auto: {{}}, standard: {{}}}}\n{said}\n")
    assert claim_policy(read) == policy
    assert ("tongue" in read.kept) is ("tongue" in said)
