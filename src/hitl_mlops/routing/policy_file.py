"""Reading policy.yaml. Every mistake is told with its line and a remedy; nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hitl_mlops.documents import Piece, parse_duration, parse_yaml, read_yaml
from hitl_mlops.ids import canonical_json, sha256_hex
from hitl_mlops.routing.bounds_file import Noted, read_bounds
from hitl_mlops.routing.conditions import Condition, Every, parse_test
from hitl_mlops.routing.policy import (
    AUTOMATIC,
    SPOT_CHECK_FLOOR,
    Consequence,
    Escalation,
    Intervention,
    Policy,
    RoutePlan,
    Rule,
)
from hitl_mlops.routing.policy_forms import CELLS, CLAUSE, RISK, ROUTE, RULE, STEP, TOP
from hitl_mlops.routing.policy_sections import claimed_by, read_sections, watched_attributes


def read_policy(path: Path) -> Policy:
    """The policy in the file.

    Raises:
        ConfigurationError: no such file, not UTF-8, not YAML, an unknown or doubled key, a value that
            cannot be meant; the fact names file, line and key.
    """
    return _policy(read_yaml(path))


def parse_policy(text: str, file: str = "policy.yaml") -> Policy:
    """The policy that the text says; see `read_policy`."""
    return _policy(parse_yaml(text, file))


def _policy(whole: Piece) -> Policy:
    top = whole.fields(TOP)
    if "routes" not in top:
        raise whole.wrong("there are no routes.", "Add `routes:` with auto, standard and senior.")
    noted = Noted()
    routes = _routes(top["routes"], noted)
    names = {plan.name for plan in routes}
    consequences, irreversible = _risk(top.get("risk"), noted)
    return Policy(
        version=top["version"].whole(1) if "version" in top else 1,
        hash=_hash(whole.plain(), [plan.name for plan in routes]),
        routes=routes,
        consequences=consequences,
        irreversible=irreversible,
        matrix=_matrix(top.get("matrix"), consequences, names, whole),
        rules=tuple(_rule(piece, names, noted) for piece in top["rules"].items()) if "rules" in top else (),
        spot_checks=_spot_checks(top.get("spot_checks"), routes),
        escalation=_escalation(top.get("escalation"), routes),
        sections=read_sections(top),
        **read_bounds(top, routes, noted),
        uses=noted.uses,
        reads=noted.reads,
        watches={
            **(watched_attributes(top["guards"]) if "guards" in top else {}),
            **(claimed_by(top["review"]) if "review" in top else {}),
        },
        lines=dict(_lines(whole)),
    )


def _lines(piece: Piece) -> Iterator[tuple[str, int]]:
    yield piece.path, piece.line
    inner = piece.value.values() if isinstance(piece.value, dict) else piece.value
    for each in inner if isinstance(piece.value, (dict, list)) else ():
        yield from _lines(each)


def _hash(said: Any, order: list[str]) -> str:
    """The order of routes says which is stricter, and canonical maps have none: so it stands apart."""
    return "sha256:" + sha256_hex(canonical_json({"policy": said, "order": order}))


def _routes(piece: Piece, noted: Noted) -> tuple[RoutePlan, ...]:
    routes: list[RoutePlan] = []
    for name, fields in piece.fields().items():
        routes.append(_route(name, fields, noted))
    if not any(plan.signatures for plan in routes):
        raise piece.wrong(
            "no route leads to a person.", "Add one with `signatures: 1`, so that doubt has somewhere to go."
        )
    automatic = [plan.automatic for plan in routes]
    if automatic != sorted(automatic, reverse=True):
        raise piece.wrong(
            "a route without people stands after one with people.", "Order routes by rising oversight."
        )
    names = [plan.name for plan in routes]
    for place, plan in enumerate(routes):
        if plan.checks and plan.otherwise not in names[place + 1 :]:
            raise piece.value[plan.name].wrong(
                "a failed check must lead to a stricter route.",
                f"Set else to one of: {', '.join(names[place + 1 :]) or 'a route with people'}.",
            )
    return tuple(routes)


def _route(name: str, piece: Piece, noted: Noted) -> RoutePlan:
    fields = piece.fields(ROUTE)
    automatic = name in AUTOMATIC
    if automatic and "signatures" in fields and fields["signatures"].whole():
        raise fields["signatures"].wrong(
            f"{name} asks nobody.", "Give the route another name, or no signatures."
        )
    if ("checks" in fields) != ("else" in fields):
        raise piece.wrong("checks and else belong together.", "Say both what to check and where failures go.")
    if not automatic and "signatures" in fields:
        fields["signatures"].whole(1)
    said = {key: ROUTE[key].read(piece) for key, piece in fields.items() if key not in ("confidence", "when")}
    said["otherwise"] = said.pop("else", None)
    said["checks"] = tuple(said.get("checks", ()))
    for function in said["checks"]:
        noted.uses.setdefault(function, fields["checks"].line)
    said["intervention"] = _intervention(name, piece, fields)
    said["stages"] = _stages(automatic, fields, said)
    said.setdefault("signatures", 0 if automatic else max(1, len(said["stages"])))
    return RoutePlan(name, tier=_tier(fields, noted), **said)


def _stages(automatic: bool, fields: Mapping[str, Piece], said: Mapping[str, Any]) -> tuple[str, ...]:
    """Who signs one after another; they say themselves how many sign and what each must be able to do."""
    stages = tuple(said.get("stages", ()))
    if "stages" not in fields:
        return stages
    if automatic or not stages:
        raise fields["stages"].wrong(
            "nobody would sign.", "Name those who do on a route with people: [operations, compliance]."
        )
    for key in ("skill", "blind_second"):
        if key in fields:
            raise fields[key].wrong(f"{key} does not go with stages.", f"Take out {key}, or the stages.")
    if "signatures" in fields and fields["signatures"].whole() != len(stages):
        raise fields["signatures"].wrong(
            f"there are {len(stages)} stages, each with a signature.", "Take the line out."
        )
    return stages


def _intervention(name: str, piece: Piece, fields: Mapping[str, Piece]) -> Intervention:
    """When a person can still step in, with the time that belongs to it and no other."""
    usual = Intervention.AFTER if name in AUTOMATIC else Intervention.BEFORE
    found = Intervention(fields["intervention"].text()) if "intervention" in fields else usual
    if name in AUTOMATIC and found is Intervention.BEFORE:
        raise fields["intervention"].wrong(
            f"{name} asks nobody before anything happens.",
            "Write during or after, or give the route people and another name.",
        )
    if name not in AUTOMATIC and found is not Intervention.BEFORE:
        raise fields["intervention"].wrong(
            f"on {name} people decide before anything happens.",
            "Take it out, or let the case begin on `check` with spot checks.",
        )
    if found is Intervention.DURING and "haltable_for" not in fields:
        raise piece.wrong(
            "the route does not say how long it can be halted.", "Add `haltable_for: 10m` or the like."
        )
    for key, when in (("reversible_for", Intervention.AFTER), ("haltable_for", Intervention.DURING)):
        if key in fields and found is not when:
            raise fields[key].wrong(
                f"{key} belongs to `intervention: {when}`, and this route is `{found}`.",
                f"Take it out, or write `intervention: {when}`.",
            )
    return found


def _tier(fields: Mapping[str, Piece], noted: Noted) -> Condition | None:
    parts: list[Condition] = []
    if "confidence" in fields:
        parts.append(parse_test("confidence", fields["confidence"]))
    if "when" in fields:
        parts.append(noted.condition(fields["when"]))
    return Every(tuple(parts)) if parts else None


def _risk(piece: Piece | None, noted: Noted) -> tuple[tuple[Consequence, ...], Condition | None]:
    if piece is None:
        return (), None
    fields = piece.fields(RISK)
    clauses: list[Consequence] = []
    for item in fields["consequence"].items() if "consequence" in fields else ():
        clause = item.fields(CLAUSE)
        if "is" not in clause:
            raise item.wrong("the clause names no consequence.", "Add `is: low` or the like.")
        when = noted.condition(clause["when"]) if "when" in clause else None
        clauses.append(Consequence(clause["is"].text(), when))
    if clauses and clauses[-1].when is not None:
        raise fields["consequence"].wrong(
            "a case may fit no clause.", "End the list with one that has no `when`, e.g. {is: low}."
        )
    if any(clause.when is None for clause in clauses[:-1]):
        raise fields["consequence"].wrong(
            "clauses after one without `when` are never reached.", "Move the one without `when` to the end."
        )
    irreversible = noted.condition(fields["irreversible"]) if "irreversible" in fields else None
    return tuple(clauses), irreversible


def _matrix(
    piece: Piece | None, consequences: tuple[Consequence, ...], names: set[str], whole: Piece
) -> dict[str, tuple[str, str]]:
    wanted = {clause.name for clause in consequences}
    if piece is None:
        if wanted:
            raise whole.wrong("there is a risk section but no matrix.", "Add `matrix:` with a line for each.")
        return {}
    rows = piece.fields(wanted)
    if missing := wanted - rows.keys():
        raise piece.wrong(
            f"the matrix has no line for {', '.join(sorted(missing))}.",
            "Add it: {reversible: auto, irreversible: standard}.",
        )
    matrix: dict[str, tuple[str, str]] = {}
    for name, row in rows.items():
        cells = row.fields(CELLS)
        if len(cells) != 2:  # noqa: PLR2004 - both cells
            raise row.wrong("one of reversible and irreversible is missing.", "Give a route for both.")
        matrix[name] = (cells["reversible"].text(names), cells["irreversible"].text(names))
    return matrix


def _rule(piece: Piece, names: set[str], noted: Noted) -> Rule:
    fields = piece.fields(RULE)
    for key in ("name", "when", "route"):
        if key not in fields:
            raise piece.wrong(f"the rule has no {key}.", "A rule is {name: …, when: {…}, route: …}.")
    when = noted.condition(fields["when"])
    return Rule(fields["name"].text(), when, fields["route"].text(names))


def _spot_checks(piece: Piece | None, routes: tuple[RoutePlan, ...]) -> dict[str, float]:
    if piece is None:
        return {}
    automatic = {plan.name for plan in routes if plan.automatic}
    return {name: rate.number(SPOT_CHECK_FLOOR, 1.0) for name, rate in piece.fields(automatic).items()}


def _escalation(piece: Piece | None, routes: tuple[RoutePlan, ...]) -> tuple[Escalation, ...]:
    automatic = {plan.name for plan in routes if plan.automatic}
    steps: list[Escalation] = []
    for item in piece.items() if piece is not None else ():
        if any(step.then for step in steps):
            raise item.wrong("a step stands after the last word.", "Let the step with `then` be the last.")
        steps.append(_escalation_step(item))
        if steps[-1].to in automatic:
            raise item.wrong(f"{steps[-1].to} asks nobody.", "Hand a late ticket to a route with people.")
    return tuple(steps)


def _escalation_step(piece: Piece) -> Escalation:
    fields = piece.fields(STEP)
    if "after" not in fields or len(fields) != 2:  # noqa: PLR2004 - after, and one of the two others
        raise piece.wrong(
            "a step is `after` and one of `to`, `then` and `remind`.", "Write {after: 4h, to: supervisor}."
        )
    text = fields["after"].text()
    share = text.removesuffix("%")
    frac = float(share) / 100 if text.endswith("%") and re.fullmatch("[0-9]{1,4}", share) else None
    after = parse_duration(text)
    if frac is None and after is None:
        raise fields["after"].wrong(
            f"{fields['after'].spelled()} is neither a share nor a time span.", "Write 100% or 4h."
        )
    to = fields["to"].text() if "to" in fields else None
    then = STEP["then"].read(fields["then"]) if "then" in fields else None
    remind = "remind" in fields and fields["remind"].flag()
    if "remind" in fields and not remind:
        raise fields["remind"].wrong("a step that does nothing.", "Write remind: true, or take it out.")
    return Escalation(frac, after, to, then, remind)
