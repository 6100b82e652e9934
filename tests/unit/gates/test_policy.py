from __future__ import annotations

import pytest

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.gates.policy import GatesPolicy, gates_policy


def test_an_empty_section_gives_the_defaults():
    assert gates_policy({}) == GatesPolicy()


def test_the_section_of_the_example_is_read():
    policy = gates_policy(
        {
            "required": ["override_rate", "calibration", "slices", "label_quality", "golden"],
            "warn": ["drift"],
            "override_rate": {"margin": 0.02, "alpha": 0.1, "at_least": 50},
        }
    )

    assert (policy.margin, policy.alpha, policy.at_least_labels) == (0.02, 0.1, 50)
    assert policy.required[0] == "override_rate"
    assert policy.warn == ("drift",)


def test_a_gate_that_is_required_no_longer_only_warns():
    assert gates_policy({"required": ["drift"]}).warn == ()


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"required": ["acuracy"]}, "acuracy"),
        ({"required": "golden"}, "gates.required"),
        ({"fairnes": {}}, "fairnes"),
        ({"fairness": {"outcome": {}}}, "gates.fairness.outcome"),
        ({"severity": {"costs": 3}}, "gates.severity.costs"),
        ({"severity": {"costs": {"fraud": -1}}}, "gates.severity.costs.fraud"),
        ({"error_rate": {"reviewer_error": 0.5}}, "gates.error_rate.reviewer_error"),
        ({"override_rate": {"marign": 0.1}}, "marign"),
        ({"override_rate": {"margin": "much"}}, "gates.override_rate.margin"),
        ({"override_rate": {"alpha": 0.9}}, "gates.override_rate.alpha"),
        ({"override_rate": {"margin": True}}, "gates.override_rate.margin"),
        ({"override_rate": 0.01}, "gates.override_rate"),
        ({"required": ["drift"], "warn": ["drift"]}, "both name drift"),
    ],
)
def test_what_nobody_would_read_is_refused_by_name(section, words):
    with pytest.raises(ConfigurationError, match=words):
        gates_policy(section)
