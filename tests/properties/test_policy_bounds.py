"""What regulation, outputs, actions, costs, risk and impact may never do: make a route milder."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.route import route
from hitl_mlops.routing.sampling import draws

KEY = b"k" * 32
COLUMNS = ["confidence", "margin", "label", "amount", "channel", "age", "disagreement"]
ROW = st.tuples(
    st.one_of(st.floats(0, 1), st.sampled_from([np.nan, 1.5])),
    st.floats(0, 1),
    st.sampled_from(["pay", "lend", "ask", ""]),
    st.one_of(st.none(), st.floats(-10, 1000)),
    st.sampled_from(["web", "phone", None]),
    st.one_of(st.none(), st.integers(0, 90)),
    st.one_of(st.just(np.nan), st.floats(0, 1)),
)
ROWS = st.lists(ROW, min_size=1, max_size=8)
CONDITION = st.sampled_from(
    [
        "{age: '< 18'}",
        "{channel: [phone]}",
        "{amount: {not: '< 100'}}",
        "{label: lend, disagreement: '> 0.3'}",
        "[{risk: '>= 0.5'}, {impact: '>= 0.7'}]",
        "{flagged: true}",
    ]
)
PEOPLE = st.sampled_from(["standard", "senior", "two"])
BASE = """
functions: {score: [amount], flag: [age]}
derive: {flagged: flag}
risk:
  model: score
  consequence: [{is: low, when: {risk: "< 0.3"}}, {is: high, when: {amount: ">= 500"}}, {is: medium}]
  irreversible: {channel: phone}
matrix:
  low: {reversible: auto, irreversible: auto}
  medium: {reversible: auto, irreversible: standard}
  high: {reversible: senior, irreversible: two}
impact:
  factors:
    - {name: large, weight: 2, when: {amount: ">= 100"}}
    - {name: size, weight: 1, of: amount, from: 0, to: 500}
routes:
  auto: {confidence: ">= 0.9", when: {impact: "< 0.9"}}
  standard: {confidence: "0.6..0.9"}
  senior: {confidence: "< 0.6"}
  two: {signatures: 2, when: {consequence: high, confidence: "< 0.4"}}
"""


def score(rows):
    return rows["amount"] / 1000


def flag(rows):
    return [None if pd.isna(age) else age > 70 for age in rows["age"]]


FUNCTIONS = {"score": score, "flag": flag}


@st.composite
def sections(draw):
    """Any of the sections that demand more, each with something random in it."""
    parts = {
        "rules": f"[{{name: r, when: {draw(CONDITION)}, route: {draw(PEOPLE)}}}]",
        "regulation": f"[{{name: r, when: {draw(CONDITION)}, at_least: {draw(PEOPLE)}}}, "
        f"{{name: s, when: {draw(CONDITION)}, at_least: {draw(PEOPLE)}}}]",
        "outputs": f"{{prohibited: [lend], rules: [{{name: o, when: {draw(CONDITION)}, "
        "must: {amount: '<= 300'}}]}",
        "actions": f"[{{may: [pay], when: {draw(CONDITION)}}}, {{may: [ask], model: 3}}]",
        "costs": f"{{wrong: {{pay: amount, default: 9}}, review: {draw(st.integers(0, 50))}}}",
    }
    chosen = draw(st.sets(st.sampled_from(sorted(parts)), min_size=1))
    return "".join(f"{name}: {parts[name]}\n" for name in sorted(chosen))


def a_frame(rows):
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype({"confidence": float, "amount": float, "age": float})


def routed(policy, frame, functions=None):
    ids = [f"d{row}" for row in range(len(frame))]
    versions = ["3"] * len(frame)
    return route(
        policy,
        frame,
        draws(KEY, ids),
        checks=FUNCTIONS if functions is None else functions,
        versions=versions,
    )


def levels(policy, answer):
    return np.array([policy.level(name) for name in answer.route])


@settings(deadline=None, max_examples=150)
@given(sections(), ROWS)
def test_no_section_makes_a_route_milder(more, rows):
    plain, bound = parse_policy(BASE), parse_policy(more + BASE)
    frame = a_frame(rows)
    assert (levels(bound, routed(bound, frame)) >= levels(plain, routed(plain, frame))).all()


@settings(deadline=None, max_examples=150)
@given(sections(), ROWS, st.sampled_from(["amount", "channel", "age", "disagreement", "confidence"]))
def test_a_missing_value_never_means_less_oversight(more, rows, lost):
    policy, frame = parse_policy(more + BASE), a_frame(rows)
    usable = frame["confidence"].between(0, 1).to_numpy()
    without = frame.assign(**{lost: np.nan if lost != "channel" else None})
    known, unknown = levels(policy, routed(policy, frame)), levels(policy, routed(policy, without))
    if lost == "confidence":  # a tier reads no confidence that is none: the closed route is demanded instead
        assert (unknown >= policy.level(policy.closed_route)).all()
        return
    assert (unknown >= known)[usable].all()


@settings(deadline=None, max_examples=80)
@given(sections(), ROWS, st.sampled_from(["score", "flag"]))
def test_a_function_that_fails_never_means_less_oversight(more, rows, broken):
    policy, frame = parse_policy(more + BASE), a_frame(rows)
    failed = routed(policy, frame, {name: one for name, one in FUNCTIONS.items() if name != broken})
    assert (levels(policy, failed) >= levels(policy, routed(policy, frame))).all()
    assert not any(policy.plan(name).automatic for name in failed.route)


@settings(deadline=None, max_examples=80)
@given(sections(), ROWS, st.randoms())
def test_a_row_goes_the_same_way_whoever_stands_beside_it(more, rows, random):
    policy, frame = parse_policy(more + BASE), a_frame(rows)
    together = routed(policy, frame)
    order = list(range(len(rows)))
    random.shuffle(order)
    moved = routed(policy, frame.iloc[order])
    alone = routed(policy, frame.iloc[order[:1]])
    for now, before in enumerate(order):
        assert moved.route[now] == together.route[before]
        assert moved.reasons[now] == together.reasons[before]
        np.testing.assert_equal(moved.impact[now], together.impact[before])
    assert alone.reasons[0] == together.reasons[order[0]]
