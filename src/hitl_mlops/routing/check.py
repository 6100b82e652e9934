"""What is odd in a policy that reads well: rules that never fire, gaps, overlaps, dead ends. Pure.

Nothing is called unreachable that any case can reach: where a policy tells too many kinds of cases apart,
that is said instead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from hitl_mlops.routing.check_bounds import bounds_findings, unknown_names
from hitl_mlops.routing.conditions import attributes_of
from hitl_mlops.routing.finding import Finding, Severity
from hitl_mlops.routing.policy import Policy
from hitl_mlops.routing.reach import (
    Gap,
    Reach,
    bound_to,
    confidence_gaps,
    possible_routes,
    reach_of_clause,
    reach_of_rules,
    tier_overlaps,
)

__all__ = ["Finding", "Severity", "check"]

_UNDECIDED = "cannot be decided: the conditions tell too many kinds of cases apart"


def check(
    policy: Policy,
    columns: Collection[str] | None = None,
    *,
    classes: Collection[str] | None = None,
    functions: Collection[str] | None = None,
) -> tuple[Finding, ...]:
    """All findings, errors first, then by line.

    Args:
        policy: the policy, as it was read.
        columns: names of the columns that cases have; None where they are not known.
        classes: what the model may say; None where that is not known.
        functions: names of the functions that `hitl.yaml` brings; None where they are not known.
    """
    circle = list(_circle(policy))
    found = [*circle, *unknown_names(policy, columns, classes, functions)]
    if not circle:
        for look in (_rules, _pointless_rules, _clauses, _matrix, bounds_findings, _gaps, _overlaps, _routes):
            found += look(policy)
    order = list(Severity)
    return tuple(sorted(found, key=lambda one: (order.index(one.severity), one.line or 0)))


def _circle(policy: Policy) -> Iterator[Finding]:
    conditions = [clause.when for clause in policy.consequences if clause.when is not None]
    conditions += [policy.irreversible] if policy.irreversible is not None else []
    if any("consequence" in attributes_of(condition) for condition in conditions):
        yield Finding(
            Severity.ERROR,
            policy.lines.get("risk"),
            "The section risk reads `consequence`, which it is itself to tell.",
            "Read a column of your data, confidence, margin or label there.",
        )


def _rules(policy: Policy) -> Iterator[Finding]:
    for place, (reach, takers) in enumerate(reach_of_rules(policy)):
        rule, line = policy.rules[place], policy.lines.get(f"rules[{place}]")
        if reach is Reach.UNDECIDED:
            yield Finding(Severity.INFO, line, f"Whether the rule {rule.name!r} ever fires {_UNDECIDED}.", "")
        elif reach is not Reach.ACTS:
            before = ", ".join(repr(policy.rules[other].name) for other in takers)
            lost = any(policy.level(policy.rules[other].route) < policy.level(rule.route) for other in takers)
            when = (
                "can never fire"
                if reach is Reach.NEVER
                else "fires only where a value is missing or unusable"
            )
            other = "other " if reach is Reach.IN_DOUBT else ""
            why = f"earlier rules take every {other}case that fits it: {before}"
            why = why if takers else f"no {other}case fits it"
            yield Finding(
                Severity.ERROR if lost or not takers else Severity.WARNING,
                line,
                f"The rule {rule.name!r} {when}: {why}.",
                "Move it before them, or take it out." if takers else "Correct its `when`, or take it out.",
            )


def _pointless_rules(policy: Policy) -> Iterator[Finding]:
    """Rules that cannot make a route stricter, and rules whose reasons cannot be told apart."""
    names: set[str] = set()
    for place, rule in enumerate(policy.rules):
        line = policy.lines.get(f"rules[{place}]")
        if policy.level(rule.route) == 0:
            yield Finding(
                Severity.WARNING,
                line,
                f"The rule {rule.name!r} demands {rule.route}, the mildest route: the strictest demand wins, "
                "so it only keeps later rules from being asked.",
                "Take it out, or name a stricter route: no rule makes a route milder.",
            )
        if rule.name in names:
            yield Finding(
                Severity.WARNING,
                line,
                f"Another rule is called {rule.name!r}: a decision's reasons do not tell which one fired.",
                "Give each rule a name of its own.",
            )
        names.add(rule.name)


def _clauses(policy: Policy) -> Iterator[Finding]:
    for place, clause in enumerate(policy.consequences):
        line, reach = policy.lines.get(f"risk.consequence[{place}]"), reach_of_clause(policy, place)
        if reach is Reach.UNDECIDED:
            fact = f"Whether a case is ever of consequence {clause.name!r} {_UNDECIDED}."
            yield Finding(Severity.INFO, line, fact, "")
        elif reach is not Reach.ACTS:
            yield Finding(
                Severity.INFO if clause.when is None else Severity.ERROR,
                line,
                f"This clause for {clause.name!r} is never the first that fits"
                f"{' a case whose values are known' if reach is Reach.IN_DOUBT else ''}.",
                "Nothing: the list must end so." if clause.when is None else "Move it up, or take it out.",
            )


def _matrix(policy: Policy) -> Iterator[Finding]:
    for name, (reversible, irreversible) in policy.matrix.items():
        if policy.level(irreversible) < policy.level(reversible):
            yield Finding(
                Severity.WARNING,
                policy.lines.get(f"matrix.{name}"),
                f"The matrix asks less of what cannot be taken back ({irreversible}) than of what can "
                f"({reversible}).",
                "Swap the two, or say the stricter one twice.",
            )


def _gaps(policy: Policy) -> Iterator[Finding]:
    line, gaps = policy.lines.get("routes"), confidence_gaps(policy)
    if gaps is None:
        yield Finding(Severity.INFO, line, f"Whether the tiers leave a gap {_UNDECIDED}.", "")
    for gap in gaps or ():
        yield Finding(
            Severity.WARNING,
            line,
            f"No tier covers a confidence {gap.stretch}{_in_what_case(gap)}: such cases go to "
            f"{policy.closed_route}.",
            f"Say so with a tier of {policy.closed_route}, or widen another.",
        )


def _in_what_case(gap: Gap) -> str:
    if gap.always:
        return ""
    said = [f"{name} {'missing' if value is None else value}" for name, value in gap.example.items()]
    return f" in some cases, as with {', '.join(said)}"


def _overlaps(policy: Policy) -> Iterator[Finding]:
    for one in tier_overlaps(policy) or ():
        yield Finding(
            Severity.INFO,
            policy.lines.get(f"routes.{one.stricter}"),
            f"A confidence {one.stretch} is claimed by {one.milder} and {one.stricter}"
            f"{'' if one.always else ' in some cases'}: {one.stricter}, the stricter, takes it.",
            "",
        )


def _routes(policy: Policy) -> Iterator[Finding]:
    named = {plan.name for plan in policy.routes if plan.tier is not None}
    named |= {rule.route for rule in policy.rules} | {policy.closed_route}
    named |= {cell for cells in policy.matrix.values() for cell in cells}
    named |= bound_to(policy)
    named |= {plan.otherwise for plan in policy.routes if plan.otherwise is not None}
    named |= {step.to for step in policy.escalation if step.to is not None}
    possible = possible_routes(policy)
    if possible is None:
        yield Finding(
            Severity.INFO, policy.lines.get("routes"), f"Which routes are ever taken {_UNDECIDED}.", ""
        )
    for plan in policy.routes:
        line = policy.lines.get(f"routes.{plan.name}")
        if plan.name not in named:
            yield Finding(
                Severity.WARNING,
                line,
                f"Nothing leads to the route {plan.name!r}.",
                "Give it a confidence, a rule or a line of the matrix, or take it out.",
            )
        elif possible is not None and plan.name not in possible | _escalated(policy):
            yield Finding(
                Severity.WARNING,
                line,
                f"No case ends on the route {plan.name!r}: a stricter one takes each that it claims.",
                "Narrow the stricter route, or take this one out.",
            )


def _escalated(policy: Policy) -> set[str | None]:
    return {step.to for step in policy.escalation}
