"""Reading the sections `approval` and `rollout`."""

from datetime import timedelta

import pytest

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.rollout.policy import duration, rollout_policy


def test_the_sections_of_the_example_are_read():
    policy = rollout_policy(
        {"by": ["release-managers"], "signatures": 2, "expires": "12h", "not_the_trainer": True},
        {"shadow": {"labels": "disagreements", "margin": 0.02, "alpha": 0.1}, "canary": {"stages": [5, 100]}},
    )
    assert (policy.approval_signatures, policy.approval_expires) == (2, timedelta(hours=12))
    assert (policy.margin, policy.promote_at, policy.stages) == (0.02, 10, (5.0, 100.0))


@pytest.mark.parametrize("stages", [[], [50, 5, 100], [5, 50], [0, 100], [5, 5, 100]])
def test_stages_that_do_not_rise_to_100_are_refused(stages):
    with pytest.raises(ConfigurationError, match="stages"):
        rollout_policy({}, {"canary": {"stages": stages}})


@pytest.mark.parametrize(
    ("section", "word"),
    [
        ({"shadow": {"alfa": 0.1}}, "alfa"),
        ({"shadow": {"alpha": 2}}, "alpha"),
        ({"shadow": {"margin": True}}, "margin"),
        ({"canary": {"then": "promote"}}, "promote"),
        ({"canry": {}}, "canry"),
    ],
)
def test_what_is_wrong_is_named(section, word):
    with pytest.raises(ConfigurationError, match=word):
        rollout_policy({}, section)


def test_reviewers_errors_shrink_the_margin():
    policy = rollout_policy({}, {"shadow": {"margin": 0.01, "reviewer_error": 0.05}})
    assert policy.effective_margin == pytest.approx(0.009)


def test_a_duration_is_a_number_with_a_unit():
    assert duration("1.5h", "x") == timedelta(minutes=90)
    with pytest.raises(ConfigurationError, match="no length of time"):
        duration("soon", "x")
