"""What a challenger must show."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.routing.conditions import spell

GATES = (
    "override_rate",
    "error_rate",
    "calibration",
    "slices",
    "classes",
    "slice_classes",
    "fairness",
    "severity",
    "label_quality",
    "golden",
    "stress",
    "disagreement",
    "data_sanity",
    "drift",
    "running_cost",
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
        error_margin: the same as `margin` for errors in truth, reviewers' own errors allowed for.
        reviewer_error: upper bound of how often a label that people gave is wrong, in [0, 0.5).
        calibration_gap: largest debiased gap between confidence and accuracy, in [0, 1].
        slice_margin: how much worse it may be on one slice, in [0, 1).
        class_margin: how much recall or precision it may lose on one class, in [0, 1).
        slice_class_margin: the same on one class of one slice, in [0, 1).
        outcome: answers that are good for whom they are about; groups are to get them alike.
        fairness_ratio: the least share of one group's rate that another's may be, in [0, 1].
        error_ratio: the same of error rates; 0: errors are judged only where no outcome is named.
        at_least_group: fewer cases than this in a group prove nothing of it.
        smallest_group: share of the cases that a group must be to be judged, in [0, 1].
        costs: `true→said` or a true class → what such an error costs, ≥ 0, in a unit of the owner's.
        default_cost: what any other error costs, ≥ 0.
        severity_margin: how much dearer its errors may be, a case, as a share of the dearest, in [0, 1).
        at_least_labels: fewer labels than this on held-back cases prove nothing.
        at_least_per_group: fewer labels than this in one slice or class prove nothing of it.
        quarantine_share: largest share of answers that the screen refused, in [0, 1].
        agreement: the least that people must agree, Krippendorff's alpha; 0: only not less than chance.
        differs: share of a reviewer's answers that may be contradicted by the resolution, in [0, 1].
        golden_margin: errors more than the champion's that the golden set allows, as a share of it.
        stress_margin: the same of the stress set.
        disagreement_share: share of cases on which both models may differ before it warns, in [0, 1].
        leak: mean recall from one column alone from which that column gives the label away, in [0, 1].
        duplicates: share of the held-back cases that may stand in the training data too, in [0, 1].
        class_shift: how far the shares of the classes may move, total variation, in [0, 1].
        drift_share: share of columns that may have moved before it warns, in [0, 1].
        at_least_rows: fewer rows than this on a side tell nothing of drift.
        most_ms: milliseconds that one case may take, ≥ 0.
        most_megabytes: that the stored model may have, ≥ 0.
    """

    required: tuple[str, ...] = ("override_rate", "calibration", "slices", "label_quality", "golden")
    warn: tuple[str, ...] = ("drift",)
    margin: float = 0.01
    alpha: float = 0.05
    error_margin: float = 0.01
    reviewer_error: float = 0.05
    calibration_gap: float = 0.1
    slice_margin: float = 0.02
    class_margin: float = 0.05
    slice_class_margin: float = 0.1
    outcome: tuple[str, ...] = ()
    fairness_ratio: float = 0.8
    error_ratio: float = 0.0
    at_least_group: int = 30
    smallest_group: float = 0.02
    costs: Mapping[str, float] = field(default_factory=dict)
    default_cost: float = 1.0
    severity_margin: float = 0.01
    at_least_labels: int = 30
    at_least_per_group: int = 10
    quarantine_share: float = 0.25
    agreement: float = 0.0
    differs: float = 0.4
    golden_margin: float = 0.02
    stress_margin: float = 0.05
    disagreement_share: float = 0.25
    leak: float = 0.98
    duplicates: float = 0.1
    class_shift: float = 0.2
    drift_share: float = 0.0
    at_least_rows: int = 100
    most_ms: float = 100.0
    most_megabytes: float = 200.0

    def cost(self, true: str, said: str) -> float:
        """What it costs to say that of a case of this class; nothing where it is right.

        >>> GatesPolicy(costs={"fraud": 5.0, "fraud→fine": 50.0}).cost("fraud", "fine")
        50.0
        """
        if true == said:
            return 0.0
        return self.costs.get(f"{true}→{said}", self.costs.get(true, self.default_cost))


_KEYS: dict[str, dict[str, str]] = {
    "override_rate": {"margin": "margin", "alpha": "alpha", "at_least": "at_least_labels"},
    "error_rate": {"margin": "error_margin", "reviewer_error": "reviewer_error"},
    "calibration": {"gap": "calibration_gap"},
    "slices": {"margin": "slice_margin", "at_least": "at_least_per_group"},
    "classes": {"margin": "class_margin"},
    "slice_classes": {"margin": "slice_class_margin"},
    "fairness": {
        "outcome": "outcome",
        "ratio": "fairness_ratio",
        "error_ratio": "error_ratio",
        "at_least": "at_least_group",
        "smallest": "smallest_group",
    },
    "severity": {"costs": "costs", "default": "default_cost", "margin": "severity_margin"},
    "label_quality": {"quarantine": "quarantine_share", "agreement": "agreement", "differs": "differs"},
    "golden": {"margin": "golden_margin"},
    "stress": {"margin": "stress_margin"},
    "disagreement": {"share": "disagreement_share"},
    "data_sanity": {"leak": "leak", "duplicates": "duplicates", "shift": "class_shift"},
    "drift": {"share": "drift_share", "min_rows": "at_least_rows"},
    "running_cost": {"ms": "most_ms", "megabytes": "most_megabytes"},
}
_RANGES = {
    "alpha": (1e-9, 0.5),
    "reviewer_error": (0.0, 0.499),
    **dict.fromkeys(("at_least_labels", "at_least_per_group", "at_least_group"), (2, 1e9)),
    "at_least_rows": (1, 1e9),
    **dict.fromkeys(("default_cost", "most_ms", "most_megabytes"), (0.0, 1e12)),
}
_ARROW = re.compile(r"\s*(?:→|->)\s*")


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
            read = _READERS.get(keys[key]) or _number
            values[keys[key]] = read(f"gates.{gate}.{key}", given, keys[key])
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


def _texts(key: str, given: Any, _field: str) -> tuple[str, ...]:
    listed = given if isinstance(given, (list, tuple)) else [given]
    if not listed or any(isinstance(one, (Mapping, list)) or one is None for one in listed):
        raise ConfigurationError(
            f"{key} is {given!r}, not a class or a list of them.", remedy="Write e.g. outcome: approve."
        )
    return tuple(dict.fromkeys(spell(one) for one in listed))


def _costs(key: str, given: Any, _field: str) -> dict[str, float]:
    if not isinstance(given, Mapping):
        raise ConfigurationError(
            f"{key} is {given!r}.", remedy='Write e.g. costs: {fraud: 10, "fraud -> fine": 50}.'
        )
    return {
        _ARROW.sub("→", str(name).strip()): _number(f"{key}.{name}", cost, "default_cost")
        for name, cost in given.items()
    }


_READERS: Mapping[str, Callable[[str, Any, str], Any]] = {"outcome": _texts, "costs": _costs}
