"""The policies on the page are policies, and the whole one does what the page says."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pandas as pd
import pytest

from hitl_mlops.documents import parse_yaml
from hitl_mlops.routing.cases import route_table
from hitl_mlops.routing.check import Severity, check
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.policy_forms import TOP
from tests.docs.pages import ROOT, Block, blocks

PAGE = ROOT / "docs" / "how-to" / "policy.md"
PIECES = [one for one in blocks(PAGE, "yaml") if "package" not in one.text and "our_checks:" not in one.text]
[WHOLE] = [one for one in PIECES if "outputs:" in one.text and "routes:" in one.text]
ROUTES = "routes: {auto: {confidence: '>= 0.9'}, standard: {}, senior: {}, two_signatures: {signatures: 2}}\n"


def functions() -> dict[str, Any]:
    """What the page's Python says."""
    [source] = [one.text for one in blocks(PAGE, "python") if "our_checks.py" in one.text]
    said: dict[str, Any] = {}
    exec(source, said)  # noqa: S102 - the page's own code
    return {name: one for name, one in said.items() if callable(one) and not name.startswith("__")}


@pytest.mark.parametrize("piece", PIECES, ids=str)
def test_every_piece_of_a_policy_on_the_page_reads(piece: Block) -> None:
    assert set(parse_yaml(piece.text, "page").fields()) <= set(TOP)
    parse_policy(piece.text if "routes:" in piece.text else piece.text + ROUTES)


def test_the_whole_policy_uses_every_section_of_routing_and_has_nothing_wrong() -> None:
    policy = parse_policy(WHOLE.text)
    columns = [*policy.attributes]
    found = check(policy, columns, classes=["pay", "decline", "ask"], functions=functions())
    assert [one.fact for one in found if one.severity is Severity.ERROR] == []
    assert [one.fact for one in found if "cannot be decided" in one.fact] == []
    assert set(TOP) - set(parse_yaml(WHOLE.text, "page").fields()) == {
        "escalation",
        "guards",
        "gates",
        "approval",
        "rollout",
        "recourse",
        "review",
        "retrain",
    }


def test_the_table_of_cases_on_the_page_is_what_the_policy_makes_of_them() -> None:
    [table] = [one.text for one in blocks(PAGE, "text") if re.match(r"label,.*expected", one.text)]
    routed = route_table(parse_policy(WHOLE.text), pd.read_csv(StringIO(table)), checks=functions())
    assert [(one.row, one.got, one.reasons) for one in routed if not one.as_expected] == []
    assert {one.got for one in routed} == {"auto", "check", "standard", "senior", "two_signatures"}
