"""What a policy says, once it was read: who decides what, and how much of it a person sees."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hitl_mlops.documents import did_you_mean
from hitl_mlops.errors import ConfigurationError
from hitl_mlops.routing.bounds import Costs, Impact, Outputs, Permission, Regulation
from hitl_mlops.routing.conditions import Condition

AUTOMATIC = ("auto", "check")
"""The routes on which nobody is asked, save by spot check."""

SPOT_CHECK_FLOOR = 0.01
"""Every automatic decision is reviewed with at least this probability; estimates divide by it."""

OBSERVED = ("confidence", "margin", "disagreement", "label", "consequence")
"""What a condition may read beside the case's own attributes, whatever the policy computes."""

RISK, IMPACT = "risk", "impact"
"""Scores in [0, 1] that a condition may read where the policy computes them."""


class Intervention(StrEnum):
    """When a person can still step in."""

    BEFORE = "before"
    """Nothing happens until people have decided."""
    DURING = "during"
    """It has begun and can be halted."""
    AFTER = "after"
    """It is done and can be reversed for a while."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """How much hangs on a case: the first clause that fits names it; `when=None` always fits."""

    name: str
    when: Condition | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A route that a condition demands, whatever the confidence."""

    name: str
    when: Condition
    route: str


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """One route and what it asks of people.

    Attributes:
        name: the word that decisions carry.
        tier: the confidence (or other test) that leads here; None: only the matrix and rules do.
        signatures: how many distinct people must agree; 0 for `auto` and `check`.
        skill: what a reviewer must be able to do; None: anyone.
        within: the time people have.
        intervention: when a person can still step in.
        reversible_for: how long after the effect it can be taken back; None: not stated, or not `after`.
        haltable_for: how long after its beginning it can be halted; None: it is not `during`.
        checks: names of user functions that must pass.
        otherwise: where a failed check sends it.
        blind_second: the first of several signatures is given without sight of the model's answer. That no
            signature is given in sight of another holds in any case.
        stages: skills of those who sign one after another; empty where all are asked at once.
    """

    name: str
    tier: Condition | None = None
    signatures: int = 1
    skill: str | None = None
    within: dt.timedelta = dt.timedelta(hours=24)
    intervention: Intervention = Intervention.BEFORE
    reversible_for: dt.timedelta | None = None
    haltable_for: dt.timedelta | None = None
    checks: tuple[str, ...] = ()
    otherwise: str | None = None
    blind_second: bool = False
    stages: tuple[str, ...] = ()

    @property
    def automatic(self) -> bool:
        """Nobody is asked, save by spot check."""
        return self.signatures == 0


@dataclass(frozen=True, slots=True)
class Escalation:
    """What happens to a ticket that waits too long.

    Attributes:
        after_frac: share of the time allowed that has passed; None where `after` counts.
        after: time past the deadline.
        to: route or role that gets it next.
        then: final word where nobody answers, `reject` or `wait`.
        remind: it stays, and those who have it are reminded.
    """

    after_frac: float | None
    after: dt.timedelta | None
    to: str | None
    then: str | None
    remind: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy file, read and checked.

    Attributes:
        version: the number its author gave it.
        hash: content hash over what it says, comments and layout aside, `sha256:…`.
        routes: every route, in order of rising oversight.
        consequences: clauses, first that fits; the last one always does.
        irreversible: what cannot be taken back; None: everything can.
        matrix: consequence → (least route when reversible, least route when not).
        rules: first that fits.
        spot_checks: automatic route → probability of secret review.
        escalation: steps for late tickets, earliest first.
        regulation: all that fit apply.
        outputs: what no model may say by itself.
        actions: what a model may carry out by itself; None: whatever it may say.
        costs: what mistakes and reviews cost; None: not weighed.
        impact: how much a case weighs; None: not asked.
        risk_model: the user's function that gives `risk`; None: there is none.
        derive: attribute → the user's function that gives it, in the order in which they are asked.
        functions: user's function → the columns it reads; one that is not named reads what conditions read.
        uses: user's function that something names → line of the file.
        sections: `guards`, `gates`, `approval`, `recourse`, `retrain`, `rollout` as plain values, for the
            rooms that own them.
        reads: attribute of a case that a condition reads → line of the file.
        watches: attribute of a case that a guard goes by → line of the file.
        lines: place in the file, `routes.auto` or `rules[0]` → line; empty where no file was read.
    """

    version: int
    hash: str
    routes: tuple[RoutePlan, ...]
    consequences: tuple[Consequence, ...] = ()
    irreversible: Condition | None = None
    matrix: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    spot_checks: Mapping[str, float] = field(default_factory=dict)
    escalation: tuple[Escalation, ...] = ()
    regulation: tuple[Regulation, ...] = ()
    outputs: Outputs = field(default_factory=Outputs)
    actions: tuple[Permission, ...] | None = None
    costs: Costs | None = None
    impact: Impact | None = None
    risk_model: str | None = None
    derive: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    uses: Mapping[str, int] = field(default_factory=dict)
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reads: Mapping[str, int] = field(default_factory=dict)
    watches: Mapping[str, int] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)

    @property
    def computed(self) -> tuple[str, ...]:
        """Attributes that the policy makes of others, in the order in which it makes them."""
        scores = {RISK: self.risk_model is not None, IMPACT: self.impact is not None}
        return (*self.derive, *(name for name, made in scores.items() if made))

    @property
    def observed(self) -> tuple[str, ...]:
        """What a condition may read that no case has to bring."""
        return (*OBSERVED, *self.computed)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Columns that a case must bring because a condition or a function reads them, by name."""
        return self.attributes_beside(())

    def attributes_beside(self, given: Collection[str]) -> tuple[str, ...]:
        """The same where these computed attributes are brought too, so that nothing needs to make them."""
        made_by = {**self.derive, RISK: self.risk_model, IMPACT: self.impact and self.impact.model}
        idle = {made_by[name] for name in given if name in made_by}
        idle -= {made_by[name] for name in self.computed if name not in given}
        idle -= {name for plan in self.routes for name in plan.checks}
        asked = (name for name in self.functions if name in self.uses and name not in idle)
        read = {column for name in asked for column in self.functions[name]}
        return tuple(sorted(({*self.reads} | read) - {*self.observed}))

    def line_of(self, attribute: str) -> int | None:
        """Line of the file that first reads the attribute; None where none does or no file was read."""
        if attribute in self.reads:
            return self.reads[attribute]
        by = (name for name, columns in self.functions.items() if attribute in columns)
        return next((self.lines.get(f"functions.{name}") for name in by), None)

    @property
    def kept(self) -> tuple[str, ...]:
        """Columns to keep of every case: those that a condition reads or a guard goes by, by name."""
        return tuple(sorted({*self.attributes, *self.watches}))

    def section(self, name: str) -> Mapping[str, Any]:
        """The plain values of a section that another room owns, such as `guards`; empty if left out."""
        return self.sections.get(name, {})

    def plan(self, route: str) -> RoutePlan:
        """The route of that name; raises ConfigurationError naming those there are."""
        for plan in self.routes:
            if plan.name == route:
                return plan
        names = [plan.name for plan in self.routes]
        raise ConfigurationError(f"The policy has no route {route!r}.", remedy=did_you_mean(route, names))

    def level(self, route: str) -> int:
        """Place of the route in the order of rising oversight, from 0."""
        return self.routes.index(self.plan(route))

    @property
    def closed_route(self) -> str:
        """Where a case goes when in doubt: `senior`, else the strictest route that one person can close."""
        by_one = [plan.name for plan in self.routes if plan.signatures == 1]
        by_any = [plan.name for plan in self.routes if not plan.automatic]
        return "senior" if "senior" in by_any else (by_one or by_any)[-1]

    @property
    def mildest_with_people(self) -> str:
        """The least route on which somebody is asked."""
        return next(plan.name for plan in self.routes if not plan.automatic)

    def review_rate(self, route: str) -> float:
        """π of the route: 1 where people are asked, else its spot-check rate, never below the floor."""
        if not self.plan(route).automatic:
            return 1.0
        return max(SPOT_CHECK_FLOOR, self.spot_checks.get(route, 0.0))


CLOSED = Policy(version=0, hash="none", routes=(RoutePlan("senior", skill="senior"),))
"""What holds where there is no policy: every case goes to a senior reviewer."""


def check_attributes(policy: Policy, known: Collection[str]) -> None:
    """Every attribute that the policy reads is one that cases have.

    Raises:
        ConfigurationError: it reads another; the fact names it and its line, the remedy the likeliest meant.
    """
    for name in policy.attributes:
        if name not in known:
            raise ConfigurationError(
                f"The policy reads {name!r} (line {policy.line_of(name)}), which no case has.",
                remedy=did_you_mean(name, {*known, *policy.observed}),
                line=policy.line_of(name),
                key=name,
            )


def check_functions(policy: Policy, known: Collection[str]) -> None:
    """Every function that the policy names is one that `hitl.yaml` brings.

    Raises:
        ConfigurationError: it names another; the fact names it and its line.
    """
    for name, line in policy.uses.items():
        if name not in known:
            raise ConfigurationError(
                f"The policy names the function {name!r} (line {line}), which hitl.yaml does not bring.",
                remedy=absent_function(name, known),
                line=line,
                key=name,
            )


def absent_function(name: str, known: Collection[str]) -> str:
    """What to do where a function that the policy names is not there."""
    meant = f"{did_you_mean(name, known)} Or add" if known else "Add"
    return f"{meant} `{name}: package.module:function` under `functions` in hitl.yaml."
