"""What a training is to tell, gathered: what is new, and what no model has learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl_mlops.audit.entry import Kind
from hitl_mlops.errors import NotFoundError
from hitl_mlops.kpis.definitions import people_said
from hitl_mlops.training.clusters import ErrorCluster, error_clusters
from hitl_mlops.training.notes import gather_notes
from hitl_mlops.training.registry import RETRAINING
from hitl_mlops.verbs import Verbs

if TYPE_CHECKING:
    from hitl_mlops.dataset.manifest import DatasetVersion
    from hitl_mlops.overrides.record import Resolution
    from hitl_mlops.training.record import ReleaseNotes


def notes_of(verbs: Verbs, version: DatasetVersion) -> ReleaseNotes:
    """What a model that learns from the dataset version is to tell of it, beside the champion's."""
    parts, champion = verbs.parts, verbs.parts.rollouts.champion()
    return gather_notes(
        parts.store.labels(version),
        version,
        since=verbs.learned_from(champion.challenger) if champion else None,
        policy_hash=parts.policy.hash,
        champion=champion.challenger if champion else None,
        unlearned=_first_place(verbs, version),
        clusters=champion_clusters(verbs) if champion else (),
    )


def _first_place(verbs: Verbs, version: DatasetVersion) -> int | None:
    try:
        learned = last_learned(verbs)
    except NotFoundError:
        return None
    return 0 if learned is None else learned.label_rows if learned.number < version.number else None


def last_learned(verbs: Verbs) -> DatasetVersion | None:
    """The dataset version that the latest model learned from, by the trail; None before the first.

    Raises:
        NotFoundError: the store has it no more.
    """
    told = (entry.read() for entry in reversed(verbs.parts.trail.about(RETRAINING)))
    digests = (one["refs"]["dataset"][0] for one in told if one["kind"] == Kind.MODEL_REGISTERED)
    latest = next(digests, None)
    return None if latest is None else verbs.parts.store.version(latest)


def unlearned(verbs: Verbs) -> list[Resolution] | None:
    """What people said that no model has learned from, oldest first; None where that cannot be told."""
    try:
        learned = last_learned(verbs)
    except NotFoundError:
        return None
    if learned is None:
        return verbs.parts.answers.resolutions()
    until = [
        one.lineage.collected_until for one in verbs.parts.store.versions() if one.number <= learned.number
    ]
    latest = max((one for one in until if one is not None), default=None)
    since = verbs.parts.answers.resolutions(since=latest)
    return [one for one in since if latest is None or one.resolved_at > latest]


def champion_clusters(verbs: Verbs) -> tuple[ErrorCluster, ...]:
    """Where people overrule the champion, the weightiest cluster first."""
    parts, champion = verbs.parts, verbs.champion()
    said = people_said(parts.answers.resolutions(since=champion.stage_at))
    decided = parts.log.many(said)
    own = {name: one for name, one in decided.items() if one.model_version == champion.challenger}
    return error_clusters(own, [*said.values()], parts.task.slices)
