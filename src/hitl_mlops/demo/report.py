"""The page that the demo ends with: every figure of it is read back from the project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from hitl_mlops.decisions.predict import inputs_frame
from hitl_mlops.demo.comparison import Comparison, accuracy, points, right
from hitl_mlops.demo.learning import Learned, reasons_of
from hitl_mlops.demo.people import TEAM
from hitl_mlops.demo.promoting import Tried
from hitl_mlops.demo.refusing import Refused
from hitl_mlops.demo.scene import Scene
from hitl_mlops.gates.watched import watched
from hitl_mlops.kpis import charts
from hitl_mlops.kpis.definitions import WindowRate, loop_figures, rates_over_time
from hitl_mlops.kpis.report import Section, Tile, render, told
from hitl_mlops.overrides.record import AnswerState
from hitl_mlops.review.ticket import TicketKind

if TYPE_CHECKING:
    from hitl_mlops.decisions.record import Decision
    from hitl_mlops.gates.report import GateReport
    from hitl_mlops.overrides.record import Resolution
    from hitl_mlops.rollout.approval import Subject

PER_WINDOW = 75
"""Decisions in one stretch of the drawing of override rates."""
SAMPLED_AUTO = "auto (spot checks)"


@dataclass(frozen=True, slots=True)
class Told:
    """What the chapters brought.

    Attributes:
        decisions: of the first champion, before anything was done about the scanner.
        learned: the collection and the first challenger.
        promoted: its rollout.
        comparison: it and the version before it on held-out cheques.
        refused: the second challenger.
    """

    decisions: Sequence[Decision]
    learned: Learned
    promoted: Tried
    comparison: Comparison
    refused: Refused


def write_report(scene: Scene, told_of: Told, road: Sequence[tuple[str, str, str]], path: Path) -> Path:
    """The page stands at the path; it needs no other file and no network."""
    parts = scene.project.parts
    decisions = sorted(parts.log.decisions(), key=lambda one: (one.at, one.decision_id))
    resolutions = parts.answers.resolutions()
    sections = [
        _accuracy(told_of.comparison),
        _override_rates(decisions, resolutions),
        _drift(scene, told_of),
        _canary("The canary of version", told_of.promoted),
        _gates("Gates of version", told_of.learned.report),
        _approvals(scene, told_of.promoted.version),
        _gates("The second challenger: gates of version", told_of.refused.report),
        _canary("Forced all the same: the canary of version", told_of.refused.tried),
        _quarantine(told_of),
        _reviewers(scene),
        _returns(scene),
        _trail(scene, road),
    ]
    path.write_text(
        render("The cheque reader", parts.clock(), _tiles(scene, told_of, decisions, resolutions), sections),
        encoding="utf-8",
    )
    return path


def _tiles(
    scene: Scene, told_of: Told, decisions: Sequence[Decision], resolutions: Sequence[Resolution]
) -> list[Tile]:
    figures, dataset = loop_figures(decisions, resolutions), scene.project.parts.store.version("latest")
    trail = scene.project.verify_trail()
    before, after = (accuracy(one)[0] for one in (told_of.comparison.before, told_of.comparison.after))
    return [
        Tile(
            "Decisions", f"{figures.decisions:,}", f"{figures.automatic:.0%} without a person before release"
        ),
        Tile(
            "Overridden by people",
            f"{figures.overridden}",
            f"of {figures.reviewed} reviewed; {told(figures.override_rate)} of all, weighted",
        ),
        Tile(
            "Right on the new scanner",
            f"{before:.0%} → {after:.0%}",
            f"on {told_of.comparison.after.decisions} cheques nobody had used",
        ),
        Tile("Dataset versions", f"{dataset.number}", f"{dataset.label_rows:,} labels in Delta Lake"),
        Tile(
            "Trail",
            "sound" if trail.sound else "NOT SOUND",
            f"{trail.trail.size} entries, {trail.trail.checkpoints} signed checkpoints",
        ),
    ]


def _accuracy(found: Comparison) -> Section:
    rows = [
        (f"version {found.champion}, before", *accuracy(found.before)),
        (f"version {found.challenger}, after", *accuracy(found.after)),
    ]
    text = (
        f"Both versions read the same {found.after.decisions} cheques of the new scanner, which no model "
        "and no "
        f"reviewer ever saw: {right(found.before)} and {right(found.after)} right, bars are 95 % (Wilson). "
        f"Cheque by cheque the difference is {points(found.change)}."
    )
    return Section(
        "Did it help?", text, charts.intervals(rows, "share of digits read right on the new scanner")
    )


def _override_rates(decisions: Sequence[Decision], resolutions: Sequence[Resolution]) -> Section:
    tiers = list(dict.fromkeys(one.route for one in decisions))
    series: dict[str, list[WindowRate]] = {
        "all": rates_over_time(decisions, resolutions, per_window=PER_WINDOW)
    }
    windows = [list(decisions[at : at + PER_WINDOW]) for at in range(0, len(decisions), PER_WINDOW)]
    for tier in tiers:
        of_tier = [
            rates_over_time([one for one in window if one.route == tier], resolutions, per_window=PER_WINDOW)
            for window in windows
        ]
        if all(of_tier):
            series[SAMPLED_AUTO if tier == "auto" else tier] = [found[0] for found in of_tier]
    text = (
        f"Share of decisions that people would overrule, in stretches of {PER_WINDOW}, each reviewed "
        "decision "
        "weighted by how likely it was to be reviewed; bands are 95 %. It jumps with the new scanner and "
        "falls "
        "again as the new version takes over."
    )
    return Section("Override rate over time, by tier", text, charts.override_rate_over_time(series))


def _drift(scene: Scene, told_of: Told) -> Section:
    parts = scene.project.parts
    cases = parts.log.cases(one.case_id for one in told_of.decisions)
    current = inputs_frame([cases[one.case_id] for one in told_of.decisions])
    champion = parts.registry.load(told_of.comparison.champion)
    samples = [watched(parts.task, one, champion) for one in (parts.base, current)]
    found = parts.quick_measures.drift(*samples)
    text = (
        f"{len(found.drifted)} of {len(found.columns)} columns of the {found.current_rows} cheques decided "
        "before "
        f"the alarm lie otherwise than in the {found.reference_rows} the first version learned from; those "
        "that "
        "moved, corrected for looking at many, are orange. The alarm started the retraining."
    )
    method = found.columns[0].method if found.columns else ""
    scores = [(one.column, one.score, one.drifted) for one in found.columns]
    return Section("Drift by column", text, charts.drift_by_column(scores, method))


def _canary(title: str, tried: Tried) -> Section:
    evidence = next(look.evidence for look in reversed(tried.looks) if look.evidence is not None)
    drawing = charts.evidence_over_labels(
        evidence.history, promote_at=evidence.promote_at, rollback_at=evidence.rollback_at
    )
    moves = [look.step for look in tried.looks if look.step is not None]
    rows = [
        (
            one.action.value.replace("_", " "),
            f"{one.after.stage.value.replace('_', ' ')}, {one.after.share_percent:g} %",
            one.reason,
        )
        for one in moves
    ]
    text = (
        f"Version {tried.version} beside the champion on {evidence.cases} cheques; they agreed on "
        f"{evidence.agreed}, people decided {evidence.labels} of the rest. Looking after every label is "
        "allowed: "
        "crossing a dotted line by chance is as rare as the policy says."
    )
    return Section(f"{title} {tried.version}", text, drawing, ("look", "then", "because"), tuple(rows))


def _gates(title: str, report: GateReport) -> Section:
    rows = tuple(
        (
            one.name.replace("_", " "),
            one.says,
            "must pass" if one.required else "warns",
            one.reason,
        )
        for one in report.results
    )
    text = f"Verdict: {report.verdict.value}. Judged on cases that neither model learned from."
    return Section(f"{title} {report.model_version}", text, "", ("gate", "verdict", "", "because"), rows)


def _approvals(scene: Scene, version: str) -> Section:
    given = scene.project.rollouts.consent.approvals(version)
    rows = tuple(
        (
            f"{one.at:%Y-%m-%d %H:%M:%S} UTC",
            one.approver,
            ", ".join(one.groups) or "-",
            "claimed" if one.claimed else "signed by MLflow's app",
            _bound_to(one.subject),
        )
        for one in given
    )
    text = (
        "A person is an id in the trail, never a name. The approval counts for these bytes, this gate report "
        "and this policy only. An engineer's attempt before it was refused and left nothing."
    )
    columns = ("when", "person", "groups", "who it was is", "bound to")
    return Section(f"Who approved version {version}", text, "", columns, rows)


def _bound_to(one: Subject) -> str:
    bytes_, gates, policy = (
        digest.removeprefix("sha256:")[:12]
        for digest in (one.model_digest, one.gates_digest, one.policy_hash)
    )
    return f"bytes {bytes_}, gates {gates}, policy {policy}"


def _quarantine(told_of: Told) -> Section:
    refused = [one for one in told_of.learned.answers if one.state is AnswerState.QUARANTINED]
    rows = tuple((reason, str(count)) for reason, count in reasons_of(refused).most_common())
    text = (
        f"{len(refused)} answers were held back by the Great Expectations suite and wait for a person's "
        "ruling; "
        "the demo made them bad on purpose. One answer may have several reasons."
    )
    return Section("Quarantine", text, "", ("reason", "answers"), rows)


def _reviewers(scene: Scene) -> Section:
    parts = scene.project.parts
    collected = parts.answers.answers_since(parts.log.decisions()[0].at)
    resolved = [one for one in parts.answers.resolutions() if one.ticket_kind == TicketKind.REVIEW]
    rows = []
    for person in TEAM:
        own = [one for one in resolved if one.reviewers == (person.person_id,)]
        seconds = [one.answer.seconds or 0.0 for one in collected if one.person == person.person_id]
        rows.append(
            (
                f"{person.name} ({person.person_id})",
                str(len(seconds)),
                f"{sum(one.override for one in own) / len(own):.0%}" if own else "-",
                f"{median(seconds):.1f} s" if seconds else "-",
                "stamps whatever the model says" if person.stamps else f"errs in {person.error_rate:.0%}",
            )
        )
    text = (
        "Simulated, as the demo said. Eve agrees with everything and takes a second: such a row is what a "
        "team "
        "lead looks for. (Ben, Cleo and Dan also changed a batch of answers later, which raises theirs.)"
    )
    return Section(
        "Reviewers",
        text,
        "",
        ("reviewer", "answers", "overrides", "median time", "in truth"),
        tuple(rows),
    )


def _returns(scene: Scene) -> Section:
    figures = scene.project.figures()
    rows = tuple(
        (
            f"version {one.version} against {one.before}",
            f"{one.cases:,} {one.basis}",
            f"{one.labels:,}",
            one.accuracy.points(),
            one.calibration_gap.points() if one.calibration_gap else "-",
        )
        for one in figures.learning.returned
    )
    spent = figures.reviewing
    each = spent.hours_per_corrected
    text = (
        "Both versions answered the same cases, which neither learned from, when the newer was judged. "
        f"{spent.answers:,} answers took {spent.hours:.1f} hours of simulated time and corrected "
        f"{spent.corrected:,} outputs" + (f", {60 * each:.1f} minutes each." if each is not None else ".")
    )
    heads = ("of", "measured on", "labels", "accuracy, per 1,000 labels", "calibration gap, per 1,000")
    return Section("What labels gave back", text, "", heads, rows)


def _trail(scene: Scene, road: Sequence[tuple[str, str, str]]) -> Section:
    found = scene.project.verify_trail()
    text = (
        f"From the promoted version back to one answer it learned from. The trail is "
        f"{'sound' if found.sound else 'not sound'}: {found.trail.size} entries, {found.trail.sealed} of "
        "them under "
        f"{found.trail.checkpoints} signed checkpoints."
    )
    return Section("The road back", text, "", ("what", "id", "told by"), tuple(road))
