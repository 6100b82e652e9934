"""What the section `retrain` of the policy file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from hitl_mlops.documents import parse_duration
from hitl_mlops.errors import ConfigurationError


class Act(StrEnum):
    """What can be done about a finding."""

    FREEZE = "freeze"
    """Every decision goes to people."""
    ROLL_BACK = "roll_back"
    """The champion before the present one answers again, and a rollout under way ends."""
    PAUSE = "pause"
    """The decisions of a slice go to people."""
    ENQUEUE = "enqueue"
    """People are asked about decisions where errors cluster."""
    RETRAIN = "retrain"
    """A challenger learns from the latest dataset version, and is judged."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a figure speaks for acting, and where it is severe; shares, in [0, 1]."""

    fires: float
    severe: float


@dataclass(frozen=True, slots=True)
class RetrainPolicy:
    """When to retrain or roll back, and what of it is done without asking.

    Attributes:
        every: how long after a training the next is due, whatever the figures.
        drift_share: share of columns that moved, from which it fires, in (0, 1].
        override_count: so many overrides that no model has learned from.
        override_rate: share of decisions that people would overrule.
        calibration_gap: distance of confidence from being right.
        accuracy_drop: how far the estimated accuracy lies below what was promised.
        widespread: share of decisions in slices that fired, from which a finding is not of slices any more.
        at_least: with fewer answers a figure is unknown.
        window: how many of the latest decisions the figures speak of.
        cool_down: how long after a retraining no other begins by itself.
        new_labels: with fewer labels that no model has learned from, there is nothing to learn.
        quiet_below: a trigger that fired rests once its figure is below this share of its bound, in (0, 1].
        enqueue: how many decisions at most people are asked about at once.
        automatic: what is done without asking; the rest is told to a person.
    """

    every: timedelta = timedelta(days=7)
    drift_share: float = 0.3
    override_count: int = 100
    override_rate: Bound = Bound(0.25, 0.5)
    calibration_gap: Bound = Bound(0.1, 0.3)
    accuracy_drop: Bound = Bound(0.05, 0.2)
    widespread: float = 0.5
    at_least: int = 30
    window: int = 2_000
    cool_down: timedelta = timedelta(hours=24)
    new_labels: int = 20
    quiet_below: float = 0.9
    enqueue: int = 50
    automatic: frozenset[Act] = frozenset({Act.RETRAIN})


def retrain_policy(section: Mapping[str, Any]) -> RetrainPolicy:
    """The policy that the section tells; what it leaves out has its default.

    Raises:
        ConfigurationError: a severe bound lies below that at which the figure fires.

    >>> retrain_policy({"overrides": {"count": 9}, "cool_down": "2h"}).override_count
    9
    """
    standard = RetrainPolicy()
    drift, overrides = section.get("drift", {}), section.get("overrides", {})
    named = ("widespread", "at_least", "window", "new_labels", "quiet_below", "enqueue")
    plain = {name: section[name] for name in named if name in section}
    if "automatic" in section:
        listed = section["automatic"]
        plain["automatic"] = frozenset(Act(one) for one in ([listed] if isinstance(listed, str) else listed))
    return RetrainPolicy(
        every=_span(section, "every", standard.every),
        drift_share=float(drift.get("share", standard.drift_share)),
        override_count=overrides.get("count", standard.override_count),
        override_rate=_bound("overrides", overrides, "rate", standard.override_rate),
        calibration_gap=_bound(
            "calibration", section.get("calibration", {}), "gap", standard.calibration_gap
        ),
        accuracy_drop=_bound("accuracy", section.get("accuracy", {}), "drop", standard.accuracy_drop),
        cool_down=_span(section, "cool_down", standard.cool_down),
        **plain,
    )


def _bound(name: str, said: Mapping[str, Any], key: str, standard: Bound) -> Bound:
    fires = float(said.get(key, standard.fires))
    found = Bound(fires, float(said.get("severe", max(fires, standard.severe))))
    if found.severe < found.fires:
        raise ConfigurationError(
            f"retrain.{name}.severe is {found.severe:g}, below {key} {found.fires:g}.",
            remedy=f"Write severe as {found.fires:g} or more.",
        )
    return found


def _span(section: Mapping[str, Any], key: str, standard: timedelta) -> timedelta:
    return (parse_duration(str(section[key])) or standard) if key in section else standard
