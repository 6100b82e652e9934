"""Every key that a policy file may have, with the form of its value. Reader and JSON Schema go by it."""

from __future__ import annotations

from collections.abc import Mapping

from hitl_mlops.routing.forms import (
    CONDITION,
    DURATION,
    FLAG,
    TEST,
    Form,
    list_of,
    map_of,
    named,
    number,
    text,
    whole,
)
from hitl_mlops.routing.policy import SPOT_CHECK_FLOOR, Intervention
from hitl_mlops.routing.policy_sections import SECTIONS

CLAUSE: Mapping[str, Form] = {
    "is": text().about("Name of the consequence; the matrix has a line for it."),
    "when": CONDITION,
}
RISK: Mapping[str, Form] = {
    "consequence": list_of(map_of(CLAUSE, required=("is",))).about(
        "What hangs on a case: the first clause that fits; the last one has no `when`."
    ),
    "irreversible": CONDITION,
}
CELLS: Mapping[str, Form] = {
    "reversible": text().about("The least route of a case that can be taken back."),
    "irreversible": text().about("The least route of a case that cannot be taken back."),
}
RULE: Mapping[str, Form] = {
    "name": text().about("What the decision's reasons call it."),
    "when": CONDITION,
    "route": text().about("The route that it demands, whatever the confidence."),
}
ROUTE: Mapping[str, Form] = {
    "confidence": TEST,
    "when": CONDITION,
    "signatures": whole(0).about("How many distinct people must answer; 0 for automatic routes."),
    "skill": text().about("Lane of the people who may answer."),
    "within": DURATION.about("The time people have."),
    "intervention": text([each.value for each in Intervention]).about("When a person can still step in."),
    "reversible_for": DURATION.about("How long the effect can be taken back."),
    "checks": list_of(text()).about("Names of your checks that must pass."),
    "else": text().about("The stricter route where a check fails."),
    "blind_second": FLAG.about("The second reviewer does not see the first one's answer."),
}
STEP: Mapping[str, Form] = {
    "after": text().about("A share of the time allowed, 100%, or a time past the deadline, 4h."),
    "to": text().about("The route or role that gets it next."),
    "then": text(("reject", "wait")).about("The last word where nobody answers."),
}
TOP: Mapping[str, Form] = {
    "version": whole(1).about("A number of yours."),
    "risk": map_of(RISK).about("What hangs on a case, and what cannot be taken back."),
    "matrix": named(map_of(CELLS, required=tuple(CELLS))).about("Consequence → the least oversight."),
    "rules": list_of(map_of(RULE, required=tuple(RULE))).about(
        "Routes that a condition demands; first that fits."
    ),
    "routes": named(map_of(ROUTE)).about("The routes, in order of rising oversight."),
    "spot_checks": named(number(SPOT_CHECK_FLOOR, 1.0)).about(
        "Automatic route → share that people review, unseen."
    ),
    "escalation": list_of(map_of(STEP, required=("after",))).about("Steps for late tickets, earliest first."),
    **{name: map_of(keys) for name, keys in SECTIONS.items()},
}
