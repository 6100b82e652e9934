"""The last chapter: the road back from the promoted version to one person's word, and the report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hitl_mlops.demo.people import TEAM
from hitl_mlops.demo.report import Told, write_report
from hitl_mlops.demo.scene import Scene
from hitl_mlops.errors import IntegrityError

if TYPE_CHECKING:
    from hitl_mlops.audit.trace import Stop
    from hitl_mlops.overrides.record import Resolution

REPORT = "report.html"


def end(scene: Scene, told: Told) -> Path:
    """The trail was traced and verified, and the report is written; its path.

    Raises:
        IntegrityError: the trail is not sound.
    """
    tell, project = scene.narrator, scene.project
    tell.chapter("The trail, and the report")
    version = told.promoted.version
    with tell.step("trace", "hitl audit trace") as step:
        road = road_to_an_override(scene, version)
        step.done(f"hitl audit trace {version}: the road from the promoted version to one person's word.")
    tell.table(road)
    with tell.step("verify", "hitl audit verify") as step:
        project.parts.trail.seal()  # this process has it open, and would seal what it did only at its end
        found = project.verify_trail()
        if not found.sound:
            raise IntegrityError(
                "The trail of the demo is not sound.", remedy="Type: hitl audit verify, in the demo's folder."
            )
        step.done(
            f"hitl audit verify: sound, {found.trail.size} entries, {found.trail.sealed} of them sealed by "
            f"{found.trail.checkpoints} signed checkpoints."
        )
    with tell.step("report", "The report is drawn") as step:
        path = write_report(scene, told, road, scene.folder / REPORT)
        step.done(f"The report with its drawings: {path}")
    return path


def road_to_an_override(scene: Scene, version: str) -> list[tuple[str, str, str]]:
    """From the version back to one override that it learned from: (what, id, said of it), latest first."""
    known = {one.resolution_id: one for one in scene.project.parts.answers.resolutions() if one.override}
    top = scene.project.trace(version)
    dataset = next(stop for _, stop in top.walk() if stop.role == "dataset")
    learned = [ref for ref in _resolutions_of(scene, dataset.ref) if ref in known]
    road = [(stop.role, stop.ref, _kinds(stop)) for stop in (top, dataset)]
    for stop in _straight(scene.project.trace(learned[0])):
        said = _override(known[stop.ref]) if stop.role == "resolution" else _kinds(stop)
        road.append((stop.role, stop.ref, said))
    return [(role, ref if len(ref) < 40 else f"{ref[:37]}…", said) for role, ref, said in road]


def _resolutions_of(scene: Scene, dataset: str) -> Iterator[str]:
    for entry in scene.project.parts.trail.about(dataset):
        refs = entry.read()["refs"]
        if dataset in refs.get("dataset", ()):
            yield from refs.get("resolution", ())


def _straight(stop: Stop) -> Iterator[Stop]:
    """The stop, and from each its first branch."""
    yield stop
    while stop.branches:
        stop = stop.branches[0]
        yield stop


def _kinds(stop: Stop) -> str:
    return ", ".join(dict.fromkeys(step.kind for step in stop.steps))


def _override(one: Resolution) -> str:
    names = {person.person_id: person.name for person in TEAM}
    by = ", ".join(f"{names[who]} ({who})" for who in one.reviewers)
    reasons = ", ".join(dict.fromkeys(code or "no code" for code in one.reason_codes))
    return f"{by} read {one.label} where the model read {one.model_label}; reason: {reasons}"
