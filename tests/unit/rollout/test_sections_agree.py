"""What a policy file may say is what the rooms read."""

import pytest

from hitl_mlops.gates.policy import GATES, gates_policy
from hitl_mlops.rollout.policy import rollout_policy
from hitl_mlops.routing.policy_file import parse_policy

EVERYTHING = """
routes: {auto: {confidence: ">= 0.9"}, standard: {confidence: "< 0.9", signatures: 1}}
gates:
  required: [override_rate, error_rate, calibration, slices, classes, label_quality, golden, data_sanity]
  warn: [drift, disagreement, slice_classes, fairness, severity, stress, running_cost]
  override_rate: {margin: 0.01, alpha: 0.05, at_least: 30}
  calibration: {gap: 0.15}
  slices: {margin: 0.02, at_least: 10}
  classes: {margin: 0.05}
  label_quality: {quarantine: 0.2}
  golden: {margin: 0.02}
  disagreement: {share: 0.3}
  drift: {share: 0.1}
approval: {by: [release-managers], signatures: 2, expires: 12h, not_the_trainer: true, refuse_claimed: true}
rollout:
  shadow: {labels: disagreements, margin: 0.02, alpha: 0.1, alpha_rollback: 0.02, reviewer_error: 0.05}
  canary: {stages: [5, 100], at_least: 4, hold_at_most: 2d, then: roll_back}
  guardrails: {unanswered: 0.03, late_tickets: 0.5}
"""


def test_every_key_that_a_file_may_hold_is_read():
    policy = parse_policy(EVERYTHING)
    gates = gates_policy(policy.section("gates"))
    rollout = rollout_policy(policy.section("approval"), policy.section("rollout"))
    assert set(gates.required) | set(gates.warn) == set(GATES)
    assert (gates.at_least_labels, gates.calibration_gap, gates.quarantine_share) == (30, 0.15, 0.2)
    assert (rollout.approval_signatures, rollout.claimed_approvals, rollout.at_least) == (2, False, 4)
    assert (rollout.unanswered, rollout.late_tickets) == (0.03, 0.5)
    assert rollout.effective_margin == pytest.approx(0.018)
