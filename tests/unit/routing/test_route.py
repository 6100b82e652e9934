"""Where cases go: the strictest of three, closed when in doubt, and the same for one row as for many."""

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.ids import keyed_digest
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.route import route
from hitl_mlops.routing.sampling import draws, keyed_digests

KEY = b"k" * 32
POLICY = parse_policy("""
risk:
  consequence: [{is: high, when: {amount: ">= 100"}}, {is: low}]
  irreversible: {channel: instant}
matrix:
  low: {reversible: auto, irreversible: check}
  high: {reversible: senior, irreversible: two_signatures}
rules:
  - {name: personal data, when: {pii: true}, route: senior}
  - {name: odd label, when: {label: odd}, route: standard}
routes:
  auto: {confidence: ">= 0.9"}
  check: {confidence: "0.8..0.9", checks: [sum], else: standard}
  standard: {confidence: "0.7..0.8"}
  senior: {confidence: "< 0.7", skill: senior}
  two_signatures: {signatures: 2}
spot_checks: {auto: 0.2}
""")


def passes(rows):
    return np.ones(len(rows), dtype=bool)


def routed(policy=POLICY, checks=None, **columns):
    row = {"confidence": 0.95, "label": "a", "amount": 1.0, "channel": "slow", "pii": False} | columns
    answer = route(policy, pd.DataFrame([row]), draws(KEY, ["d_1"]), checks=checks or {"sum": passes})
    return answer.route[0], answer.reasons[0]


def test_confidence_alone_names_the_tier():
    assert [routed(confidence=c)[0] for c in (0.9, 0.85, 0.75, 0.1)] == [
        "auto",
        "check",
        "standard",
        "senior",
    ]


def test_the_strictest_of_matrix_tier_and_rule_wins_and_all_are_told():
    name, reasons = routed(amount=500.0, channel="instant", pii=True)
    assert name == "two_signatures"
    assert reasons == (
        "matrix: high, irreversible → two_signatures",
        "rule: personal data → senior",
        "confidence → auto",
    )


def test_only_the_first_rule_that_fits_speaks():
    assert routed(label="odd")[0] == "standard"
    assert not any("odd label" in reason for reason in routed(label="odd", pii=True)[1])


@pytest.mark.parametrize("confidence", [np.nan, np.inf, -np.inf, 1.5, -0.1, None])
def test_an_unusable_confidence_goes_to_a_senior(confidence):
    name, reasons = routed(confidence=confidence)
    assert name == "senior"
    assert "the model gave no usable answer → senior" in reasons


def test_no_policy_sends_everything_to_a_senior():
    assert routed(policy=None)[0] == "senior"


def test_a_confidence_that_no_tier_covers_goes_to_a_senior():
    gap = parse_policy("routes: {auto: {confidence: '>= 0.9'}, senior: {confidence: '< 0.5'}}")
    assert routed(policy=gap, confidence=0.7) == ("senior", ("no confidence tier fits → senior",))


def test_a_missing_value_that_risk_reads_is_taken_for_the_worse():
    name, reasons = routed(amount=None)
    assert name == "senior"
    assert "taken as consequence high: no value for amount" in reasons
    assert routed(channel=None)[0] == "check"


def test_a_rule_in_doubt_holds_and_later_rules_are_still_asked():
    name, reasons = routed(pii=None, label="odd")
    assert name == "senior"
    assert len([reason for reason in reasons if reason.startswith("rule")]) == 2


def raises(_rows):
    raise RuntimeError("no")


@pytest.mark.parametrize(
    ("check", "word"),
    [
        ({}, "is not there"),
        ({"sum": raises}, "raised RuntimeError"),
        ({"sum": lambda rows: [False] * len(rows)}, "failed"),
        ({"sum": lambda rows: [np.nan] * len(rows)}, "failed"),
        ({"sum": lambda rows: ["yes"] * len(rows)}, "failed"),
        ({"sum": lambda _rows: True}, "gave no answer for each row"),
    ],
)
def test_a_check_that_does_not_clearly_pass_sends_to_people(check, word):
    row = pd.DataFrame([{"confidence": 0.85, "label": "a", "amount": 1, "channel": "slow", "pii": False}])
    answer = route(POLICY, row, draws(KEY, ["d"]), checks=check)
    assert answer.route[0] == "standard"
    assert answer.reasons[0][0] == f"check sum {word} → standard"


def many(count):
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "confidence": np.where(rng.random(count) < 0.05, np.nan, rng.random(count)),
            "label": rng.choice(["a", "odd"], count),
            "amount": rng.choice([1.0, 500.0, np.nan], count),
            "channel": rng.choice(["slow", "instant", None], count),
            "pii": rng.choice([True, False, None], count),
        }
    )


def test_one_row_and_many_take_the_same_way():
    frame, ids = many(300), [f"d_{n}" for n in range(300)]
    together = route(POLICY, frame, draws(KEY, ids), checks={"sum": passes})
    for place in range(300):
        alone = route(POLICY, frame.iloc[[place]], draws(KEY, [ids[place]]), checks={"sum": passes})
        for name in ("route", "reasons", "pi", "spot_check", "signatures"):
            assert getattr(alone, name)[0] == getattr(together, name)[place]


def test_automatic_rows_are_drawn_at_their_rate_and_need_one_signature_then():
    frame = pd.DataFrame(
        {"confidence": np.full(5000, 0.95), "label": "a", "amount": 1.0, "channel": "slow", "pii": False}
    )
    answer = route(POLICY, frame, draws(KEY, [f"d_{n}" for n in range(5000)]))
    assert set(answer.pi) == {0.2}
    assert 0.17 < answer.spot_check.mean() < 0.23
    assert (answer.signatures == answer.spot_check).all()
    assert set(answer.route) == {"auto"}


def test_reasons_of_more_rules_than_a_number_has_bits_are_kept_apart():
    rules = "".join(f"  - {{name: r{n}, when: {{x: {n}}}, route: senior}}\n" for n in range(100))
    policy = parse_policy(f"rules:\n{rules}routes: {{auto: {{confidence: '>= 0'}}, senior: {{}}}}")
    values = [*range(100), None, "none"]
    frame = pd.DataFrame({"confidence": 0.5, "x": pd.Series(values, dtype=object)})
    reasons = route(policy, frame, draws(KEY, [str(n) for n in range(102)])).reasons
    assert [each[0] for each in reasons[:100]] == [f"rule: r{n} → senior" for n in range(100)]
    assert len(reasons[100]) == 101
    assert reasons[101] == ("confidence → auto",)


def test_no_rows_give_no_routes():
    assert len(route(POLICY, many(0), draws(KEY, [])).route) == 0


def test_the_digests_of_many_are_those_of_each_and_seven_bytes_after_the_id_are_the_draw():
    ids = ["", "case-1", "é" * 100]
    for key in (b"k", b"k" * 64, b"k" * 100):
        each = [keyed_digest(key, one) for one in ids]
        assert [bytes(one) for one in keyed_digests(key, ids)] == each
        assert draws(key, ids).tolist() == [int.from_bytes(one[12:19], "big") / 2**56 for one in each]
    assert draws(b"k", []).tolist() == []


def test_nobody_is_drawn_where_nothing_draws():
    assert not route(POLICY, many(5000)).spot_check.any()
