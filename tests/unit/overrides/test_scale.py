"""Where people differ, whoever is known to be right more often weighs more; nobody's word is bent by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.overrides.consensus import Asked, Standing, weigh
from hitl_mlops.overrides.record import Method
from hitl_mlops.overrides.scale import FEWEST_ITEMS, Scale, Weighing, make_scale
from hitl_mlops.review.ticket import TicketKind
from tests.unit.overrides.test_consensus import a_vote

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RIGHT = {"ann": 0.98, "bob": 0.6, "cid": 0.6, "dan": 0.97}


def answers(items: int = 400, seed: int = 1, people: dict[str, float] = RIGHT) -> list[tuple[str, str, str]]:
    """(decision, person, class) of people who are right as often as given, each on every item."""
    draws = np.random.default_rng(seed)
    said = []
    for item in range(items):
        truth = int(draws.integers(3))
        for person, right in people.items():
            wrong = (truth + 1 + int(draws.integers(2))) % 3
            said.append((f"d{item}", person, str(truth if draws.random() < right else wrong)))
    return said


def a_scale(method: Weighing = Weighing.DAWID_SKENE, certainty: float = 0.8) -> Scale:
    made = make_scale(answers(), method, certainty, now=NOW)
    assert made is not None
    return made


def asked(signatures: int = 1, kind: TicketKind = TicketKind.REVIEW) -> Asked:
    return Asked("t", "d", kind, signatures, "1")


def of(**labels: str):
    return [a_vote(name, label, place) for place, (name, label) in enumerate(labels.items())]


METHODS = [Weighing.WEIGHTED, Weighing.DAWID_SKENE]


@pytest.mark.parametrize("method", METHODS)
def test_one_who_is_nearly_always_right_outweighs_two_who_often_err(method: Weighing) -> None:
    votes = of(bob="2", cid="2", ann="1")
    assert weigh(asked(), votes).label == "2"
    found = weigh(asked(), votes, a_scale(method, 0.7))
    assert (found.label, found.method, found.answer_keys) == ("1", Method(method.value), (votes[2].key,))


@pytest.mark.parametrize("method", METHODS)
def test_whoever_weighs_too_little_is_joined_by_one_more(method: Weighing) -> None:
    scale = a_scale(method)
    assert weigh(asked(), of(ann="1"), scale).standing is Standing.RESOLVED
    assert weigh(asked(), of(bob="1"), scale).standing is Standing.DISAGREED
    assert weigh(asked(), of(bob="1", cid="2"), scale).standing is Standing.DISAGREED
    assert weigh(asked(), of(ann="1", dan="2", bob="0"), scale).standing is Standing.TIED


@pytest.mark.parametrize("method", METHODS)
def test_no_weight_takes_the_place_of_a_signature(method: Weighing) -> None:
    scale = a_scale(method)
    assert weigh(asked(signatures=2), of(ann="1"), scale).standing is Standing.WAITING
    assert weigh(asked(signatures=2), of(bob="2", cid="2", ann="1"), scale).standing is Standing.TIED
    assert weigh(asked(signatures=2), of(ann="1", dan="1", bob="2"), scale).label == "1"


def test_an_adjudicators_word_is_not_weighed() -> None:
    found = weigh(asked(kind=TicketKind.ADJUDICATION), of(bob="1"), a_scale())
    assert (found.label, found.method) == ("1", Method.ADJUDICATED)


def test_a_class_that_the_scale_does_not_know_is_left_to_the_majority() -> None:
    assert weigh(asked(), of(bob="9"), a_scale()).label == "9"


def test_the_chances_are_the_ones_that_bayes_rule_gives() -> None:
    even = ((0.9, 0.1), (0.2, 0.8))
    scale = Scale(NOW, Weighing.DAWID_SKENE, 0.8, ("no", "yes"), (0.75, 0.25), {"ann": even}, even)
    found = scale.chances([("ann", "yes"), ("stranger", "yes")])
    no, yes = 0.75 * 0.1 * 0.1, 0.25 * 0.8 * 0.8
    assert found == pytest.approx({"no": no / (no + yes), "yes": yes / (no + yes)})


def test_with_few_cases_answered_by_several_nobody_weighs_more() -> None:
    few = answers(FEWEST_ITEMS - 1)
    alone = [(f"x{number}", "ann", "1") for number in range(1_000)]
    assert make_scale([*few, *alone], Weighing.WEIGHTED, 0.8, now=NOW) is None
    assert make_scale(answers(FEWEST_ITEMS), Weighing.WEIGHTED, 0.8, now=NOW) is not None


def test_a_scale_of_classes_known_by_one_name_alone_is_none() -> None:
    same = [(f"d{number}", person, "1") for number in range(100) for person in ("ann", "bob")]
    assert make_scale(same, Weighing.DAWID_SKENE, 0.8, now=NOW) is None


@given(st.permutations(list(range(len(RIGHT) * 60))))
def test_the_order_of_the_answers_changes_nothing(order: list[int]) -> None:
    said = answers(60)
    first = make_scale(said, Weighing.DAWID_SKENE, 0.8, now=NOW)
    again = make_scale([said[place] for place in order], Weighing.DAWID_SKENE, 0.8, now=NOW)
    assert first is not None
    assert again is not None
    for name, matrix in (first.people or {}).items():
        assert np.allclose(matrix, (again.people or {})[name], atol=1e-4)


def test_it_is_right_more_often_than_the_majority_where_people_differ_in_skill() -> None:
    people = {"ann": 0.95, "bob": 0.6, "cid": 0.6}
    scale = make_scale(answers(600, 2, people), Weighing.DAWID_SKENE, 0.5, now=NOW)
    truths = [label for _, person, label in answers(1_000, 3, {"sure": 1.0})]
    draws = np.random.default_rng(4)
    right = {"majority": 0, "scale": 0}
    for truth in truths:
        said = {
            name: truth if draws.random() < often else str((int(truth) + 1 + int(draws.integers(2))) % 3)
            for name, often in people.items()
        }
        right["majority"] += weigh(asked(), of(**said)).label == truth
        right["scale"] += weigh(asked(), of(**said), scale).label == truth
    assert right["scale"] > right["majority"] + 100


def test_a_scale_says_from_when_on_it_holds() -> None:
    assert (
        a_scale().scale_id
        != make_scale(answers(), Weighing.DAWID_SKENE, 0.8, now=NOW + timedelta(days=1)).scale_id
    )  # type: ignore[union-attr]
