"""Every key that a policy file may have, with the form of its value. Reader and JSON Schema go by it."""

from __future__ import annotations

from collections.abc import Mapping

from hitl_mlops.routing.forms import (
    CLASS,
    CONDITION,
    DURATION,
    FLAG,
    TEST,
    Form,
    either,
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
    "model": text().about("Your function that gives `risk`, a score from 0 to 1, for conditions to read."),
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
    "skill": text().about("What who answers must be able to do, by reviewers.yaml."),
    "within": DURATION.about("The time people have."),
    "intervention": text([each.value for each in Intervention]).about("When a person can still step in."),
    "reversible_for": DURATION.about("How long the effect can be taken back, of a route `after`."),
    "haltable_for": DURATION.about("How long it can be halted, of a route `during`."),
    "checks": list_of(text()).about("Your functions that must answer true; hitl.yaml says where they are."),
    "else": text().about("The stricter route where a check fails."),
    "blind_second": FLAG.about("The first of several signatures is given without the model's answer."),
    "stages": list_of(text(), single=False).about("Skills of those who sign one after another."),
}
STEP: Mapping[str, Form] = {
    "after": text().about("A share of the time allowed, 100%, or a time past the deadline, 4h."),
    "to": text().about("The route or role that gets it next."),
    "then": text(("reject", "wait")).about("The last word where nobody answers."),
    "remind": FLAG.about("It stays where it is, and those who have it are reminded."),
}
AMOUNT = either(number(0.0), text())
REGULATION: Mapping[str, Form] = {
    "name": text().about("What the decision's reasons call it."),
    "law": text().about("Where it is written, such as GDPR Art. 9."),
    "when": CONDITION,
    "at_least": text().about("The least route that it demands."),
}
OUTPUT_RULE: Mapping[str, Form] = {
    "name": text().about("What the decision's reasons call it."),
    "when": CONDITION,
    "must": CONDITION,
    "route": text().about("Where an answer goes that breaks it; left out: the closed route."),
}
OUTPUTS: Mapping[str, Form] = {
    "prohibited": list_of(CLASS).about("Classes that are never carried out without people."),
    "rules": list_of(map_of(OUTPUT_RULE, required=("name", "must"))).about("What must hold of answers."),
}
PERMISSION: Mapping[str, Form] = {
    "may": list_of(CLASS).about("Classes that the model may carry out by itself."),
    "model": list_of(CLASS).about("The model versions that may; left out: each."),
    "when": CONDITION,
}
COSTS: Mapping[str, Form] = {
    "wrong": named(AMOUNT).about(
        "Class → what it costs to carry it out where it is wrong; a number, or a column."
    ),
    "review": number(0.0).about("What a review costs: dearer doubt goes to people."),
    "budget": number(0.0).about("The most that a decision without people may be expected to cost."),
    "route": text().about("Where a case goes that is too dear; left out: the least route with people."),
}
FACTOR: Mapping[str, Form] = {
    "name": text().about("What the decision's reasons call it."),
    "weight": number(1e-9).about("Its weight among the factors."),
    "when": CONDITION,
    "of": text().about("A column that counts linearly between `from` and `to`."),
    "from": number().about("The value that counts nothing."),
    "to": number().about("The value that counts in full."),
}
IMPACT: Mapping[str, Form] = {
    "factors": list_of(map_of(FACTOR, required=("name", "weight"))).about("The weighted mean of these."),
    "model": text().about("Your function that gives the score instead."),
}
TOP: Mapping[str, Form] = {
    "version": whole(1).about("A number of yours."),
    "functions": named(list_of(text())).about("Function of hitl.yaml → the columns it reads."),
    "derive": named(text()).about("Attribute → your function that gives it, for conditions to read."),
    "risk": map_of(RISK).about("What hangs on a case, and what cannot be taken back."),
    "impact": map_of(IMPACT).about("How much a case weighs: `impact`, from 0 to 1, for conditions to read."),
    "regulation": list_of(map_of(REGULATION, required=("name", "when", "at_least"))).about(
        "Rules that override the confidence: all that fit apply, and none makes a route milder."
    ),
    "outputs": map_of(OUTPUTS).about("What no model may say by itself."),
    "actions": list_of(map_of(PERMISSION, required=("may",))).about(
        "What may be carried out without people; anything else goes to them."
    ),
    "costs": map_of(COSTS, required=("wrong",)).about("What mistakes and reviews cost."),
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
