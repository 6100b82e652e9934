"""The one front door: each method is a few lines that call a capability."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from hitl_mlops.errors import HitlError, NotFoundError, RefusedError, ServiceDownError
from hitl_mlops.ids import sha256_hex
from hitl_mlops.outcomes import Decided, Look, TrailCheck
from hitl_mlops.own_files import utc_now
from hitl_mlops.settings import Settings, read_settings
from hitl_mlops.training.registry import APPROVER_TAG, CHALLENGER, RETRAINING
from hitl_mlops.verbs import Verbs
from hitl_mlops.wiring import Parts

if TYPE_CHECKING:
    import pandas as pd

    from hitl_mlops.alerts.drift import DriftCheck
    from hitl_mlops.audit.export import Export
    from hitl_mlops.audit.trace import Stop
    from hitl_mlops.dataset.diff import DatasetDiff
    from hitl_mlops.dataset.manifest import DatasetVersion
    from hitl_mlops.deciding import FileDecided
    from hitl_mlops.decisions.serving import Serving
    from hitl_mlops.gates.report import GateReport
    from hitl_mlops.kpis.definitions import LoopFigures
    from hitl_mlops.overrides.record import Collected, KeptAnswer
    from hitl_mlops.recourse.afterwards import Recourse
    from hitl_mlops.review.push import Pushed
    from hitl_mlops.review.ticket import Ticket
    from hitl_mlops.review.tickets import QueueStatus
    from hitl_mlops.reviewing import Reviewing
    from hitl_mlops.rollout.approval import Approval
    from hitl_mlops.rollout.conduct import Conductor
    from hitl_mlops.rollout.state import Evidence, Rollout
    from hitl_mlops.routing.breaker import Breaker
    from hitl_mlops.routing.switches import Switch
    from hitl_mlops.training.record import ModelVersion
    from hitl_mlops.trials.conduct import Trials


class Project:
    """One project: its settings and its parts. Use it in a `with`, or close it.

    >>> Project.open("configs/weather").settings.project  # doctest: +SKIP
    'weather'
    """

    def __init__(self, settings: Settings, parts: Parts, *, actor: str) -> None:
        self.settings = settings
        self.parts = parts
        self.actor = actor
        self.verbs = Verbs(parts, actor)

    @classmethod
    def open(
        cls, path: Path | str = ".", *, actor: str = "python", clock: Callable[[], datetime] = utc_now
    ) -> Project:
        """The project of that folder or `hitl.yaml`; nothing is connected before it is needed.

        Raises:
            ConfigurationError: the file is not there, or a key is wrong.
        """
        settings = read_settings(Path(path))
        return cls(settings, Parts(settings, clock=clock), actor=actor)

    def close(self) -> None:
        """What was done here is sealed in the trail, and connections are given back.

        Raises:
            ServiceDownError: the checkpoints cannot be written; nothing is lost, the next process seals it.
        """
        self.parts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        the_first_failure_is_told = suppress(HitlError) if kind is not None else nullcontext()
        with the_first_failure_is_told:
            self.close()

    # Decide

    def decide(self, source: Path | str | pd.DataFrame, *, strict: bool = False) -> Decided:
        """Every case of the file or frame is decided, routed and recorded; its tickets are opened with it.

        Raises:
            InputError: the file or a column is wrong, or `strict` and a row was refused; nothing was written.
            BusyError: too many tickets wait for the desk; nothing was written.
            NotFoundError: there is no champion yet.
        """
        from hitl_mlops.deciding import Door
        from hitl_mlops.decisions.table_file import read_table

        door = Door(self.verbs)
        door.open()
        frame = read_table(source) if isinstance(source, (str, Path)) else source
        taken = door.take(frame, strict=strict)
        decisions, known = taken.recorded.decisions(), len(taken.recorded.known)
        return Decided(tuple(decisions), taken.refused, known, taken.tickets)

    def decide_file(self, path: Path | str, **how: Any) -> FileDecided:
        """Every row of the file is decided and recorded, or quarantined; a Parquet file is never held whole.

        Takes `strict`, `keep` and `progress`, and raises, as `Door.take_file`.
        """
        from hitl_mlops.deciding import Door

        return Door(self.verbs).take_file(Path(path), **how)

    def serving(self) -> Serving:
        """The models that answer now, by the database's digests; an alias moved by hand changes nothing.

        Raises:
            NotFoundError: there is no champion yet.
            IntegrityError: a model's bytes are not those that were approved.
        """
        return self.verbs.serving()

    # Stop

    def freeze(self, scope: str = "everything", *, reason: str, by: str) -> Switch:
        """Every decision in the scope goes to people from the next batch on; asks no server.

        Raises:
            InputError: no reason or no person, or nothing has that scope.
        """
        return self.verbs.kill_switch.freeze(self.verbs.scope(scope), self.verbs.order(by, reason))

    def unfreeze(self, switch_id: str, *, reason: str, by: str) -> Switch:
        """That switch is off; raises as `KillSwitch.unfreeze`."""
        from hitl_mlops.routing.switches import Order

        order = Order(self._person(by), reason, self.parts.clock())
        return self.verbs.kill_switch.unfreeze(switch_id, order, two_people=self.verbs.two_people)

    def switches(self) -> list[Switch]:
        """Every switch there was, oldest first."""
        return self.parts.switches.switches()

    def look_at_breakers(self) -> list[Breaker]:
        """Every breaker stands as the answers so far have it; those that changed, once for each change."""
        return self.verbs.look_at_breakers()

    @property
    def recourse(self) -> Recourse:
        """What can still happen to a decision: halted, reversed, its outcome, a complaint."""
        return self.verbs.recourse

    # Review

    def push(self) -> Pushed:
        """No ticket waits any more: all are on the desk; raises as `Reviewing.push`."""
        return self.reviewing.push()

    def review_status(self) -> QueueStatus:
        """How the queue stands, by lane."""
        return self.reviewing.status()

    @property
    def reviewing(self) -> Reviewing:
        """Questions to people, and their answers."""
        from hitl_mlops.reviewing import Reviewing

        return Reviewing(self.verbs)

    # Overrides

    def collect(self, *, sweep: bool = False, accept_deletions: bool = False) -> Collected:
        """What changed on the desk is kept, screened and resolved; raises as `Reviewing.collect`."""
        return self.reviewing.collect(sweep=sweep, accept_deletions=accept_deletions)

    def quarantined(self) -> list[KeptAnswer]:
        """The answers that the screen refused and nobody has ruled on, oldest first."""
        return self.parts.answers.quarantined()

    def release(self, key: str, *, by: str, reason: str) -> None:
        """A person says that the refused answer counts; raises as `Quarantine.release`."""
        from hitl_mlops.overrides.quarantine import Ruling

        self.verbs.quarantine.release(key, Ruling(self._person(by), reason, self.parts.clock()))

    def drop(self, key: str, *, by: str, reason: str) -> None:
        """A person says that the refused answer never counts; raises as `Quarantine.drop`."""
        from hitl_mlops.overrides.quarantine import Ruling

        self.verbs.quarantine.drop(key, Ruling(self._person(by), reason, self.parts.clock()))

    def _block_of(self, ref: str) -> str | None:
        from hitl_mlops.decisions.block import block_name

        number = self.parts.log.block_of(ref)
        return block_name(number) if number is not None else None

    def _person(self, name: str) -> str:
        return self.parts.roster.person_id(name, self.parts.policy_key)

    # Datasets

    def build_dataset(self) -> DatasetVersion:
        """Every resolution so far is in the latest version; the first version is the base data."""
        from hitl_mlops.dataset.assemble import from_base, from_resolutions
        from hitl_mlops.dataset.build import build_version

        parts, now = self.parts, self.parts.clock()
        if not parts.store.versions():
            file = self.settings.path(self.settings.model.base)
            source = f"{file.name} sha256:{sha256_hex(file.read_bytes())}"
            base = from_base(parts.base, parts.task, source=source, now=now)
            build_version(base, parts.store, parts.trail, actor=self.actor, now=now)
        standing, taken = parts.answers.resolutions(), [one for one, _ in parts.answers.withdrawn()]
        found = parts.log.many({one.decision_id for one in (*standing, *taken)})
        cases = parts.log.cases(one.case_id for one in found.values())
        columns = parts.store.version("latest").columns
        added = from_resolutions(standing, taken, found, cases, columns=columns, now=now)
        return build_version(added, parts.store, parts.trail, actor=self.actor, now=now)

    def datasets(self) -> list[DatasetVersion]:
        """All versions, oldest first."""
        return self.parts.store.versions()

    def dataset(self, name: str | int = "latest") -> DatasetVersion:
        """One version, by number, digest or `latest`."""
        return self.parts.store.version(name)

    def diff_datasets(self, old: str | int, new: str | int = "latest") -> DatasetDiff:
        """What the newer version says otherwise than the older."""
        from hitl_mlops.dataset.diff import diff

        store = self.parts.store
        return diff(store, store.version(old), store.version(new))

    def export_dataset(self, name: str | int, path: Path) -> DatasetVersion:
        """The version stands at the path as one Parquet file."""
        from hitl_mlops.dataset.export import export

        export(self.parts.store, version := self.parts.store.version(name), path)
        return version

    # Models

    def train(self, dataset: str | int = "latest", **recipe: Any) -> ModelVersion:
        """A version learned, by `replay` and `until` where given, is registered; the first one is crowned.

        Raises:
            BusyError: another retraining runs.
            ServiceDownError: MLflow does not answer.
        """
        from hitl_mlops.learning import notes_of
        from hitl_mlops.training.train import train, training_set

        parts = self.parts
        if not parts.store.versions():
            self.build_dataset()
        version, chosen = parts.store.version(dataset), replace(parts.recipe, **recipe)
        rows = training_set(version, parts.store.read(version), key=parts.policy_key, until=chosen.until)
        trained = train(
            rows,
            parts.task,
            chosen,
            notes_of(self.verbs, version),
            registry=parts.own_registry,
            trail=parts.trail,
            database=parts.database,
            actor=self.actor,
            now=parts.clock(),
        )
        if parts.rollouts.champion() is None:
            self.rollouts.crown(trained.version, "The first model of the project.")
        return parts.registry.get(trained.version)

    def judge(self, version: str | None = None) -> GateReport:
        """Every gate's word on a challenger; it stands on the version's page and in the trail.

        Args:
            version: the registry's version; None: the one with the alias `challenger`.
        """
        from hitl_mlops.gates.bench import judge_challenger

        return judge_challenger(
            self.verbs.bench, self.challenger(version), now=self.parts.clock(), actor=self.actor
        )

    def challenger(self, version: str | None = None) -> ModelVersion:
        """That version, or the one with the alias `challenger`."""
        registry = self.parts.registry
        found = registry.get(version) if version is not None else registry.alias(CHALLENGER)
        if found is None:
            raise NotFoundError("There is no challenger.", remedy="Run `hitl train`, or name a version.")
        return found

    # Rollout

    def approve(self, version: str, *, reason: str, by: str) -> Approval:
        """That person's consent, bound to bytes, gates and policy; raises as `Conductor.approve`.

        The name stands on the version in MLflow; the trail holds the person's id (`Roster.person_id`). Behind
        MLflow's app the person is whoever MLFLOW_TRACKING_USERNAME logs in, and `by` is not looked at.

        Raises:
            RefusedError: the app proves who approves, and nobody is logged in.
        """
        own, ours = self.parts.own_registry, self.parts.registry
        if self.parts.app_key is not None and own is ours:
            raise RefusedError(
                "MLflow proves who approves, and this shell is logged in to it as nobody.",
                remedy="Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD to yours, or approve on "
                "the version's page.",
            )
        given = self.rollouts.approve(version, reason=reason, approver=self._person(by), through=own)
        if given.claimed:
            ours.set_tag(version, APPROVER_TAG, by)
        return given

    def pull_approvals(self) -> list[Approval]:
        """Approvals given in MLflow since the last look are recorded; those."""
        return self.rollouts.pull_approvals()

    def start_rollout(self, version: str, *, force: str | None = None) -> Rollout:
        """The challenger is on its way; raises as `Conductor.start`."""
        return self.rollouts.start(version, force=force)

    def step_rollout(self) -> Look:
        """One look at the live rollout, applied; without one nothing is moved.

        Approvals given in MLflow since the last look are recorded first.
        """
        with suppress(ServiceDownError):  # a harmful challenger is rolled back all the same
            self.pull_approvals()
        if self.parts.rollouts.live() is None:
            self.rollouts.converge()
            return Look(None, None)
        return Look(*self.rollouts.look())

    def rollout_status(self) -> tuple[Rollout | None, Evidence | None]:
        """The latest rollout and, if models were compared, the evidence as it stands; asks no server."""
        return self.verbs.rollout_status()

    def awaited_tickets(self, evidence: Evidence) -> list[Ticket]:
        """The open tickets about the decisions on which the evidence waits, in their order."""
        from hitl_mlops.review.ticket import TicketKind, TicketState, ticket_id_of

        ids = [ticket_id_of(decision, kind) for decision in evidence.awaited for kind in TicketKind]
        return [one for one in self.parts.tickets.by_ids(ids) if one.state is TicketState.OPEN]

    def abort_rollout(self, reason: str) -> Rollout:
        """The live rollout is over; the champion answers every case."""
        return self.rollouts.abort(reason)

    @property
    def trials(self) -> Trials:
        """Tries policies beside the one in force."""
        return self.verbs.trials

    # Watch

    def check_drift(self) -> DriftCheck:
        """The latest cases compared with what the champion learned from; told to the trail.

        Raises:
            NotFoundError: there is no champion yet.
        """
        from hitl_mlops.alerts.watch import watch_drift

        return watch_drift(self.verbs.watch, now=self.parts.clock(), actor=self.actor)

    def figures(self) -> LoopFigures:
        """The loop's figures over all decisions, unbiased though only some were reviewed."""
        from hitl_mlops.kpis.definitions import loop_figures
        from hitl_mlops.review.budget import selection_policy

        parts = self.parts
        said, told = parts.answers.resolutions(), parts.trail.about(RETRAINING)
        cost = selection_policy(parts.policy).cost_per_hour
        return loop_figures(parts.log.decisions(), said, told, parts.answers.timed(), cost)

    def export_trail(self, folder: Path) -> Export:
        """The sealed trail stands in the folder with all that proves it, and a program that checks it."""
        from hitl_mlops.audit.export import export_trail

        trail = self.parts.trail
        return export_trail(trail, trail.sealer.store, self.parts.verifier, folder)

    def verify_trail(self) -> TrailCheck:
        """The whole trail against its signed checkpoints, and stored decisions against the trail."""
        from hitl_mlops.audit.verify import verify
        from hitl_mlops.decisions.verify import changed_blocks

        trail = self.parts.trail
        found = verify(trail, trail.sealer.store, self.parts.verifier)
        changed = () if found.problems else tuple(changed_blocks(trail.entries(), self.parts.log))
        return TrailCheck(found, tuple(one.told for one in changed))

    def trace(self, ref: str, *, onward: bool = False) -> Stop:
        """The road that led to a version, dataset, resolution …, or with `onward` what came of it."""
        from hitl_mlops.audit.trace import Direction, trace

        towards = Direction.EFFECTS if onward else Direction.ORIGINS
        return trace(ref, self.parts.trail.about, towards=towards, block_of=self._block_of)

    def champion(self) -> Rollout:
        """The rollout whose challenger serves now; raises NotFoundError before there is one."""
        return self.verbs.champion()

    @property
    def rollouts(self) -> Conductor:
        """Brings challengers on their way."""
        return self.verbs.conductor
