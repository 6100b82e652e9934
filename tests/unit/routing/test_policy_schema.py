"""The JSON Schema of policy.yaml takes what the reader takes, and refuses every key that it refuses."""

import copy
import re
from io import StringIO
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from hitl_mlops.documents import parse_yaml
from hitl_mlops.errors import ConfigurationError
from hitl_mlops.gates.policy import gates_policy
from hitl_mlops.rollout.policy import rollout_policy
from hitl_mlops.routing.conditions import parse_test
from hitl_mlops.routing.policy_default import default_policy
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.policy_schema import policy_schema

SCHEMA = policy_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
EVERY_KEY = """\
version: 3
functions: {sum: [amount, letters], find_pii: [note], score: [amount]}
derive: {pii: find_pii}
impact:
  factors: [{name: large, weight: 3, when: {amount: ">= 9"}}, {name: s, weight: 1, of: pay, from: 0, to: 9}]
regulation: [{name: special data, law: GDPR Art. 9, when: {pii: true}, at_least: senior}]
outputs:
  prohibited: [lend]
  rules: [{name: a cap, when: {label: pay}, must: {amount: "<= 9"}, route: senior}]
actions: [{may: [pay, 7], model: [3], when: {channel: web}}]
costs: {wrong: {pay: amount, default: 20}, review: 4, budget: 3, route: standard}
risk:
  model: score
  consequence: [{is: high, when: {amount: ">= 10000"}}, {is: low}]
  irreversible: [{channel: [instant, missing]}, {amount: {not: 0.5..0.7}, flagged: true}]
matrix:
  low: {reversible: auto, irreversible: check}
  high: {reversible: senior, irreversible: two}
rules: [{name: personal data, when: {pii: true}, route: senior}]
routes:
  auto: {confidence: ">= 0.92", intervention: after, reversible_for: 24h}
  check: {confidence: "0.85..0.92", checks: [sum], else: standard, intervention: during, haltable_for: 10m}
  standard: {confidence: "0.75..0.85", signatures: 1, within: 24h}
  senior: {confidence: "< 0.75", skill: senior}
  two: {when: {confidence: "< 0.60"}, signatures: 2, blind_second: true}
  two_stages: {stages: [operations, compliance]}
spot_checks: {auto: 0.03, check: 0.05}
escalation: [{after: 50%, remind: true}, {after: 100%, to: senior}, {after: 24h, then: reject}]
guards:
  breaker:
    {override_rate: "> 0.2", error_rate: ">= 0.1", calibration_gap: "> .3", window: 99, at_least: 9,
     per: branch, opens_for: 30m, trial: 20}
  rate_limits: [{at_most: 1000, per: 1h}, {scope: branch=north, at_most: 10, per: 1m}]
  freeze_like: {tag: policy_violation, distance: 0.2, text: 0.9}
  kill_switch: {two_people: true}
gates:
  required: [override_rate, golden]
  warn: [drift]
  override_rate: {margin: 0.01, alpha: 0.05, at_least: 30}
  calibration: {gap: 0.1}
  slices: {margin: 0.02, at_least: 10}
  classes: {margin: 0.05}
  error_rate: {margin: 0.01, reviewer_error: 0.05}
  slice_classes: {margin: 0.1}
  fairness: {outcome: [pay, 7], ratio: 0.8, error_ratio: 0, at_least: 30, smallest: 0.02}
  severity: {costs: {pay: 3, "ask -> pay": 9.5}, default: 1, margin: 0.01}
  label_quality: {quarantine: 0.25, agreement: 0.4, differs: 0.4}
  golden: {margin: 0.02}
  stress: {margin: 0.05}
  disagreement: {share: 0.25}
  data_sanity: {leak: 0.98, duplicates: 0.1, shift: 0.2}
  drift: {share: 0, min_rows: 100}
  running_cost: {ms: 100, megabytes: 200}
approval: {by: [managers], signatures: 2, expires: 1w, not_the_trainer: true, refuse_claimed: false}
review:
  claims: {for: 2h, at_once: 20, language: branch}
  blind_share: 0.05
  budget_hours_per_week: 10
  random_share: 0.2
  cost_per_hour: 42.5
  seeds: {share: 0.02, catch_rate: 0.8, alpha: 0.01, when_fast: 3}
  calibration: {per_week: 4}
  agreement: {at_least: 0.6, cases: 20}
  consensus: {method: dawid_skene, certainty: 0.9}
recourse: {complaints_within: 10d}
retrain:
  every: 7d
  drift: {share: 0.3}
  overrides: {count: 100, rate: 0.2, severe: 0.5}
  calibration: {gap: 0.1, severe: 0.3}
  accuracy: {drop: 0.05, severe: 0.2}
  widespread: 0.5
  at_least: 30
  window: 2000
  cool_down: 24h
  new_labels: 20
  quiet_below: 0.9
  enqueue: 50
  automatic: [freeze, roll_back, pause, enqueue, retrain]
rollout:
  shadow: {labels: disagreements, margin: 0.01, alpha: 0.05, alpha_rollback: 0.01, reviewer_error: 0.1}
  canary: {stages: [1, 5, 100], at_least: 20, hold_at_most: 7d, then: roll_back}
  guardrails: {unanswered: 0.02, late_tickets: 0.2}
"""
NAMED_BY_THE_USER = re.compile(
    r"^(matrix|routes|spot_checks|functions|derive|costs\.wrong|gates\.severity\.costs|.*\.must|.*\.when|.*\.irreversible(\[\d\])?)$"
)


def plain(text):
    return YAML(typ="safe", pure=True).load(text)


def is_read(tree):
    out = StringIO()
    YAML(typ="safe", pure=True).dump(tree, out)
    try:
        parse_policy(out.getvalue())
    except ConfigurationError:
        return False
    return True


def maps(tree, path=""):
    if isinstance(tree, dict):
        yield path, tree
        for key, value in tree.items():
            yield from maps(value, f"{path}.{key}".lstrip("."))
    if isinstance(tree, list):
        for place, value in enumerate(tree):
            yield from maps(value, f"{path}[{place}]")


def keys(tree):
    return [(path, key) for path, found in maps(tree) for key in found]


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        *(path.read_text() for path in sorted(Path("configs").glob("*/policy.yaml"))),
        default_policy("x"),
        EVERY_KEY,
    ],
)
def test_every_policy_that_is_shipped_or_made_validates_and_reads(text):
    VALIDATOR.validate(plain(text))
    assert is_read(plain(text))


def test_the_example_has_every_key_there_is():
    written = {key for _, key in keys(plain(EVERY_KEY))}
    assert {key for path, found in maps(SCHEMA) if path.endswith("properties") for key in found} <= written


@pytest.mark.parametrize(
    ("path", "key"),
    [
        (path, key)
        for path, key in keys(plain(EVERY_KEY))
        if not NAMED_BY_THE_USER.match(path) or path == "matrix.low"
    ],
)
def test_a_typo_in_a_key_is_refused_by_schema_and_reader_alike(path, key):
    tree = copy.deepcopy(plain(EVERY_KEY))
    found = dict(maps(tree))[path]
    found[key[:-1] + "xx"] = found.pop(key)
    assert not VALIDATOR.is_valid(tree)
    assert not is_read(tree)


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 200), st.floats(allow_nan=False, allow_infinity=False, width=32)
)
WORDS = st.sampled_from(
    [
        "",
        " ",
        "24h",
        "1w",
        "0s",
        "< 1",
        ">= x",
        "0.1..0.2",
        "1..",
        "missing",
        "auto",
        "== 1",
        "100%",
        "before",
    ]
)
VALUES = st.recursive(
    st.one_of(SCALARS, WORDS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["not", "a", "is"]), inner, max_size=2)
    ),
    max_leaves=5,
)


@given(st.sampled_from(keys(plain(EVERY_KEY))), VALUES)
@settings(max_examples=150, deadline=None)
def test_the_schema_takes_whatever_the_reader_takes(place, value):
    tree = copy.deepcopy(plain(EVERY_KEY))
    path, key = place
    dict(maps(tree))[path][key] = value
    assert VALIDATOR.is_valid(tree) or not is_read(tree)


@given(st.text(alphabet="0.1e+-<>=! ax\t", max_size=8))
@settings(max_examples=150, deadline=None)
def test_a_test_written_as_text_is_one_for_both(text):
    found = parse_yaml(f"x: {text!r}", "policy.yaml") if "\t" not in text else parse_yaml("x: '\t'", "p")
    try:
        parse_test("x", found.at("x"))
    except ConfigurationError as error:
        read = "is empty" in error.fact
    else:
        read = True
    written = found.at("x").value
    schema = {**SCHEMA["$defs"]["test"], "$defs": SCHEMA["$defs"]}
    assert jsonschema.Draft202012Validator(schema).is_valid(written) == read


def numbers(section):
    for key, schema in section["properties"].items():
        if schema.get("type") in {"number", "integer"}:
            low, high = schema["minimum"], schema.get("maximum", 10**6)
            yield from ((key, low), (key, high))


@pytest.mark.parametrize(
    ("gate", "key", "value"),
    [
        (gate, key, value)
        for gate, schema in SCHEMA["properties"]["gates"]["properties"].items()
        if schema.get("type") == "object"
        for key, value in numbers(schema)
    ],
)
def test_the_gates_take_every_number_that_the_file_may_hold(gate, key, value):
    assert value in [getattr(gates_policy({gate: {key: value}}), name) for name in gates_policy({}).__slots__]


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        (part, key, value)
        for part, schema in SCHEMA["properties"]["rollout"]["properties"].items()
        for key, value in numbers(schema)
    ],
)
def test_the_rollout_takes_every_number_that_the_file_may_hold(part, key, value):
    assert getattr(rollout_policy({}, {part: {key: value}}), key) == value


def test_a_single_value_where_only_a_list_is_acted_on_is_refused_by_both():
    for path, key in (("gates", "required"), ("rollout.canary", "stages")):
        tree = plain(EVERY_KEY)
        dict(maps(tree))[path][key] = 100 if key == "stages" else "golden"
        assert not VALIDATOR.is_valid(tree)
        assert not is_read(tree)
