"""Reading a policy: the example of the design, and every mistake told with its line."""

from datetime import timedelta
from pathlib import Path

import pytest

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.routing.policy import CLOSED, check_attributes
from hitl_mlops.routing.policy_default import default_policy
from hitl_mlops.routing.policy_file import parse_policy, read_policy

EXAMPLE = """\
version: 3
risk:
  consequence:
    - {is: high,   when: {amount: ">= 10000"}}
    - {is: medium, when: {amount: ">= 500"}}
    - {is: low}
  irreversible: {channel: [instant]}
matrix:
  low:    {reversible: auto,   irreversible: check}
  medium: {reversible: check,  irreversible: standard}
  high:   {reversible: senior, irreversible: two_signatures}
rules:
  - {name: personal data, when: {pii_found: true}, route: senior}
routes:
  auto:           {confidence: ">= 0.92", intervention: after, reversible_for: 24h}
  check:          {confidence: "0.85..0.92", checks: [sum_matches_letter], else: standard}
  standard:       {confidence: "0.75..0.85", signatures: 1, within: 24h}
  senior:         {confidence: "< 0.75", signatures: 1, skill: senior, within: 4h}
  two_signatures: {when: {confidence: "< 0.60", consequence: high}, signatures: 2, blind_second: true}
spot_checks: {auto: 0.03, check: 0.05}
escalation: [{after: 100%, to: senior}, {after: 4h, to: supervisor}, {after: 24h, then: reject}]
guards:
  breaker: {override_rate: "> 0.25", window: 200, at_least: 50, opens_for: 30m, trial: 20}
  freeze_like: {tag: policy_violation}
gates:
  required: [override_rate, calibration, slices, label_quality, golden]
  warn: [drift]
  override_rate: {margin: 0.01, alpha: 0.05}
approval: {by: [release-managers], signatures: 1, expires: 24h, not_the_trainer: true}
rollout:
  shadow: {labels: disagreements, margin: 0.01, alpha: 0.05}
  canary: {stages: [1, 5, 25, 50, 100], hold_at_most: 7d, then: roll_back}
"""


def test_the_example_of_the_design_reads_as_it_stands():
    policy = parse_policy(EXAMPLE)
    assert policy.version == 3
    assert [plan.name for plan in policy.routes] == ["auto", "check", "standard", "senior", "two_signatures"]
    assert [plan.signatures for plan in policy.routes] == [0, 0, 1, 1, 2]
    assert policy.plan("senior").within == timedelta(hours=4)
    assert policy.attributes == ("amount", "channel", "pii_found")
    assert policy.review_rate("check") == 0.05
    assert policy.review_rate("standard") == 1.0
    assert policy.section("rollout")["canary"]["stages"] == [1, 5, 25, 50, 100]
    assert policy.escalation[0].after_frac == 1.0
    assert policy.closed_route == "senior"


@pytest.mark.parametrize(
    "path", sorted(Path("configs").glob("*/policy.yaml")), ids=lambda path: path.parent.name
)
def test_every_shipped_policy_reads(path):
    assert read_policy(path).hash.startswith("sha256:")


def test_the_policy_that_init_writes_reads():
    policy = parse_policy(default_policy("loans\nversion: 9"))
    assert policy.review_rate("auto") == 0.03
    assert policy.version == 1


def test_the_hash_changes_with_what_is_said_and_not_with_comments_or_order_of_keys():
    same = EXAMPLE.replace("version: 3", "version: 3  # the third").replace(
        "{auto: 0.03, check: 0.05}", "{check: 0.05, auto: 0.03}"
    )
    assert parse_policy(same).hash == parse_policy(EXAMPLE).hash
    assert parse_policy(EXAMPLE.replace("0.92", "0.93")).hash != parse_policy(EXAMPLE).hash


def test_the_order_of_routes_belongs_to_the_hash():
    one = "routes:\n  standard: {confidence: '>= 0'}\n  senior: {}\n"
    other = "routes:\n  senior: {}\n  standard: {confidence: '>= 0'}\n"
    assert parse_policy(one).hash != parse_policy(other).hash


MISTAKES = [
    ('confidence: ">= 0.92"', 'confidnce: ">= 0.92"', 15, "Did you mean confidence?"),
    ("spot_checks:", "spot_check:", 20, "Did you mean spot_checks?"),
    ("version: 3", "version: three", 1, "Write 1, 2, 3"),
    ("route: senior}", "route: seniors}", 13, "Did you mean senior?"),
    ('">= 500"', '">= five"', 5, "Write >= 10"),
    ('"0.85..0.92"', '"0.92..0.85"', 16, "smaller number first"),
    ("auto: 0.03", "auto: 0.001", 20, "number"),
    ("within: 24h", "within: soon", 17, "30m, 24h or 7d"),
    ("else: standard", "else: auto", 16, "standard"),
    ("    - {is: low}\n", "", 3, "{is: low}"),
    ("  medium: {reversible", "  middle: {reversible", 10, "medium"),
    ("stages: [1, 5,", "stages: [5, 1,", 31, "rising"),
    ("pii_found: true", "pii_found: {nott: true}", 13, "Did you mean not?"),
    ("required: [override_rate", "required: [overide_rate", 26, "Did you mean override_rate?"),
    ("version: 3", "version: 3\nversion: 4", 2, "Keep one"),
    ("risk:", "risk: [", 3, "Mend"),
    ("signatures: 2", "signatures: 0", 19, "1, 2, 3"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "remedy"), MISTAKES, ids=[each[1] for each in MISTAKES])
def test_a_mistake_is_told_with_its_line_and_remedy(right, wrong, line, remedy):
    assert right in EXAMPLE
    with pytest.raises(ConfigurationError) as told:
        parse_policy(EXAMPLE.replace(right, wrong, 1))
    assert abs(told.value.data["line"] - line) <= 1
    assert f"line {told.value.data['line']}" in told.value.fact
    assert remedy in told.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "routes: {}",
        "routes: {auto: {confidence: '>= 0'}}",
        "a: &a [*a]",
        "x" * 300_000,
        "\x00",
        "{" * 5000,
    ],
    ids=["empty", "list", "no routes", "nobody", "cycle", "huge", "nul", "deep"],
)
def test_what_is_no_policy_is_refused_in_plain_words(text):
    with pytest.raises(ConfigurationError) as told:
        parse_policy(text)
    assert told.value.remedy


def test_aliases_that_grow_without_end_are_refused():
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    with pytest.raises(ConfigurationError, match="values"):
        parse_policy("\n".join(lines))


def test_a_file_that_is_not_there_or_not_utf8_is_told_so(tmp_path):
    with pytest.raises(ConfigurationError, match=r"There is no file .*policy\.yaml"):
        read_policy(tmp_path / "policy.yaml")
    (tmp_path / "latin.yaml").write_bytes("routes: # für".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"latin\.yaml, line 1: .*not UTF-8"):
        read_policy(tmp_path / "latin.yaml")


def test_an_attribute_that_no_case_has_is_named_with_its_line():
    policy = parse_policy(EXAMPLE)
    check_attributes(policy, {"amount", "channel", "pii_found"})
    with pytest.raises(ConfigurationError, match=r"'amount' \(line 4\)") as told:
        check_attributes(policy, {"amounts", "channel", "pii_found"})
    assert told.value.remedy == "Did you mean amounts?"


def test_without_a_policy_everything_is_closed():
    assert CLOSED.review_rate(CLOSED.closed_route) == 1.0
