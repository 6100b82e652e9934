"""The report as people read it: one screen of Markdown for the version's page, JSON, and a drawn page."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hitl_mlops.gates.chart import drawings
from hitl_mlops.gates.report import NOT_ASKED, GateReport, GateResult, Verdict
from hitl_mlops.ids import canonical_json
from hitl_mlops.kpis.returns import LabelReturn
from hitl_mlops.training.record import ReleaseNotes

_MARKDOWN = re.compile(r"([\\`*_\[\]|~$])")
_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_ADVICE = {
    Verdict.PASS: "approve",
    Verdict.FAIL: "do not approve",
    Verdict.INCONCLUSIVE: "wait for more evidence",
    Verdict.ERROR: "mend the gates first",
}
_ASKED = 3
MOSTLY_ONE = 0.5
TOO_FEW = "not known: too few labels in every slice"


@dataclass(frozen=True, slots=True)
class Cost:
    """What the evidence cost.

    Attributes:
        answers: that people gave since the champion.
        hours: that they took, as the desk measured them.
        corrected: decisions that they put right.
        review: what one answer costs by the policy (`costs.review`), in its unit; None: not stated.
        returned: what the labels gave back; none where it was not measured.
    """

    answers: int
    hours: float
    corrected: int = 0
    review: float | None = None
    returned: tuple[LabelReturn, ...] = ()

    @property
    def told(self) -> str:
        """`214 answers, 3.5 hours; 3.4 minutes and 14.03 in the policy's unit a corrected output`."""
        said = f"{self.answers} answers, {self.hours:.1f} hours"
        if not self.corrected:
            return f"{said}; no output was corrected"
        each = f"{60 * self.hours / self.corrected:.1f} minutes"
        if self.review is not None:
            each += f" and {self.review * self.answers / self.corrected:.2f} in the policy's unit"
        return f"{said}; {each} a corrected output"


def markdown(
    report: GateReport, *, name: str, notes: ReleaseNotes | None = None, cost: Cost | None = None
) -> str:
    """One screen for the description of the version: advice, what changed, evidence, doubt, how to approve.

    Everything that came from data is escaped, so that no label or slice can draw a link or a tag.

    Args:
        report: the gates' word.
        name: the registered model.
        notes: what it learned from; None where unknown.
        cost: of the evidence; None where unknown.
    """
    lines = [
        f"**{_md(headline(report, name))}**",
        "",
        f"gates {_md(tally(report))}",
        "",
        "| | |",
        "|---|---|",
    ]
    lines += [f"| **{word}** | {_md(text)} |" for word, text in summary(report, notes, cost)]
    lines += ["", "| gate | says | figure | bound | interval | on |", "|---|---|---|---|---|---|"]
    told = [result for result in report.results if result.required or result.says not in ("pass", NOT_ASKED)]
    lines += ["| " + " | ".join(_md(cell) for cell in _row(result)) + " |" for result in told]
    return "\n".join([*lines, "", *_in_passing(report), _how_to_approve(report)])


def _in_passing(report: GateReport) -> list[str]:
    """The gates that need no line of their own on one screen; `gates.html` has them all."""
    others = [result for result in report.results if not result.required]
    passed = [result.name for result in others if result.says == "pass"]
    silent = [result.name for result in others if result.says == NOT_ASKED]
    lines = [f"Not required, and passed: {_md(', '.join(passed))}."] if passed else []
    lines += [f"Not asked for by this project: {_md(', '.join(silent))}."] if silent else []
    return [*lines, ""] if lines else []


def json_bytes(report: GateReport) -> bytes:
    """The canonical bytes whose SHA-256 is the report's digest."""
    return canonical_json(report.to_dict())


def page(
    report: GateReport, *, name: str, notes: ReleaseNotes | None = None, cost: Cost | None = None
) -> bytes:
    """A self-contained HTML page, UTF-8: it loads nothing and runs nothing. Arguments as in `markdown`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("hitl_mlops.gates", "."), autoescape=True, undefined=StrictUndefined
    )
    text = environment.get_template("report.html.j2").render(
        title=headline(report, name),
        tally=tally(report),
        summary=summary(report, notes, cost),
        rows=[(_row(result), result.says, result.reason) for result in report.results],
        drawings=drawings(report),
        details=[(result.name, _details(result.details)) for result in report.results if result.details],
        report=report,
    )
    return text.encode()


def headline(report: GateReport, name: str) -> str:
    """`Challenger 7 of cheques: recommended: approve`."""
    return f"Challenger {report.model_version} of {name} — recommended: {_ADVICE[report.verdict]}"


def tally(report: GateReport) -> str:
    """How many gates said what; one that only warns counts as a warning instead of a failure.

    A gate that is not required and did not pass is a warning, never a failure. One that the project did not
    ask for stands apart.
    """
    said = [result.verdict for result in report.results if result.required]
    others = [result.verdict for result in report.results if not result.required and result.says != NOT_ASKED]
    counts = {
        "pass": said.count(Verdict.PASS) + others.count(Verdict.PASS),
        "fail": said.count(Verdict.FAIL),
        "warn": others.count(Verdict.FAIL),
        "inconclusive": said.count(Verdict.INCONCLUSIVE) + others.count(Verdict.INCONCLUSIVE),
        "error": said.count(Verdict.ERROR) + others.count(Verdict.ERROR),
    }
    counts[NOT_ASKED] = len(report.results) - len(said) - len(others)
    return " · ".join(
        f"{count} {word}" for word, count in counts.items() if count or word not in ("error", NOT_ASKED)
    )


def summary(report: GateReport, notes: ReleaseNotes | None, cost: Cost | None) -> list[tuple[str, str]]:
    """What a release manager asks first, as (word, sentence)."""
    by_name = {result.name: result for result in report.results}
    changes = _changes(by_name.get("slices"))
    rows = [
        ("Learned from", _learned(report, notes)),
        ("Errors", _errors(by_name.get("override_rate"))),
        ("Proven better", _better(by_name.get("slices"), changes)),
        ("Proven worse", _worse(by_name.get("slices"), changes)),
        ("Doubtful", _doubtful(report)),
    ]
    fair, footprint = by_name.get("fairness"), by_name.get("running_cost")
    if fair is not None and fair.asked:
        rows.insert(4, ("Groups", fair.reason))
    spent = [cost.told] if cost is not None else []
    spent += (
        [f"the model: {footprint.reason}"] if footprint is not None and footprint.figure is not None else []
    )
    if spent:
        rows.append(("Cost", "; ".join(spent)))
    if cost is not None and cost.returned:
        rows.append(("Return", " ".join(one.told for one in cost.returned)))
    return rows


def _errors(found: GateResult | None) -> str:
    if found is None:
        return "not judged"
    theirs, ours = (found.details.get(f"{who}_error", {}).get("value") for who in ("champion", "challenger"))
    rates = (
        "" if ours is None or theirs is None else f"{100 * theirs:.1f} % → {100 * ours:.1f} % (weighted). "
    )
    return f"{rates}{found.reason}"


def _learned(report: GateReport, notes: ReleaseNotes | None) -> str:
    if notes is None:
        return f"dataset {report.dataset_digest}"
    since = f" since champion {notes.champion}" if notes.champion else ""
    pairs = ", ".join(f"{said}→{right} ({count})" for said, right, count in notes.overrides_by_class[:_ASKED])
    mostly = f"; mostly {pairs}" if pairs else ""
    return (
        f"dataset {notes.dataset_number} ({_short(notes.dataset_digest)}): +{notes.new_labels} labels"
        f"{since}, of them {notes.overrides} overrides{mostly}"
    )


def _better(slices: GateResult | None, changes: Mapping[str, Mapping[str, Any]]) -> str:
    if _unknown(slices):
        return TOO_FEW
    better = sorted((one["value"], name) for name, one in changes.items() if one["high"] < 0)
    return _listed(changes, better) or "on no slice"


def _worse(slices: GateResult | None, changes: Mapping[str, Mapping[str, Any]]) -> str:
    if slices is None or _unknown(slices):
        return TOO_FEW
    worse = sorted(((one["value"], name) for name, one in changes.items() if one["low"] > 0), reverse=True)
    return _listed(changes, worse) or slices.reason


def _unknown(slices: GateResult | None) -> bool:
    return slices is None or slices.verdict is Verdict.INCONCLUSIVE


def _doubtful(report: GateReport) -> str:
    odd = [result for result in report.results if result.says not in ("pass", NOT_ASKED)]
    told = [f"{result.name}: {result.reason}" for result in odd[:_ASKED]]
    told += [f"And: {', '.join(result.name for result in odd[_ASKED:])}."] if odd[_ASKED:] else []
    return " ".join([*told, *_thin(report)]) or "nothing"


def _thin(report: GateReport) -> list[str]:
    """What no gate says aloud: slices with too few labels, and labels that are mostly one person's."""
    details = {result.name: result.details for result in report.results}
    few = details.get("slices", {}).get("too_few", ())
    told = [f"Too few labels to tell: {', '.join(few[:_ASKED])}."] if few else []
    most = details.get("label_quality", {}).get("most_answers_of_one", 0.0)
    return [*told, f"One person gave {most:.0%} of the answers."] if most > MOSTLY_ONE else told


def _changes(slices: GateResult | None) -> Mapping[str, Mapping[str, Any]]:
    found = slices.details.get("changes", {}) if slices else {}
    return {name: one for name, one in found.items() if one["low"] is not None}


def _listed(changes: Mapping[str, Mapping[str, Any]], ranked: Sequence[tuple[float, str]]) -> str:
    """The first few, the strongest change first."""
    return ", ".join(_told(name, changes[name]) for _, name in ranked[:_ASKED])


def _told(name: str, one: Mapping[str, Any]) -> str:
    low, value, high = (f"{100 * one[key]:+.1f}" for key in ("low", "value", "high"))
    return f"{name} {value} points ({low}…{high}, {one['count']} reviewed)"


def _row(result: GateResult) -> tuple[str, ...]:
    says = result.says if result.required or result.says == "warn" else f"{result.says} (not required)"
    interval = "" if result.interval is None else f"{result.interval[0]:.3f}…{result.interval[1]:.3f}"
    return (result.name, says, _figure(result.figure), _figure(result.bound), interval, str(result.count))


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _how_to_approve(report: GateReport) -> str:
    bound = (
        f"binds version {_md(report.model_version)}, bytes {_md(_short(report.model_digest))}, "
        f"gates {_md(_short(report.digest))}, policy {_md(_short(report.policy_hash))}"
    )
    if report.verdict is Verdict.PASS:
        return f"To approve: set tag `hitl.approval` to `approve: your reason` ({bound})."
    return f"An approval would be refused until the required gates pass ({bound})."


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def _details(details: Mapping[str, Any]) -> str:
    return canonical_json(details).decode("utf-8", "replace")


def _md(text: str) -> str:
    """One line in which nothing draws: no tag, no table cell, no emphasis, no link, no bare address."""
    flat = _ADDRESS.sub("\u200b", " ".join(str(text).split()))
    return _MARKDOWN.sub(r"\\\1", html.escape(flat, quote=False))
