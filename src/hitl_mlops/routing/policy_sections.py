"""The sections of a policy that other rooms own: checked for form here, read for meaning there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hitl_mlops.documents import Piece
from hitl_mlops.routing.forms import DURATION, FLAG, TEST, Form, list_of, map_of, number, text, whole

_RATE = number(0.0, 1.0)
_ALPHA = number(1e-9, 0.5)
_MARGIN = _RATE.about("How much worse it may be, as a difference of rates.")


def _stages(piece: Piece) -> object:
    shares: list[float] = list_of(number(0.0, 100.0), single=False).read(piece)
    if shares != sorted(set(shares)) or shares[-1:] != [100.0] or shares[0] == 0:
        raise piece.wrong("the stages do not rise to 100.", "Write rising percentages: [1, 5, 25, 50, 100].")
    return shares


_KILL_SWITCH: Mapping[str, Form] = {
    "two_people": FLAG.about("Whoever froze something is not the one to lift it."),
}
_BREAKER: Mapping[str, Form] = {
    "override_rate": TEST,
    "error_rate": TEST,
    "window": whole(1),
    "at_least": whole(1),
    "opens_for": DURATION,
    "trial": whole(1),
}
_GATES: Mapping[str, Mapping[str, Form]] = {
    "override_rate": {"margin": _MARGIN, "alpha": _ALPHA, "at_least": whole(2)},
    "calibration": {"gap": _RATE},
    "slices": {"margin": _MARGIN, "at_least": whole(2)},
    "classes": {"margin": _MARGIN},
    "label_quality": {"quarantine": _RATE},
    "golden": {"margin": _MARGIN},
    "disagreement": {"share": _RATE},
    "data_sanity": {},
    "drift": {"share": _RATE},
}
_GATE_NAMES = list_of(text(tuple(_GATES)), single=False)
_SHADOW: Mapping[str, Form] = {
    "labels": text(("disagreements",)),
    "margin": _MARGIN,
    "alpha": _ALPHA.about("Chance at the most to promote a challenger that is worse by the margin."),
    "alpha_rollback": _ALPHA.about("Chance at the most to roll back one that is no worse."),
    "reviewer_error": number(0.0, 0.499).about("Upper bound of how often a resolved label is wrong."),
}
_CANARY: Mapping[str, Form] = {
    "stages": Form(_stages, list_of(number(0.0, 100.0), single=False).schema).about(
        "Shares of subjects in percent, rising to 100."
    ),
    "at_least": whole(1).about("Decisions the challenger must have answered at a share."),
    "hold_at_most": DURATION.about("An undecided stage is rolled back after it."),
    "then": text(("roll_back",)),
}
SECTIONS: Mapping[str, Mapping[str, Form]] = {
    "guards": {
        "kill_switch": map_of(_KILL_SWITCH),
        "breaker": map_of(_BREAKER),
        "freeze_like": map_of({"tag": text()}),
    },
    "gates": {
        "required": _GATE_NAMES.about("Gates that must pass."),
        "warn": _GATE_NAMES.about("Gates that only warn."),
        **{gate: map_of(keys) for gate, keys in _GATES.items()},
    },
    "approval": {
        "by": list_of(text()).about("Groups who may approve."),
        "signatures": whole(1, 2).about("How many distinct people must approve."),
        "expires": DURATION.about("How long an approval is good for."),
        "not_the_trainer": FLAG,
        "refuse_claimed": FLAG.about("Approvals without a proven identity do not count."),
    },
    "rollout": {"shadow": map_of(_SHADOW), "canary": map_of(_CANARY)},
}
"""Section → key → form of its value."""


def read_sections(top: Mapping[str, Piece]) -> dict[str, Mapping[str, Any]]:
    """`guards`, `gates`, `approval` and `rollout` as plain values, as they stand in the file.

    Raises:
        ConfigurationError: an unknown key, or a value of the wrong form; the fact names the line.
    """
    sections: dict[str, Mapping[str, Any]] = {}
    for name, keys in SECTIONS.items():
        if name in top:
            map_of(keys).read(top[name])
            sections[name] = top[name].plain()
    return sections
