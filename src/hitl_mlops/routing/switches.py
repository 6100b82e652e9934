"""What people have frozen, and which rows that is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from hitl_mlops.errors import InputError, RefusedError
from hitl_mlops.routing.conditions import Mask, OneOf, Scalar, evaluate

EVERYTHING, MODEL, LABEL, ROUTE, LIKE = "everything", "model", "label", "route", "like"
UNREADABLE = "the switches cannot be read"
LONGEST_SCOPE = 400


@dataclass(frozen=True, slots=True)
class Scope:
    """Which decisions a switch freezes.

    Attributes:
        name: `everything`, `model`, `label`, `route`, `like`, or an attribute of the cases. An attribute that
            is called like one of the others is frozen with it.
        value: which version, class, route or value of the attribute; the decision whose input others are
            like; empty for everything.
    """

    name: str = EVERYTHING
    value: str = ""

    def __str__(self) -> str:
        """The scope as people write it."""
        return self.name if self.name == EVERYTHING else f"{self.name}={self.value}"


@dataclass(frozen=True, slots=True)
class Order:
    """A person's word that something is frozen, or no longer.

    Attributes:
        by: the person's id (`Roster.person_id`).
        reason: why, in plain words; kept beside the switch, in the trail only as a digest.
        at: when.
    """

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Switch:
    """One freezing. While it is on, the decisions in its scope go to people.

    Attributes:
        switch_id: `s1`, `s2` …, in the order they were set.
        scope: what it freezes.
        by: id of the person who set it.
        reason: why, in that person's words.
        at: since when.
        lifted_by: id of the person who lifted it; None while it is on.
        lifted_reason: why it was lifted; empty while it is on.
        lifted_at: when it was lifted; None while it is on.
    """

    switch_id: str
    scope: Scope
    by: str
    reason: str
    at: datetime
    lifted_by: str | None = None
    lifted_reason: str = ""
    lifted_at: datetime | None = None

    @property
    def is_on(self) -> bool:
        """Nobody has lifted it."""
        return self.lifted_at is None


def parse_scope(text: str) -> Scope:
    """The scope that the text says; nothing is looked up.

    Raises:
        InputError: it is neither `everything` nor `name=value`.

    >>> str(parse_scope(" branch = north "))
    'branch=north'
    """
    name, sign, value = (part.strip() for part in text.partition("="))
    if name == EVERYTHING and not sign:
        return Scope()
    if not name or not value or name == EVERYTHING or not text.isprintable() or len(text) > LONGEST_SCOPE:
        raise InputError(
            f"{text!r} is no scope.",
            remedy="Write everything, or one name and value: model=3, label=yes, route=auto, branch=north.",
        )
    return Scope(name, value)


def check_scope(
    scope: Scope, attributes: Collection[str], known: Mapping[str, Callable[[], Collection[str]]]
) -> None:
    """The scope can cover a decision; the values of an attribute are not known beforehand, so any will do.

    Args:
        scope: what is to be frozen.
        attributes: what is kept of each case beside its input.
        known: `model`, `label`, `route` and `like`, each with what gives its values; only the one in scope is
            asked.

    Raises:
        InputError: there is nothing of that name or value; the remedy names what there is.
    """
    if scope.name == EVERYTHING or scope.name in attributes:
        return
    if scope.name not in known:
        names = ", ".join(sorted({*attributes, *known, EVERYTHING}))
        raise InputError(
            f"No decision has {scope.name!r}, so {scope} would freeze nothing.",
            remedy=f"Known are: {names}.",
            scope=str(scope),
        )
    values = sorted(known[scope.name]())
    if scope.value not in values:
        raise InputError(
            f"There is no {scope.name} {scope.value!r}, so {scope} would freeze nothing.",
            remedy=f"Known are: {', '.join(values) or 'none yet; freeze everything'}.",
            scope=str(scope),
        )


def lifted(switch: Switch, order: Order, *, two_people: bool) -> Switch:
    """The switch as it stands after the order.

    Raises:
        RefusedError: it was lifted before, or two people are wanted and the one who set it lifts it.
    """
    if switch.lifted_at is not None:
        raise RefusedError(
            f"The switch {switch.switch_id} was lifted by {switch.lifted_by} "
            f"at {switch.lifted_at:%Y-%m-%d %H:%M} UTC.",
            remedy="Run `hitl switches`: it shows what is on.",
            switch_id=switch.switch_id,
        )
    if two_people and order.by == switch.by:
        raise RefusedError(
            f"{switch.by} set the switch {switch.switch_id}, and guards.kill_switch.two_people of the policy "
            "wants another person to lift it.",
            remedy=f'Ask another person to run `hitl unfreeze {switch.switch_id} --reason "…"`.',
            switch_id=switch.switch_id,
        )
    return replace(switch, lifted_by=order.by, lifted_reason=order.reason, lifted_at=order.at)


def frozen_rows(
    switches: Sequence[Switch] | None,
    columns: pd.DataFrame,
    versions: Sequence[str],
    routes: Sequence[str],
    alike: Mapping[str, Mask] | None = None,
) -> Iterator[tuple[str, Mask]]:
    """Pairs of what freezes and which rows it freezes, a mask of shape (len(columns),).

    Closes when in doubt: a row without a value for the attribute in scope is frozen; so are all rows where
    the cases have no such attribute, or where versions or likenesses are not told.

    Args:
        switches: those that are on; None where they could not be read, which freezes every row.
        columns: one row per case, its attributes and `label` as columns.
        versions: the model version that answered each row.
        routes: where each row would go otherwise.
        alike: decision id → the rows that are like its case.
    """
    if switches is None:
        yield UNREADABLE, np.ones(len(columns), dtype=bool)
        return
    for switch in switches:
        if switch.is_on:
            yield switch.switch_id, covered(switch.scope, columns, versions, routes, alike)


def covered(
    scope: Scope,
    columns: pd.DataFrame,
    versions: Sequence[str],
    routes: Sequence[str],
    alike: Mapping[str, Mask] | None = None,
) -> Mask:
    """Which rows lie in the scope, those in doubt among them; see `frozen_rows`."""
    told = {MODEL: versions, ROUTE: routes}.get(scope.name, ())
    found = [alike[scope.value]] if scope.name == LIKE and alike and scope.value in alike else []
    if len(told) == len(columns):
        found.append(np.array([one == scope.value for one in told], dtype=bool))
    if scope.name in columns.columns:
        found.append(evaluate(OneOf(scope.name, _spellings(scope.value)), columns, if_missing=True))
    covers_all = scope.name == EVERYTHING or not found
    return np.ones(len(columns), dtype=bool) if covers_all else np.logical_or.reduce(found)


def _spellings(value: str) -> tuple[Scalar, ...]:
    """The value as text, and as a number where it reads as one: 7.0 also means 7."""
    try:
        return value, float(value)
    except ValueError:
        return (value,)


def frozen_by(standing: Sequence[Switch] | None) -> str:
    """What is frozen, in one line for people; empty where nothing is."""
    if standing is None:
        return f"{UNREADABLE}, so everything is frozen"
    named = [f"{one.switch_id} ({one.scope})" for one in standing if one.is_on]
    return f"frozen by {', '.join(named)}" if named else ""
