"""Whom nobody was asked about, read from the blocks of the log."""

from __future__ import annotations

import numpy as np

from hitl_mlops.review.candidates import unasked
from tests.builders import a_case, a_decision, a_log, decision_id, record


def in_a_log(*decisions):
    log = a_log()
    record(log, [a_case(case_id=one.case_id) for one in decisions], decisions)
    return log


def decided(case_id: str, **changes):
    return a_decision(decision_id=decision_id(case_id), case_id=case_id, **changes)


def free(case_id: str, **changes):
    return decided(case_id, **{"signatures": 0, "route": "auto", "spot_check": False, **changes})


def found(log, asked=frozenset(), version="1"):
    return unasked(log.store.blocks(), version, asked)


def test_only_what_no_person_sees_can_be_chosen():
    log = in_a_log(free("a"), decided("b", signatures=1), free("c"), free("d", spot_check=True, signatures=1))
    asked = {decision_id("c")}
    assert found(log, asked).names == [decision_id("a")]


def test_a_decision_without_an_answer_cannot_be_chosen():
    log = in_a_log(free("a"), free("b", label="", confidence=0.0, probabilities={}))
    assert found(log).names == [decision_id("a")]


def test_decisions_of_another_model_version_are_left_out():
    log = in_a_log(free("a", model_version="1"), free("b", model_version="2"))
    assert found(log, version="2").names == [decision_id("b")]


def test_margin_and_impact_come_with_each():
    said = {"a": 0.5, "b": 0.3, "c": 0.2}
    log = in_a_log(free("a", label="a", probabilities=said, impact=0.25), free("b"))
    candidates = found(log)
    place = list(candidates.names).index(decision_id("a"))
    np.testing.assert_allclose(candidates.margin[place], 0.2)
    assert candidates.impact[place] == 0.25
    assert np.isnan(candidates.impact[1 - place])


def test_an_empty_log_has_no_candidates():
    assert len(found(a_log())) == 0
