"""Reading what a policy binds beside the confidence: functions, law, outputs, actions, costs and impact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hitl_mlops.documents import Piece
from hitl_mlops.routing import policy_forms as forms
from hitl_mlops.routing.bounds import (
    Amount,
    Costs,
    Factor,
    Impact,
    OutputRule,
    Outputs,
    Permission,
    Regulation,
)
from hitl_mlops.routing.conditions import Condition, attributes_of, parse_condition
from hitl_mlops.routing.forms import Form
from hitl_mlops.routing.policy import IMPACT, OBSERVED, RISK, RoutePlan

_OTHERS = "default"
"""The key of `costs.wrong` for every class that is not named."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What a file names while it is read: attribute → line that first reads it, function → line."""

    reads: dict[str, int] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)

    def condition(self, piece: Piece) -> Condition:
        """The condition that the piece says; what it reads is noted."""
        condition = parse_condition(piece)
        for name in sorted(attributes_of(condition)):
            self.reads.setdefault(name, piece.line)
        return condition

    def function(self, piece: Piece) -> str:
        """The name of a function of the user's, noted."""
        name = piece.text()
        self.uses.setdefault(name, piece.line)
        return name

    def amount(self, piece: Piece) -> Amount:
        """A number, or the name of a column, noted."""
        amount: Amount = forms.AMOUNT.read(piece)
        if isinstance(amount, str):
            self.reads.setdefault(amount, piece.line)
        return amount


def read_bounds(top: Mapping[str, Piece], routes: Sequence[RoutePlan], noted: Noted) -> dict[str, Any]:
    """The fields of a `Policy` that these sections fill; a section that is not there leaves its field out.

    Raises:
        ConfigurationError: an unknown key, a route that is not there, a value that cannot be meant.
    """
    names = {plan.name for plan in routes}
    read: dict[str, Any] = {}
    if "functions" in top:
        made = forms.TOP["functions"].read(top["functions"])
        read["functions"] = {name: tuple(columns) for name, columns in made.items()}
    if "derive" in top:
        read["derive"] = _derive(top["derive"], noted)
    if "risk" in top and "model" in (risk := top["risk"].fields()):
        read["risk_model"] = noted.function(risk["model"])
    if "impact" in top:
        read["impact"] = _impact(top["impact"], noted)
    if "regulation" in top:
        read["regulation"] = tuple(_regulation(one, names, noted) for one in top["regulation"].items())
    if "outputs" in top:
        read["outputs"] = _outputs(top["outputs"], names, noted)
    if "actions" in top:
        read["actions"] = tuple(_permission(one, noted) for one in top["actions"].items())
    if "costs" in top:
        read["costs"] = _costs(top["costs"], routes, noted)
    _demand_order(top, read)
    return read


def _fields(piece: Piece, keys: Mapping[str, Form], *required: str) -> dict[str, Piece]:
    found = piece.fields(keys)
    for key in required:
        if key not in found:
            raise piece.wrong(f"there is no {key}.", f"Write the keys {', '.join(required)}.")
    return found


def _derive(piece: Piece, noted: Noted) -> dict[str, str]:
    made: dict[str, str] = {}
    for name, function in piece.fields().items():
        if name in {*OBSERVED, RISK, IMPACT}:
            raise function.wrong(f"{name!r} is made otherwise.", "Give the attribute another name.")
        made[name] = noted.function(function)
    return made


def _demand_order(top: Mapping[str, Piece], read: Mapping[str, Any]) -> None:
    """No function and no factor reads what is made after it."""
    risk = top["risk"].fields().get("model") if "risk" in top else None
    made = [(name, function, top["derive"].at(name)) for name, function in read.get("derive", {}).items()]
    made += [(RISK, read["risk_model"], risk)] if risk is not None else []
    impact: Impact = read.get("impact", Impact())
    made += [(IMPACT, impact.model, top["impact"])] if "impact" in top else []
    later = {"consequence", *(name for name, _, _ in made)}
    for name, function, piece in made:
        columns = set(read.get("functions", {}).get(function, ()))
        if name == IMPACT:
            columns |= _read_by(impact)
        if wrong := sorted(columns & later):
            raise piece.wrong(
                f"{name} reads {', '.join(wrong)}, which is made after it.",
                "Read columns of your data, what the model said, or what stands before it.",
            )
        later.discard(name)


def _read_by(impact: Impact) -> set[str]:
    parts = [attributes_of(one.when) if one.when is not None else {one.of} for one in impact.factors]
    return set().union(*parts)


def _impact(piece: Piece, noted: Noted) -> Impact:
    fields = _fields(piece, forms.IMPACT)
    if len(fields) != 1:
        raise piece.wrong("impact is told by factors or by a model.", "Write one of the two.")
    if "model" in fields:
        return Impact(model=noted.function(fields["model"]))
    factors = tuple(_factor(one, noted) for one in fields["factors"].items())
    if not factors:
        raise fields["factors"].wrong("there is no factor.", "Write {name: …, weight: 1, when: {…}}.")
    return Impact(factors)


def _factor(piece: Piece, noted: Noted) -> Factor:
    fields = _fields(piece, forms.FACTOR, "name", "weight")
    said = {key: forms.FACTOR[key].read(one) for key, one in fields.items()}
    if set(fields) == {"name", "weight", "when"}:
        return Factor(said["name"], said["weight"], when=noted.condition(fields["when"]))
    if set(fields) != {"name", "weight", "of", "from", "to"} or said["from"] == said["to"]:
        raise piece.wrong(
            "a factor is a condition, or a column with the values that count nothing and in full.",
            "Write `when: {…}`, or `of: amount, from: 0, to: 50000`.",
        )
    noted.reads.setdefault(said["of"], fields["of"].line)
    return Factor(said["name"], said["weight"], of=said["of"], start=said["from"], end=said["to"])


def _regulation(piece: Piece, names: set[str], noted: Noted) -> Regulation:
    fields = _fields(piece, forms.REGULATION, "name", "when", "at_least")
    law = fields["law"].text() if "law" in fields else ""
    when = noted.condition(fields["when"])
    return Regulation(fields["name"].text(), law, when, fields["at_least"].text(names))


def _outputs(piece: Piece, names: set[str], noted: Noted) -> Outputs:
    fields = _fields(piece, forms.OUTPUTS)
    rules = fields["rules"].items() if "rules" in fields else ()
    prohibited = forms.OUTPUTS["prohibited"].read(fields["prohibited"]) if "prohibited" in fields else ()
    return Outputs(tuple(prohibited), tuple(_output_rule(one, names, noted) for one in rules))


def _output_rule(piece: Piece, names: set[str], noted: Noted) -> OutputRule:
    fields = _fields(piece, forms.OUTPUT_RULE, "name", "must")
    when = (noted.condition(fields["when"]),) if "when" in fields else ()
    route = fields["route"].text(names) if "route" in fields else None
    return OutputRule(fields["name"].text(), when, noted.condition(fields["must"]), route)


def _permission(piece: Piece, noted: Noted) -> Permission:
    fields = _fields(piece, forms.PERMISSION, "may")
    said = {key: tuple(forms.PERMISSION[key].read(fields[key])) for key in ("may", "model") if key in fields}
    if not all(said.values()):
        raise piece.wrong(
            "the list is empty, so nothing is permitted.", "Name classes, or take the line out."
        )
    return Permission(**said, when=noted.condition(fields["when"]) if "when" in fields else None)


def _costs(piece: Piece, routes: Sequence[RoutePlan], noted: Noted) -> Costs:
    fields = _fields(piece, forms.COSTS, "wrong")
    if "review" not in fields and "budget" not in fields:
        raise piece.wrong("costs say neither review nor budget.", "Add `review: 4`, `budget: 50`, or both.")
    wrong = {label: noted.amount(amount) for label, amount in fields["wrong"].fields().items()}
    with_people = [plan.name for plan in routes if not plan.automatic]
    return Costs(
        wrong={label: amount for label, amount in wrong.items() if label != _OTHERS},
        wrong_default=wrong.get(_OTHERS),
        review=forms.COSTS["review"].read(fields["review"]) if "review" in fields else None,
        budget=forms.COSTS["budget"].read(fields["budget"]) if "budget" in fields else None,
        route=fields["route"].text(with_people) if "route" in fields else with_people[0],
    )
