"""What is odd in regulation, outputs, actions, costs and functions; and names that nothing knows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from hitl_mlops.documents import did_you_mean
from hitl_mlops.routing.bounds import Costs
from hitl_mlops.routing.conditions import Condition, Every, Not
from hitl_mlops.routing.finding import Finding, Severity
from hitl_mlops.routing.policy import Policy, absent_function
from hitl_mlops.routing.reach import Reach, reach_of


def unknown_names(
    policy: Policy,
    columns: Collection[str] | None,
    classes: Collection[str] | None,
    functions: Collection[str] | None,
) -> Iterator[Finding]:
    """Columns, classes and functions that the policy names and the project does not have.

    Where it is not known which there are, nothing is said of them.
    """
    for name in policy.kept if columns is not None else ():
        if name not in (columns or ()):
            meant = did_you_mean(name, {*(columns or ()), *policy.observed})
            fact = f"The policy reads {name!r}, which no case has."
            line = policy.line_of(name) if name in policy.attributes else policy.watches[name]
            yield Finding(Severity.ERROR, line, fact, meant)
    for place, label in _named_classes(policy) if classes is not None else ():
        if label not in (classes or ()):
            meant = did_you_mean(label, classes or ())
            fact = f"The policy names the class {label!r}, which the model never says."
            yield Finding(Severity.ERROR, policy.lines.get(place), fact, meant)
    for name, line in policy.uses.items() if functions is not None else ():
        if name not in (functions or ()):
            fact = f"The policy names the function {name!r}, which hitl.yaml does not bring."
            yield Finding(Severity.ERROR, line, fact, absent_function(name, functions or ()))


def _named_classes(policy: Policy) -> Iterator[tuple[str, str]]:
    """Each class that a section names, after its place in the file."""
    yield from (("outputs.prohibited", label) for label in policy.outputs.prohibited)
    for place, one in enumerate(policy.actions or ()):
        yield from ((f"actions[{place}].may", label) for label in one.may)
    if policy.costs is not None:
        yield from ((f"costs.wrong.{label}", label) for label in policy.costs.wrong)


def bounds_findings(policy: Policy) -> Iterator[Finding]:
    """What never speaks or changes nothing in these sections, by line."""
    yield from _regulation(policy)
    yield from _outputs(policy)
    yield from _actions(policy)
    yield from _costs(policy, policy.costs) if policy.costs is not None else ()
    yield from _unread(policy)


def _regulation(policy: Policy) -> Iterator[Finding]:
    names: set[str] = set()
    for place, one in enumerate(policy.regulation):
        line = policy.lines.get(f"regulation[{place}]")
        yield from _never(policy, one.when, line, f"The regulation {one.name!r} never applies")
        if policy.level(one.at_least) == 0:
            fact = (
                f"The regulation {one.name!r} demands {one.at_least}, the mildest route: it changes nothing."
            )
            yield Finding(Severity.WARNING, line, fact, "Name a stricter route, or take it out.")
        if one.name in names:
            fact = f"Another regulation is called {one.name!r}: reasons do not tell which one applied."
            yield Finding(Severity.WARNING, line, fact, "Give each a name of its own.")
        names.add(one.name)


def _outputs(policy: Policy) -> Iterator[Finding]:
    for place, rule in enumerate(policy.outputs.rules):
        line, broken = policy.lines.get(f"outputs.rules[{place}]"), Every((*rule.when, Not(rule.must)))
        yield from _never(policy, broken, line, f"The output rule {rule.name!r} is never broken")


def _actions(policy: Policy) -> Iterator[Finding]:
    for place, one in enumerate(policy.actions or ()):
        line = policy.lines.get(f"actions[{place}]")
        if one.when is not None:
            yield from _never(
                policy, one.when, line, f"The permission for {', '.join(one.may)} is never given"
            )
        for label in sorted({*one.may} & {*policy.outputs.prohibited}):
            fact = f"The class {label!r} is permitted here and prohibited under outputs: it goes to people."
            yield Finding(Severity.WARNING, line, fact, "Take it out of one of the two.")


def _never(policy: Policy, condition: Condition, line: int | None, fact: str) -> Iterator[Finding]:
    reach = reach_of(policy, condition)
    if reach is Reach.UNDECIDED:
        yield Finding(
            Severity.INFO, line, "Whether a case fits cannot be decided: there are too many kinds.", ""
        )
    elif reach is not Reach.ACTS:
        where = " save where a value is missing or unusable" if reach is Reach.IN_DOUBT else ""
        yield Finding(Severity.ERROR, line, f"{fact}{where}: no case fits it.", "Correct its condition.")


def _costs(policy: Policy, costs: Costs) -> Iterator[Finding]:
    if costs.review is not None and costs.budget is not None and costs.budget >= costs.review:
        yield Finding(
            Severity.WARNING,
            policy.lines.get("costs.budget"),
            f"The budget of {costs.budget:g} never matters: from {costs.review:g} on, a review is cheaper.",
            "Lower it below what a review costs, or take it out.",
        )


def _unread(policy: Policy) -> Iterator[Finding]:
    """Functions that nothing asks, and attributes that are made and never read."""
    for name in policy.functions:
        if name not in policy.uses:
            line = policy.lines.get(f"functions.{name}")
            yield Finding(Severity.WARNING, line, f"Nothing asks the function {name!r}.", "Take it out.")
    passed_on = {column for columns in policy.functions.values() for column in columns}
    for name in policy.computed:
        if name not in {*policy.reads} | passed_on:
            line = policy.lines.get({"risk": "risk.model", "impact": "impact"}.get(name, f"derive.{name}"))
            said = " It is only kept with the decision." if name == "impact" else ""
            severity = Severity.INFO if name == "impact" else Severity.WARNING
            yield Finding(severity, line, f"No condition reads {name!r}.{said}", "")
    if "disagreement" in policy.reads:
        fact = "`disagreement` is missing, so in doubt, wherever the model is no ensemble."
        yield Finding(Severity.INFO, policy.reads["disagreement"], fact, "")
