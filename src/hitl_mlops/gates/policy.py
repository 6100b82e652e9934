"""What a challenger must show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hitl_mlops.errors import ConfigurationError

GATES = (
    "override_rate",
    "calibration",
    "slices",
    "classes",
    "label_quality",
    "golden",
    "disagreement",
    "data_sanity",
    "drift",
)
"""Every gate there is, in the order of the report."""


@dataclass(frozen=True, slots=True)
class GatesPolicy:
    """What the section `gates` of the policy file says.

    Attributes:
        required: gates that must pass.
        warn: gates that only warn; those in neither list are reported all the same.
        margin: how much worse the challenger's error rate may be, difference, in [0, 1).
        alpha: chance at the most that a claim of a gate is false, in (0, 0.5].
        calibration_gap: largest debiased gap between confidence and accuracy, in [0, 1].
        slice_margin: how much worse it may be on one slice, in [0, 1).
        class_margin: how much recall it may lose on one class, in [0, 1).
        at_least_labels: fewer labels than this on held-back cases prove nothing.
        at_least_per_group: fewer labels than this in one slice or class prove nothing of it.
        quarantine_share: largest share of answers that the screen refused, in [0, 1].
        golden_margin: errors more than the champion's that the golden set allows, as a share of it.
        disagreement_share: share of cases on which both models may differ before it warns, in [0, 1].
        drift_share: share of columns that may have moved before it warns, in [0, 1].
    """

    required: tuple[str, ...] = ("override_rate", "calibration", "slices", "label_quality", "golden")
    warn: tuple[str, ...] = ("drift",)
    margin: float = 0.01
    alpha: float = 0.05
    calibration_gap: float = 0.1
    slice_margin: float = 0.02
    class_margin: float = 0.05
    at_least_labels: int = 30
    at_least_per_group: int = 10
    quarantine_share: float = 0.25
    golden_margin: float = 0.02
    disagreement_share: float = 0.25
    drift_share: float = 0.0


_KEYS: dict[str, dict[str, str]] = {
    "override_rate": {"margin": "margin", "alpha": "alpha", "at_least": "at_least_labels"},
    "calibration": {"gap": "calibration_gap"},
    "slices": {"margin": "slice_margin", "at_least": "at_least_per_group"},
    "classes": {"margin": "class_margin"},
    "label_quality": {"quarantine": "quarantine_share"},
    "golden": {"margin": "golden_margin"},
    "disagreement": {"share": "disagreement_share"},
    "data_sanity": {},
    "drift": {"share": "drift_share"},
}
_RANGES = {"alpha": (1e-9, 0.5), "at_least_labels": (2, 1e9), "at_least_per_group": (2, 1e9)}


def gates_policy(gates: Mapping[str, Any]) -> GatesPolicy:
    """The policy that the section tells; what it leaves out has its default.

    Raises:
        ConfigurationError: a gate or key that nobody knows, a gate both required and warning, or a value
            out of its range.

    >>> gates_policy({"required": ["golden"], "override_rate": {"margin": 0.02}}).margin
    0.02
    """
    _refuse_unknown("gates", gates, ("required", "warn", *GATES))
    standard = GatesPolicy()
    required = _names(gates, "required", standard.required)
    warn = _names(gates, "warn", tuple(name for name in standard.warn if name not in required))
    both = sorted(set(required) & set(warn))
    if both:
        raise ConfigurationError(
            f"gates.required and gates.warn both name {', '.join(both)}.",
            remedy="A gate either must pass or only warns: name it once.",
        )
    values: dict[str, Any] = {}
    for gate, keys in _KEYS.items():
        section = gates.get(gate) or {}
        if not isinstance(section, Mapping):
            raise ConfigurationError(
                f"gates.{gate} is {section!r}.", remedy=f"Write a mapping, e.g. {gate}: {{margin: 0.01}}."
            )
        _refuse_unknown(f"gates.{gate}", section, keys)
        for key, given in section.items():
            values[keys[key]] = _number(f"gates.{gate}.{key}", given, keys[key])
    return GatesPolicy(required=required, warn=warn, **values)


def _names(gates: Mapping[str, Any], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    given = gates.get(key, default)
    if isinstance(given, str) or not isinstance(given, (list, tuple)):
        raise ConfigurationError(
            f"gates.{key} is {given!r}.", remedy=f"Write a list, e.g. {key}: [override_rate, golden]."
        )
    _refuse_unknown(f"gates.{key}", given, GATES)
    return tuple(dict.fromkeys(given))


def _refuse_unknown(section: str, given: Iterable[Any], known: Iterable[str]) -> None:
    names = sorted(known)
    unknown = [str(name) for name in given if name not in names]
    if unknown:
        raise ConfigurationError(
            f"The policy's {section} names what nobody knows: {', '.join(unknown)}.",
            remedy=f"Known are {', '.join(names) or 'no keys at all'}.",
            unknown=unknown,
        )


def _number(key: str, given: Any, field: str) -> float | int:
    low, high = _RANGES.get(field, (0.0, 1.0))
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not low <= given <= high:
        raise ConfigurationError(
            f"{key} is {given!r}, not a number from {low:g} to {high:g}.", remedy="Correct it in policy.yaml."
        )
    return int(given) if field.startswith("at_least") else float(given)
