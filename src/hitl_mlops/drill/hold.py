"""The verb: rehearse, write the report, and tell the user's own trail that a drill was held."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.drill import bad_challenger, desk_down, drifting, registry_down, runaway
from hitl_mlops.drill.outside import Outside, Twins
from hitl_mlops.drill.record import Drill, Rehearsal, Scenario, Verdict
from hitl_mlops.drill.report import markdown
from hitl_mlops.drill.room import Room
from hitl_mlops.drill.world import World, make_world
from hitl_mlops.errors import HitlError
from hitl_mlops.ids import sha256_hex
from hitl_mlops.project import Project
from hitl_mlops.wiring import Parts

REHEARSALS: Mapping[Scenario, Callable[[Room], Rehearsal]] = {
    Scenario.BAD_CHALLENGER: bad_challenger.rehearse,
    Scenario.DRIFT: drifting.rehearse,
    Scenario.LABEL_STUDIO_DOWN: desk_down.rehearse,
    Scenario.MLFLOW_DOWN: registry_down.rehearse,
    Scenario.RUNAWAY_OVERRIDES: runaway.rehearse,
}


@dataclass(frozen=True, slots=True)
class Held:
    """A drill that was held.

    Attributes:
        drill: what it found.
        report: where the Markdown stands.
        digest: of the report's bytes, `sha256:…`, as the trail has it.
    """

    drill: Drill
    report: Path
    digest: str


@contextmanager
def folder_of_copies(state: Path, *, keep: bool) -> Iterator[Path]:
    """A new folder under the project's `.hitl`, readable by its owner alone; gone afterwards unless kept."""
    state.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="drill-", dir=state))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def outside_world(folder: Path, *, real: bool, tell: Callable[[str], None]) -> Iterator[Outside]:
    """Twins, or real servers that end with the block."""
    if not real:
        yield Twins()
        return
    from hitl_mlops.drill.real import RealServers

    servers = RealServers(folder / "servers", tell=tell)
    try:
        yield servers
    finally:
        servers.close()


def hold(
    project: Project,
    scenarios: Sequence[Scenario],
    outside: Outside,
    folder: Path,
    *,
    seed: int = 0,
    progress: Callable[[str], object] = lambda _doing: None,
) -> Drill:
    """Each scenario was rehearsed on a copy of its own in the folder; the user's project was only read.

    Raises:
        ConfigurationError: hitl.yaml or the policy is wrong.
        InputError: the base data cannot be learned from.
    """
    own = project.parts
    held_at, policy = own.clock(), own.policy
    progress("The recipe learns from the base data")
    world = make_world(own.base, own.task, own.recipe, seed)
    found = []
    for scenario in scenarios:
        progress(f"Rehearsing {scenario.value}")
        found.append(_rehearsed(scenario, own, world, outside, folder / scenario.value))
    return Drill(
        project=project.settings.project,
        held_at=held_at,
        policy_hash=policy.hash,
        servers=outside.told,
        real=outside.real,
        rows=len(world.pool),
        seed=seed,
        rehearsals=tuple(found),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """What the copy would warn of is what the rehearsal looks for, and is not told as the project's own."""
    log = logging.getLogger("hitl_mlops")
    before, silent = log.propagate, logging.NullHandler()
    log.addHandler(silent)
    log.propagate = False
    try:
        yield
    finally:
        log.propagate = before
        log.removeHandler(silent)


def _rehearsed(scenario: Scenario, own: Parts, world: World, outside: Outside, folder: Path) -> Rehearsal:
    """How it went; one that ended with an error failed, and says why."""
    room = Room.open(own, world, outside, folder)
    try:
        with room.project, _quiet():
            return REHEARSALS[scenario](room)
    except HitlError as error:
        steps, demands = tuple(room.minutes.steps), tuple(room.minutes.demands)
        told = f"It ended early: {error}"
        return Rehearsal(scenario, Verdict.FAILED, told, 0, "decisions", (), steps, demands, {})
    finally:
        outside.start_desk()
        outside.start_registry()


def keep(project: Project, drill: Drill, report: Path) -> Held:
    """The report stands in the file, and the user's trail has an entry with its digest and figures.

    Raises:
        HitlError: the trail cannot be written; the report stands all the same.
    """
    body = markdown(drill).encode()
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_bytes(body)
    digest = "sha256:" + sha256_hex(body)
    facts = {
        "passed": drill.passed,
        "real_servers": drill.real,
        "seed": drill.seed,
        "report": digest,
        "rehearsals": {
            one.scenario.value: {
                "verdict": one.verdict.value,
                "seconds": round(one.seconds, 3),
                "affected": one.affected,
                "figures": dict(one.figures),
            }
            for one in drill.rehearsals
        },
    }
    refs = {"policy": [drill.policy_hash]}
    project.parts.trail.append([Event(Kind.DRILL_HELD, project.actor, project.parts.clock(), refs, facts)])
    return Held(drill, report, digest)
