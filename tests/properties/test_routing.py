"""What must hold of every case under every policy."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.routing.policy import SPOT_CHECK_FLOOR
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.route import route
from hitl_mlops.routing.sampling import draws

KEY = b"k" * 32
AMOUNT = st.one_of(st.none(), st.floats(-10, 1000), st.just(float("nan")))
CONFIDENCE = st.one_of(st.floats(0, 1), st.floats(), st.none())
ROW = st.fixed_dictionaries(
    {
        "confidence": CONFIDENCE,
        "margin": st.floats(0, 1),
        "label": st.sampled_from(["a", "b", ""]),
        "amount": AMOUNT,
        "channel": st.sampled_from(["slow", "instant", None]),
    }
)
ROWS = st.lists(ROW, max_size=12)


@st.composite
def policies(draw):
    high, low = sorted(draw(st.tuples(st.floats(0.5, 1), st.floats(0.01, 0.49))), reverse=True)
    bound, rate = draw(st.integers(0, 500)), draw(st.floats(SPOT_CHECK_FLOOR, 1))
    rule = draw(
        st.sampled_from(["{label: b}", "{amount: {not: '< 5'}}", "[{channel: instant}, {margin: '< 0.1'}]"])
    )
    return parse_policy(f"""
risk:
  consequence: [{{is: high, when: {{amount: ">= {bound}"}}}}, {{is: low}}]
  irreversible: {{channel: instant}}
matrix:
  low: {{reversible: auto, irreversible: standard}}
  high: {{reversible: senior, irreversible: two}}
rules: [{{name: r, when: {rule}, route: senior}}]
routes:
  auto: {{confidence: ">= {high}"}}
  standard: {{confidence: "{low}..{high}"}}
  senior: {{confidence: "< {low}"}}
  two: {{signatures: 2}}
spot_checks: {{auto: {rate}}}
""")


def routed(policy, rows):
    columns = pd.DataFrame(rows, columns=["confidence", "margin", "label", "amount", "channel"])
    return route(policy, columns, draws(KEY, [f"d{n}" for n in range(len(rows))]))


@settings(deadline=None, max_examples=150)
@given(policies(), ROWS)
def test_every_row_has_a_route_a_reason_and_a_probability_of_review(policy, rows):
    answer = routed(policy, rows)
    for place in range(len(rows)):
        plan = policy.plan(answer.route[place])
        assert answer.reasons[place]
        assert SPOT_CHECK_FLOOR <= answer.pi[place] <= 1
        if plan.automatic:
            drawn = draws(KEY, [f"d{place}"])[0] < answer.pi[place]
            assert answer.spot_check[place] == drawn
            assert answer.signatures[place] == int(drawn)
        else:
            assert (answer.pi[place], answer.spot_check[place]) == (1, False)
            assert answer.signatures[place] == plan.signatures


@settings(deadline=None, max_examples=100)
@given(policies(), ROWS)
def test_doubt_never_ends_in_an_automatic_route(policy, rows):
    answer = routed(policy, rows)
    for place, row in enumerate(rows):
        confidence = np.nan if row["confidence"] is None else row["confidence"]
        if not 0 <= confidence <= 1 or row["amount"] is None or np.isnan(row["amount"]):
            assert not policy.plan(answer.route[place]).automatic


@settings(deadline=None, max_examples=100)
@given(policies(), ROWS, st.randoms())
def test_a_row_goes_the_same_way_whoever_stands_beside_it(policy, rows, random):
    answer = routed(policy, rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    columns = pd.DataFrame(rows, columns=["confidence", "margin", "label", "amount", "channel"])
    moved = route(policy, columns.iloc[order], draws(KEY, [f"d{n}" for n in order]))
    for now, before in enumerate(order):
        assert moved.route[now] == answer.route[before]
        assert moved.reasons[now] == answer.reasons[before]
        assert moved.spot_check[now] == answer.spot_check[before]


@settings(deadline=None, max_examples=100)
@given(policies(), ROW, st.floats(0, 1), st.floats(0, 1))
def test_more_confidence_never_means_more_oversight(policy, row, one, other):
    low, high = sorted((one, other))
    answer = routed(policy, [row | {"confidence": low}, row | {"confidence": high}])
    assert policy.level(answer.route[0]) >= policy.level(answer.route[1])
