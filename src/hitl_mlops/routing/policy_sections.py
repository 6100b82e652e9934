"""The sections of a policy that other rooms own: checked for form here, read for meaning there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from hitl_mlops.documents import Piece
from hitl_mlops.routing.conditions import parse_test

Check: TypeAlias = Callable[[Piece], object]


def _test(piece: Piece) -> object:
    return parse_test("figure", piece)


def _texts(piece: Piece) -> object:
    return [item.text() for item in piece.items()]


def _rate(piece: Piece) -> object:
    return piece.number(0.0, 1.0)


def _count(piece: Piece) -> object:
    return piece.whole(1)


def _stages(piece: Piece) -> object:
    shares = [item.number(0.0, 100.0) for item in piece.items()]
    if shares != sorted(set(shares)) or shares[-1:] != [100.0] or shares[0] == 0:
        raise piece.wrong("the stages do not rise to 100.", "Write rising percentages: [1, 5, 25, 50, 100].")
    return shares


def _one_of(*choices: str) -> Check:
    return lambda piece: piece.text(choices)


def _map_of(checks: Mapping[str, Check]) -> Check:
    def check(piece: Piece) -> object:
        return {key: checks[key](value) for key, value in piece.fields(checks).items()}

    return check


_BREAKER: Mapping[str, Check] = {
    "override_rate": _test,
    "error_rate": _test,
    "window": _count,
    "at_least": _count,
    "opens_for": Piece.duration,
    "trial": _count,
}
_GATES: Mapping[str, Mapping[str, Check]] = {
    "override_rate": {"margin": _rate, "alpha": _rate, "at_least": _count},
    "calibration": {"gap": _rate},
    "slices": {"margin": _rate, "at_least": _count},
    "classes": {"margin": _rate},
    "label_quality": {"quarantine": _rate},
    "golden": {"margin": _rate},
    "disagreement": {"share": _rate},
    "data_sanity": {},
    "drift": {"share": _rate},
}
_SHADOW: Mapping[str, Check] = {
    "labels": _one_of("disagreements"),
    "margin": _rate,
    "alpha": _rate,
    "alpha_rollback": _rate,
    "reviewer_error": _rate,
}
_CANARY: Mapping[str, Check] = {
    "stages": _stages,
    "at_least": _count,
    "hold_at_most": Piece.duration,
    "then": _one_of("roll_back"),
}
_APPROVAL: Mapping[str, Check] = {
    "by": _texts,
    "signatures": _count,
    "expires": Piece.duration,
    "not_the_trainer": Piece.flag,
    "refuse_claimed": Piece.flag,
}


def _gate_names(piece: Piece) -> object:
    return [item.text(tuple(_GATES)) for item in piece.items()]


_SECTIONS: Mapping[str, Mapping[str, Check]] = {
    "guards": {"breaker": _map_of(_BREAKER), "freeze_like": _map_of({"tag": Piece.text})},
    "gates": {
        "required": _gate_names,
        "warn": _gate_names,
        **{gate: _map_of(keys) for gate, keys in _GATES.items()},
    },
    "approval": _APPROVAL,
    "rollout": {"shadow": _map_of(_SHADOW), "canary": _map_of(_CANARY)},
}


def read_sections(top: Mapping[str, Piece]) -> dict[str, Mapping[str, Any]]:
    """`guards`, `gates`, `approval` and `rollout` as plain values, as they stand in the file.

    Raises:
        ConfigurationError: an unknown key, or a value of the wrong form; the fact names the line.
    """
    sections: dict[str, Mapping[str, Any]] = {}
    for name, checks in _SECTIONS.items():
        if name in top:
            _map_of(checks)(top[name])
            sections[name] = top[name].plain()
    return sections
