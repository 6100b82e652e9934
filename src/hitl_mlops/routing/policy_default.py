"""The policy that `hitl init` writes, for its owner to change."""

from __future__ import annotations

DEFAULT_POLICY = """\
# Who decides what. Checked on every command; a mistake is told with its line.
# A test is a value, a list (any of), ">= 10", "0.75..0.92" (from, up to but not including),
# missing, or {not: …}. All tests of a map must hold; a list of maps means any.
version: 1

# What hangs on a case, and what cannot be taken back, by columns of your data. For example:
#
# risk:
#   consequence:                        # first that fits; the last one has no `when`
#     - {is: high, when: {amount: ">= 10000"}}
#     - {is: low}
#   irreversible: {channel: [instant]}
# matrix:                               # the least oversight
#   low:  {reversible: auto,   irreversible: standard}
#   high: {reversible: senior, irreversible: senior}

# What goes to people whatever the confidence; first that fits. For example:
#
# rules:
#   - {name: personal data, when: {pii_found: true}, route: senior}
#
# Further sections, each optional: regulation (all that fit apply), outputs (prohibited classes, rules of the
# business), actions (what may go out without people), costs (of mistakes and reviews), impact (a score), and
# functions of your own (derive, risk.model, checks). For example:
#
# regulation:
#   - {name: children, law: GDPR Recital 71, when: {age: "< 18"}, at_least: senior}
# costs: {wrong: {approve: amount, default: 20}, review: 4}

routes:                                 # in order of rising oversight
  auto:     {confidence: ">= 0.92"}
  standard: {confidence: "0.75..0.92", signatures: 1, within: 24h}
  senior:   {confidence: "< 0.75", signatures: 1, skill: senior, within: 4h}

spot_checks: {auto: 0.03}               # share of automatic decisions that people review, unseen

gates:                                  # what a challenger must pass
  required: [override_rate, calibration, slices, label_quality]
  warn: [drift]
  override_rate: {margin: 0.01, alpha: 0.05}

approval: {by: [release-managers], signatures: 1, expires: 24h, not_the_trainer: true}

rollout:
  shadow: {labels: disagreements, margin: 0.01, alpha: 0.05}
  canary: {stages: [1, 5, 25, 50, 100], hold_at_most: 7d, then: roll_back}
"""


def default_policy(project: str) -> str:
    """A commented policy file to start from; it parses, and says whose it is."""
    owner = " ".join(project.split()) or "this project"
    return f"# Policy of {owner}.\n{DEFAULT_POLICY}"
