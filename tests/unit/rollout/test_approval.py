"""Whose approval counts for what."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hitl_mlops.audit.entry import Entry, entry_body
from hitl_mlops.errors import InputError
from hitl_mlops.ids import digest_of_reason
from hitl_mlops.rollout.approval import (
    Approval,
    Subject,
    approval_event,
    approval_id,
    parse_approval,
    recorded_approvals,
    refusals,
)
from hitl_mlops.rollout.policy import RolloutPolicy

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SUBJECT = Subject("7", "sha256:m", "sha256:g", "sha256:p")
POLICY = RolloutPolicy()


def an_approval(**changes):
    return replace(Approval(SUBJECT, "rm1", digest_of_reason("better"), NOW, claimed=True), **changes)


def test_an_approval_read_back_from_the_trail_is_the_one_recorded():
    approval = an_approval()
    entry = Entry(0, entry_body(0, approval_event(approval)), b"")
    assert recorded_approvals([entry]) == [approval]


def test_the_reason_itself_is_not_in_the_trail():
    body = entry_body(0, approval_event(an_approval(reason_digest=digest_of_reason("Mr Smith said so"))))
    assert b"Smith" not in body


@pytest.mark.parametrize(
    "changes",
    [
        {"model_version": "8"},
        {"model_digest": "sha256:other"},
        {"gates_digest": "sha256:other"},
        {"policy_hash": "sha256:other"},
    ],
)
def test_an_approval_of_anything_else_does_not_count(changes):
    approval = an_approval(subject=replace(SUBJECT, **changes))
    assert refusals([approval], SUBJECT, POLICY, NOW) == ("0 of 1 approvals",)


def test_a_bound_and_fresh_approval_counts():
    assert refusals([an_approval()], SUBJECT, POLICY, NOW) == ()


def test_an_approval_expires():
    late = NOW + timedelta(hours=24, seconds=1)
    assert any("expired" in reason for reason in refusals([an_approval()], SUBJECT, POLICY, late))


def test_two_signatures_are_two_people():
    twice = replace(POLICY, approval_signatures=2)
    same = [an_approval(), an_approval(reason_digest=digest_of_reason("again"))]
    assert refusals(same, SUBJECT, twice, NOW) == ("1 of 2 approvals",)
    assert refusals([*same, an_approval(approver="rm2")], SUBJECT, twice, NOW) == ()


def test_a_policy_can_refuse_claimed_approvals():
    strict = replace(POLICY, claimed_approvals=False)
    assert any("claimed" in reason for reason in refusals([an_approval()], SUBJECT, strict, NOW))


@pytest.mark.parametrize("tag", ["approve", "approve:", "approve:  x "])
def test_an_approval_without_a_reason_is_refused(tag):
    with pytest.raises(InputError, match="no reason"):
        parse_approval(tag)


@pytest.mark.parametrize("tag", [None, "", "rejected: bad", "approved: yes", "true"])
def test_what_is_no_approval_is_none(tag):
    assert parse_approval(tag) is None


def test_the_same_consent_has_the_same_id_and_another_has_not():
    assert approval_id(an_approval()) == approval_id(an_approval(at=NOW + timedelta(hours=1)))
    assert approval_id(an_approval()) != approval_id(an_approval(approver="rm2"))
