"""Reading functions, regulation, outputs, actions, costs and impact: every mistake with its line."""

from datetime import timedelta

import pytest

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.routing.policy import Intervention, check_attributes, check_functions
from hitl_mlops.routing.policy_file import parse_policy

EXAMPLE = """\
functions:
  find_pii: [note]
  score: [amount, country]
derive: {pii_found: find_pii}
risk: {model: score}
impact:
  factors:
    - {name: large, weight: 3, when: {amount: ">= 9"}}
    - {name: size, weight: 1, of: amount, from: 0, to: 90}
regulation:
  - {name: special data, law: GDPR Art. 9, when: {pii_found: true}, at_least: senior}
outputs:
  prohibited: [lend]
  rules: [{name: a cap, when: {label: pay}, must: {amount: "<= 9"}}]
actions: [{may: [pay, 7], model: 3, when: {channel: web}}]
costs: {wrong: {pay: loss, default: 20}, review: 4, budget: 3}
routes:
  auto: {confidence: ">= 0.9", intervention: during, haltable_for: 10m}
  check: {confidence: "0.8..0.9", checks: [sums], else: senior}
  senior: {confidence: "< 0.8"}
"""


def test_every_section_reads_as_it_stands():
    policy = parse_policy(EXAMPLE)
    assert policy.attributes == ("amount", "channel", "country", "loss", "note")
    assert policy.computed == ("pii_found", "risk", "impact")
    assert policy.uses == {"sums": 19, "find_pii": 4, "score": 5}
    assert policy.actions[0].may == ("pay", "7")
    assert policy.actions[0].model == ("3",)
    assert (policy.costs.wrong, policy.costs.wrong_default) == ({"pay": "loss"}, 20.0)
    assert policy.costs.route == policy.mildest_with_people == "senior"
    assert policy.regulation[0].title == "special data (GDPR Art. 9)"
    auto = policy.plan("auto")
    assert (auto.intervention, auto.haltable_for) == (Intervention.DURING, timedelta(minutes=10))


def test_a_policy_without_these_sections_computes_and_binds_nothing():
    policy = parse_policy("routes: {auto: {confidence: '>= 0.9'}, senior: {}}")
    assert (policy.computed, policy.uses, policy.actions, policy.costs) == ((), {}, None, None)
    assert policy.plan("auto").intervention is Intervention.AFTER
    assert policy.plan("senior").intervention is Intervention.BEFORE


MISTAKES = [
    ("at_least: senior", "at_least: seniors", 11, "Did you mean senior?"),
    ("law: GDPR Art. 9, ", "lawe: GDPR Art. 9, ", 11, "Did you mean law?"),
    (", at_least: senior", "", 11, "at_least"),
    ("{pii_found: find_pii}", "{confidence: find_pii}", 4, "another name"),
    ("{pii_found: find_pii}", "{risk: find_pii}", 4, "another name"),
    ("find_pii: [note]", "find_pii: [note, risk]", 4, "stands before it"),
    ("score: [amount, country]", "score: [consequence]", 5, "stands before it"),
    ('when: {amount: ">= 9"}}', 'when: {impact: ">= 9"}}', 7, "stands before it"),
    ("weight: 3", "weight: 0", 8, "number"),
    ("from: 0, to: 90", "from: 0, to: 0", 9, "of: amount"),
    ("of: amount, ", "", 9, "of: amount"),
    ("review: 4, budget: 3", "route: senior", 16, "review: 4"),
    ("default: 20", "default: -20", 16, "number"),
    ("review: 4", "review: 4, route: auto", 16, "senior"),
    ("may: [pay, 7]", "may: []", 15, "Name classes"),
    ("may: [pay, 7], ", "", 15, "may"),
    ('must: {amount: "<= 9"}', "mist: 3", 14, "Did you mean must?"),
    ("haltable_for: 10m", "reversible_for: 10m", 18, "haltable_for"),
    ("intervention: during", "intervention: before", 18, "during or after"),
    ("intervention: during", "intervention: after", 18, "intervention: during"),
    (
        'senior: {confidence: "< 0.8"}',
        'senior: {confidence: "< 0.8", reversible_for: 1h}',
        20,
        "intervention: after",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "line", "remedy"), MISTAKES, ids=[each[1] for each in MISTAKES])
def test_a_mistake_is_told_with_its_line_and_remedy(right, wrong, line, remedy):
    assert right in EXAMPLE
    with pytest.raises(ConfigurationError) as told:
        parse_policy(EXAMPLE.replace(right, wrong, 1))
    assert abs(told.value.data["line"] - line) <= 1
    assert remedy in told.value.remedy


def test_impact_is_told_in_one_way():
    with pytest.raises(ConfigurationError, match="by factors or by a model"):
        parse_policy("impact: {}\nroutes: {auto: {}, senior: {}}")


def test_a_function_that_is_not_brought_is_named_with_its_line():
    policy = parse_policy(EXAMPLE)
    check_functions(policy, {"find_pii", "score", "sums"})
    with pytest.raises(ConfigurationError, match=r"'score' \(line 5\)") as told:
        check_functions(policy, {"find_pii", "scores", "sums"})
    assert told.value.remedy.startswith("Did you mean scores? Or add `score: package.module:function`")


def test_a_column_that_only_a_function_reads_is_named_with_the_functions_line():
    known = {"amount", "channel", "country", "loss"}
    with pytest.raises(ConfigurationError, match=r"'note' \(line 2\)"):
        check_attributes(parse_policy(EXAMPLE), known)
