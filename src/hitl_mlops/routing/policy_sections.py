"""The sections of a policy that other rooms own: checked for form here, read for meaning there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from hitl_mlops.documents import Piece
from hitl_mlops.errors import HitlError
from hitl_mlops.routing.conditions import NUMBER
from hitl_mlops.routing.forms import CLASS, DURATION, FLAG, Form, list_of, map_of, named, number, text, whole
from hitl_mlops.routing.likeness import REVIEW_TAGS
from hitl_mlops.routing.switches import EVERYTHING, LABEL, LIKE, MODEL, ROUTE, parse_scope

_RATE = number(0.0, 1.0)
_ALPHA = number(1e-9, 0.5)
_MARGIN = _RATE.about("How much worse it may be, as a difference of rates.")


def _stages(piece: Piece) -> object:
    shares: list[float] = list_of(number(0.0, 100.0), single=False).read(piece)
    if shares != sorted(set(shares)) or shares[-1:] != [100.0] or shares[0] == 0:
        raise piece.wrong("the stages do not rise to 100.", "Write rising percentages: [1, 5, 25, 50, 100].")
    return shares


def _bound(piece: Piece) -> str:
    said = piece.text()
    if not re.fullmatch(_BOUND, said):
        raise piece.wrong(f"{said!r} is no upper bound.", 'Write the figure at which it opens: "> 0.25".')
    return said


def _per(piece: Piece) -> str:
    name = piece.text()
    if name in (ROUTE, LIKE):
        raise piece.wrong(f"no breaker stands per {name}.", "Write everything, model, label or an attribute.")
    return name


def _scope(piece: Piece) -> str:
    said = piece.text()
    try:
        scope = parse_scope(said)
    except HitlError as error:
        raise piece.wrong(error.fact, error.remedy) from error
    if scope.name == LIKE:
        raise piece.wrong("no limit counts what is like a case.", f"Write {EVERYTHING}, or branch=north.")
    return said


def _breaker(piece: Piece) -> object:
    said = map_of(_BREAKER).read(piece)
    if not said.keys() & {"override_rate", "error_rate", "calibration_gap"}:
        raise piece.wrong("the breaker watches no figure.", 'Add one: override_rate: "> 0.25".')
    if said.get("at_least", 50) > said.get("window", 200):
        raise piece.wrong(
            "the breaker wants more answers than its window holds, so it would never open.",
            "Write a window that is at_least or more.",
        )
    return said


def _limit(piece: Piece) -> object:
    said = map_of(_LIMIT).read(piece)
    for key in ("at_most", "per"):
        if key not in said:
            raise piece.wrong(f"the limit has no {key}.", "A limit is {at_most: 1000, per: 1h}.")
    return said


def _severe(keys: Mapping[str, Form], piece: Piece) -> object:
    said = map_of(keys).read(piece)
    figures = [said[key] for key in ("rate", "gap", "drop") if key in said]
    if any(said.get("severe", 1.0) < one for one in figures):
        raise piece.wrong("what is severe lies below the figure.", "Write severe as the figure or more.")
    return said


_BOUND = rf"\s*>=?\s*{NUMBER}\s*"
_FIGURE = Form(_bound, {"type": "string", "pattern": f"^{_BOUND}$", "examples": ["> 0.25"]})
_KILL_SWITCH: Mapping[str, Form] = {
    "two_people": FLAG.about("Whoever froze something is not the one to lift it."),
}
_BREAKER: Mapping[str, Form] = {
    "override_rate": _FIGURE.about("Share of decisions that people would overrule, at which it opens."),
    "error_rate": _FIGURE.about("Share of cases left unanswered or proved wrong, at which it opens."),
    "calibration_gap": _FIGURE.about("Distance of confidence from being right, at which it opens."),
    "window": whole(1).about("How many of the latest answered decisions count; 200 where left out."),
    "at_least": whole(1).about("With fewer answers it stays as it is; 50 where left out."),
    "per": Form(_per, text().schema).about(
        "What each value of which has a breaker: model, label, an attribute."
    ),
    "opens_for": DURATION.about("How long it is open at first; 30m where left out."),
    "trial": whole(1).about("Answers that a half-open one waits for; 20 where left out."),
}
_LIMIT: Mapping[str, Form] = {
    "scope": Form(_scope, text().schema).about("Which decisions count: everything, or branch=north."),
    "at_most": whole(0).about("How many of them may be automatic."),
    "per": DURATION.about("In what time."),
}
_FREEZE_LIKE: Mapping[str, Form] = {
    "tag": text(REVIEW_TAGS).about("The reviewers' reason that freezes inputs like the case."),
    "distance": number(0.0).about(
        "How far numbers may lie apart, in standard deviations; 0.25 where left out."
    ),
    "text": _RATE.about("How alike texts are at least, as a cosine; 0.8 where left out."),
}
_SEEDS: Mapping[str, Form] = {
    "share": number(0.0, 0.5).about("Secret cases with a wrong suggestion, as a share of the tickets."),
    "catch_rate": number(0.01, 0.99).about("Share of them that a reviewer is to catch; 0.8 where left out."),
    "alpha": _ALPHA.about("Chance at the most that one who does is ever suspected; 0.01 where left out."),
    "when_fast": number(1.0, 20.0).about("Times as many for who answers fast; 3 where left out."),
}
_CLAIMS: Mapping[str, Form] = {
    "for": DURATION.about("How long a ticket is one person's; 2h where left out."),
    "at_once": whole(1).about("How many somebody has at a time at the most; 20 where left out."),
    "language": text().about("The column that says in which language a case is."),
}
_REVIEW: Mapping[str, Form] = {
    "consensus": map_of(
        {
            "method": text(("majority", "weighted", "dawid_skene")).about(
                "What decides where people differ."
            ),
            "certainty": number(0.5, 1.0).about(
                "The least chance, by people's known errors, to take a class."
            ),
        }
    ),
    "claims": map_of(_CLAIMS).about("Tickets are handed out to the people of reviewers.yaml."),
    "blind_share": _RATE.about("Share of the tickets on which the model's answer is not shown."),
    "budget_hours_per_week": number(0.0).about(
        "Hours that people have for all questions; what must be asked leaves is used to learn."
    ),
    "random_share": _RATE.about("Share of the questions to learn from that is drawn; 0.2 where left out."),
    "cost_per_hour": number(0.0).about("What an hour of reviewing costs, in a unit of yours."),
    "seeds": map_of(_SEEDS),
    "calibration": map_of(
        {"per_week": whole(0, 50).about("Blind cases with a known answer for each person; 0 if left out.")}
    ),
    "agreement": map_of(
        {
            "at_least": _RATE.about("Least agreement on a class, Krippendorff's alpha; 0.6 where left out."),
            "cases": whole(2).about("Cases of a class that two answered, below which nothing is said; 20."),
        }
    ),
}
_GATES: Mapping[str, Mapping[str, Form]] = {
    "override_rate": {"margin": _MARGIN, "alpha": _ALPHA, "at_least": whole(2)},
    "error_rate": {
        "margin": _MARGIN,
        "reviewer_error": number(0.0, 0.499).about("Upper bound of how often a label of people is wrong."),
    },
    "calibration": {"gap": _RATE},
    "slices": {"margin": _MARGIN, "at_least": whole(2)},
    "classes": {"margin": _MARGIN},
    "slice_classes": {"margin": _MARGIN},
    "fairness": {
        "outcome": list_of(CLASS).about("Answers that are good for whom they are about."),
        "ratio": _RATE.about(
            "The least share of one group's rate that another's may be; 0.8 where left out."
        ),
        "error_ratio": _RATE.about("The same of error rates; 0: judged only where no outcome is named."),
        "at_least": whole(2).about("Cases that a group must have."),
        "smallest": _RATE.about("Share of the cases that a group must be to be judged."),
    },
    "severity": {
        "costs": named(number(0.0)).about('Class, or "true -> said", and what such an error costs.'),
        "default": number(0.0).about("What any other error costs; 1 where left out."),
        "margin": _MARGIN.about("How much dearer its errors may be, as a share of the dearest."),
    },
    "label_quality": {
        "quarantine": _RATE.about("Share of the answers that the screen may refuse."),
        "agreement": _RATE.about("The least agreement of people, Krippendorff's alpha."),
        "differs": _RATE.about("Share of a reviewer's answers that may be contradicted."),
    },
    "golden": {"margin": _MARGIN},
    "stress": {"margin": _MARGIN},
    "disagreement": {"share": _RATE},
    "data_sanity": {
        "leak": _RATE.about("Mean recall from one column alone from which it gives the label away."),
        "duplicates": _RATE.about("Share of held-back cases that may stand in the training data too."),
        "shift": _RATE.about("How far the shares of the classes may move."),
    },
    "drift": {"share": _RATE, "min_rows": whole(1)},
    "running_cost": {
        "ms": number(0.0).about("Milliseconds that one case may take."),
        "megabytes": number(0.0).about("Megabytes that the stored model may have."),
    },
}
_GATE_NAMES = list_of(text(tuple(_GATES)), single=False)
_SHADOW: Mapping[str, Form] = {
    "labels": text(("disagreements",)),
    "margin": _MARGIN,
    "alpha": _ALPHA.about("Chance at the most to promote a challenger that is worse by the margin."),
    "alpha_rollback": _ALPHA.about("Chance at the most to roll back one that is no worse."),
    "reviewer_error": number(0.0, 0.499).about(
        "Upper bound of how often a resolved label is wrong; 0.05 where left out."
    ),
}
_CANARY: Mapping[str, Form] = {
    "stages": Form(_stages, list_of(number(0.0, 100.0), single=False).schema).about(
        "Shares of subjects in percent, rising to 100."
    ),
    "at_least": whole(1).about("Decisions the challenger must have answered at a share."),
    "hold_at_most": DURATION.about("An undecided stage is rolled back after it."),
    "then": text(("roll_back",)),
}
_GUARDRAILS: Mapping[str, Form] = {
    "unanswered": number(0.0, 0.999).about("Share of its cases that a challenger may leave unanswered."),
    "late_tickets": _RATE.about("Share of a rollout's tickets that may be late before nothing advances."),
}
_SEVERE = _RATE.about("From it on it is contained where it is widespread: never below the figure.")
_HARMS: Mapping[str, Mapping[str, Form]] = {
    "overrides": {
        "count": whole(1).about("So many overrides that no model has learned from; 100 where left out."),
        "rate": _RATE.about("Share of decisions that people would overrule; 0.25 where left out."),
        "severe": _SEVERE,
    },
    "calibration": {
        "gap": _RATE.about("Distance of confidence from being right; 0.1 where left out."),
        "severe": _SEVERE,
    },
    "accuracy": {
        "drop": _RATE.about("Estimated accuracy below what was promised; 0.05 where left out."),
        "severe": _SEVERE,
    },
}
_ACTS = ("freeze", "roll_back", "pause", "enqueue", "retrain")
_RETRAIN: Mapping[str, Form] = {
    "every": DURATION.about("How long after a training the next is due; 7d where left out."),
    "drift": map_of({"share": number(1e-9, 1.0).about("Share of columns that moved; 0.3 where left out.")}),
    "widespread": number(1e-9, 1.0).about(
        "Share of decisions in slices that fired, from which it is no matter of slices; 0.5 where left out."
    ),
    "at_least": whole(2).about("With fewer answers a figure is unknown; 30 where left out."),
    "window": whole(1).about("How many of the latest decisions count; 2000 where left out."),
    "cool_down": DURATION.about("How long after a retraining none begins by itself; 24h where left out."),
    "new_labels": whole(0).about("With fewer new labels there is nothing to learn; 20 where left out."),
    "quiet_below": number(1e-9, 1.0).about(
        "What fired rests below this share of its bound; 0.9 where left out."
    ),
    "enqueue": whole(0).about("Decisions that people are asked about at once; 50 where left out."),
    "automatic": list_of(text(_ACTS), single=False).about(
        "What is done without asking; [retrain] if left out."
    ),
}
SECTIONS: Mapping[str, Mapping[str, Form]] = {
    "guards": {
        "kill_switch": map_of(_KILL_SWITCH),
        "breaker": Form(_breaker, map_of(_BREAKER).schema),
        "rate_limits": list_of(
            Form(_limit, map_of(_LIMIT, required=("at_most", "per")).schema), single=False
        ),
        "freeze_like": map_of(_FREEZE_LIKE),
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
    "review": _REVIEW,
    "recourse": {"complaints_within": DURATION.about("How long after a decision a complaint is heard.")},
    "retrain": {
        **_RETRAIN,
        **{name: Form(partial(_severe, keys), map_of(keys).schema) for name, keys in _HARMS.items()},
    },
    "rollout": {
        "shadow": map_of(_SHADOW),
        "canary": map_of(_CANARY),
        "guardrails": map_of(_GUARDRAILS),
    },
}
"""Section → key → form of its value."""


def watched_attributes(guards: Piece) -> dict[str, int]:
    """Attribute of a case that a guard goes by → line; of a section that `read_sections` has taken."""
    fields = guards.fields()
    named = [fields["breaker"].fields().get("per")] if "breaker" in fields else []
    limits = fields["rate_limits"].items() if "rate_limits" in fields else []
    named += [each.fields().get("scope") for each in limits]
    said = {one.value.partition("=")[0].strip(): one.line for one in named if one is not None}
    return {name: line for name, line in said.items() if name not in (EVERYTHING, MODEL, LABEL, ROUTE)}


def claimed_by(review: Piece) -> dict[str, int]:
    """The column by which tickets are handed out → line; of a section that `read_sections` has taken."""
    claims = review.fields().get("claims")
    named = claims.fields().get("language") if claims is not None else None
    return {} if named is None else {named.text(): named.line}


def read_sections(top: Mapping[str, Piece]) -> dict[str, Mapping[str, Any]]:
    """The sections that other rooms own as plain values, as they stand in the file.

    Raises:
        ConfigurationError: an unknown key, or a value of the wrong form; the fact names the line.
    """
    sections: dict[str, Mapping[str, Any]] = {}
    for name, keys in SECTIONS.items():
        if name in top:
            map_of(keys).read(top[name])
            sections[name] = top[name].plain()
    return sections
