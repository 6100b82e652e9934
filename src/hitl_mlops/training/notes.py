"""What a release manager should know of a challenger: gathered from the label log, written as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from hitl_mlops.dataset.manifest import DatasetVersion
from hitl_mlops.training.clusters import ErrorCluster
from hitl_mlops.training.record import FittedModel, ReleaseNotes

SHOWN_PAIRS, SHOWN_CLUSTERS = 10, 5


def gather_notes(
    labels: pa.Table,
    dataset: DatasetVersion,
    *,
    since: DatasetVersion | None,
    policy_hash: str,
    champion: str | None,
    unlearned: int | None = None,
    clusters: Sequence[ErrorCluster] = (),
) -> ReleaseNotes:
    """The notes of a challenger that learns from `dataset`.

    Args:
        labels: the label events up to `dataset`, in log order (`DatasetStore.labels`).
        dataset: what the challenger learns from.
        since: what the champion learned from; None: nothing, all labels are new.
        policy_hash: the policy in force.
        champion: version of the champion; None for the first.
        unlearned: place of the first label event that no model has learned from; None: there is none.
        clusters: where people overrule the champion.

    Withdrawn labels are not counted as new. Equal counts stand by name.
    """
    fresh = labels.slice(since.label_rows if since else 0).to_pylist()
    given = [event for event in fresh if event["source"] != "withdrawn"]
    pairs = Counter(
        (str(event["model_label"]), str(event["label"])) for event in given if event["source"] == "override"
    )
    ranked = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    return ReleaseNotes(
        dataset_number=dataset.number,
        dataset_digest=dataset.digest,
        new_labels=len(given),
        overrides=sum(pairs.values()),
        overrides_by_class=tuple((model, people, count) for (model, people), count in ranked),
        policy_hash=policy_hash,
        champion=champion,
        first_answer_at=None if unlearned is None else first_answer(labels.slice(unlearned)),
        clusters=tuple(clusters),
    )


def first_answer(labels: pa.Table) -> datetime | None:
    """When people gave the first of these labels; None where none is from people."""
    told = zip(labels.column("source").to_pylist(), labels.column("decided_at").to_pylist(), strict=True)
    return min((at for source, at in told if source in {"agreed", "override"}), default=None)


def render_notes(name: str, fitted: FittedModel, notes: ReleaseNotes) -> str:
    """The description of a version: one screen of Markdown, with the ten most frequent corrections.

    >>> from hitl_mlops.training.record import FittedModel, ReleaseNotes
    >>> fitted = FittedModel(None, ("a",), ("x",), "linear@1", "sha256:0", 2, 90, 10, {"accuracy": 0.5}, None)
    >>> notes = ReleaseNotes(2, "sha256:0", 7, 1, (("a", "b", 1),), "sha256:1", None)
    >>> print(render_notes("cheques", fitted, notes).splitlines()[0])
    ### First model of cheques
    """
    title = (
        f"Challenger of {name}, for champion {notes.champion}" if notes.champion else f"First model of {name}"
    )
    since = f"since champion {notes.champion}" if notes.champion else "in all"
    lines = [
        f"### {_plain(title)}",
        "",
        "| | |",
        "|---|---|",
        f"| Learned from | dataset {notes.dataset_number}, `{notes.dataset_digest}` |",
        f"| New labels | {notes.new_labels:,} {since}, of them {notes.overrides:,} overrides |",
        f"| Rows | {fitted.train_rows:,} learned, {fitted.test_rows:,} held back |",
        f"| Held-back figures | {_figures(fitted)} |",
        f"| Recipe | `{fitted.recipe}` |",
        f"| Policy | `{notes.policy_hash}` |",
    ]
    if notes.overrides_by_class:
        lines += [
            "",
            "What people corrected, most frequent first:",
            "",
            "| model said | people said | times |",
        ]
        lines += ["|---|---|---:|"]
        shown = notes.overrides_by_class[:SHOWN_PAIRS]
        lines += [f"| {_plain(model)} | {_plain(people)} | {count:,} |" for model, people, count in shown]
        rest = notes.overrides_by_class[SHOWN_PAIRS:]
        if rest:
            others = sum(count for *_, count in rest)
            lines += [f"| {len(rest)} other pairs | | {others:,} |"]
    if notes.clusters:
        lines += [
            "",
            "Where they weigh most, impact over all decisions:",
            "",
            "| cluster | overrides | impact |",
        ]
        lines += ["|---|---:|---:|"]
        shown_clusters = notes.clusters[:SHOWN_CLUSTERS]
        lines += [f"| {_plain(one.name)} | {one.overrides:,} | {one.impact:,.1f} |" for one in shown_clusters]
    return "\n".join(lines) + "\n"


def _figures(fitted: FittedModel) -> str:
    shown = [
        f"{label} {fitted.metrics[name]:.3f}"
        for name, label in (
            ("accuracy", "accuracy"),
            ("log_loss", "log loss"),
            ("macro_recall", "mean recall"),
            ("calibration_gap", "calibration gap"),
            ("calibration_gap_before", "before recalibration"),
        )
        if name in fitted.metrics
    ]
    return ", ".join(shown) or "none: no rows were held back"


def _plain(text: str) -> str:
    """A label as text in a table cell: nothing in it is read as Markdown or HTML."""
    cell = " ".join(text.split())[:80]
    cell = cell.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{char}" if char in "\\`*_{}[]()#+!|~" else char for char in cell)
