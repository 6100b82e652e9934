"""A policy may ask whether a case holds personal data, and needs no function of the user's for it."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from hitl_mlops.redaction.holding import FIND_PII, holds_some
from hitl_mlops.redaction.patterns import Patterns
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.route import route

POLICY = """
functions: {find_pii: [note, account]}
derive: {pii_found: find_pii}
rules: [{name: personal data, when: {pii_found: true}, route: senior}]
routes:
  auto: {confidence: ">= 0.9"}
  senior: {confidence: "< 0.9"}
"""


def test_each_row_is_told_whether_it_holds_some() -> None:
    rows = pd.DataFrame(
        {
            "note": ["ann@example.org", "nothing", None, "nothing"],
            "account": [1.5, np.nan, 4111111111111111.0, 17.0],
            "ssn": [0, 0, 0, 123456789],
        }
    )
    assert holds_some(rows, Patterns()).tolist() == [True, False, True, True]
    assert holds_some(rows[:0], Patterns()).tolist() == []


def test_a_rule_on_it_sends_such_cases_to_people() -> None:
    columns = pd.DataFrame(
        {
            "note": ["call 0171 2345678", "all is well"],
            "account": [1, 2],
            "confidence": [0.99, 0.99],
            "margin": [0.9, 0.9],
            "label": ["a", "a"],
        }
    )
    routes = route(
        parse_policy(POLICY), columns, None, checks={FIND_PII: partial(holds_some, finder=Patterns())}
    )
    assert routes.route.tolist() == ["senior", "auto"]
    assert "rule: personal data → senior" in routes.reasons[0]
