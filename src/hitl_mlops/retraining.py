"""The verbs: look whether to retrain or roll back, do what may be done without asking, retrain now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hitl_mlops.alerts.estimate import check_estimate
from hitl_mlops.alerts.watch import look_for_drift
from hitl_mlops.audit.entry import Kind
from hitl_mlops.errors import HitlError
from hitl_mlops.ids import parse_instant
from hitl_mlops.kpis.definitions import people_said
from hitl_mlops.learning import champion_clusters, unlearned
from hitl_mlops.project import Project
from hitl_mlops.review.open import ask, learning_tickets
from hitl_mlops.routing.switches import Order, parse_scope
from hitl_mlops.training.clusters import samples
from hitl_mlops.training.registry import CHAMPION, RETRAINING
from hitl_mlops.triggers.decide import Decided, Memory, Task, decide
from hitl_mlops.triggers.findings import Reading, Readings, Trigger, find
from hitl_mlops.triggers.gather import counted, drop_of, figures_of, slices_of
from hitl_mlops.triggers.policy import Act, RetrainPolicy, retrain_policy
from hitl_mlops.triggers.record import (
    decided_event,
    last_decided,
    retrained_at,
    says_the_same,
    standing_in,
)

if TYPE_CHECKING:
    from hitl_mlops.audit.entry import Entry
    from hitl_mlops.decisions.record import Decision
    from hitl_mlops.gates.report import GateReport
    from hitl_mlops.overrides.record import Resolution
    from hitl_mlops.rollout.state import Rollout

BY_SCHEDULE, BY_DRIFT, BY_HAND = "schedule", "drift", "by hand"
BY_THE_POLICY = "policy:retrain"
"""Who freezes where the policy lets it be done without asking; a person lifts it."""
LONGEST_REASON = 300
COMMANDS: Mapping[Act, str] = {
    Act.FREEZE: 'hitl freeze --reason "…"',
    Act.ROLL_BACK: 'hitl rollout back --reason "…"',
    Act.PAUSE: 'hitl freeze --scope {scope} --reason "…"',
    Act.ENQUEUE: "hitl retrain ask",
    Act.RETRAIN: "hitl retrain now",
}
"""What a person types where the policy does not let it be done without asking."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look came to, and what was done.

    Attributes:
        decided: the answer, with everything that every trigger said.
        done: what was done now, a sentence each.
        asked: what a person is asked to do, a command each.
    """

    decided: Decided
    done: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()

    @property
    def due(self) -> bool:
        """A retraining is to begin now, without asking."""
        return self.decided.has(Act.RETRAIN)


@dataclass(frozen=True, slots=True)
class Retrained:
    """What a retraining brought.

    Attributes:
        version: the challenger; the champion where it is the first model.
        report: the gates' word; None for the first model, which has nothing to be judged against.
        feedback_to_retrain_s: seconds from the first answer that no model had learned from until it was
            registered; None where no answer was new.
    """

    version: str
    report: GateReport | None
    feedback_to_retrain_s: float | None


@dataclass(frozen=True, slots=True)
class Retraining:
    """When a project learns anew.

    Attributes:
        project: whose.
    """

    project: Project

    @property
    def policy(self) -> RetrainPolicy:
        """The section `retrain` of the policy."""
        return retrain_policy(self.project.parts.policy.section("retrain"))

    def status(self, cause: str = "") -> Looked:
        """What a look would come to now; nothing is written and nothing done.

        Raises:
            NotFoundError: there is no champion yet.
        """
        entries = self.project.parts.trail.about(RETRAINING)
        decided = self._decided(cause, entries, last_decided(entries))
        return Looked(decided, (), self._asked(decided))

    def look(self, cause: str = "") -> Looked:
        """What the triggers ask for is decided, told to the trail, and done as far as the policy lets it.

        A freeze comes first. A retraining is not begun here, `Looked.due` says that it is to be. A look that
        comes to what the last one came to is not told again.

        Args:
            cause: what began it, `schedule`, `drift` …; empty: somebody looked.

        Raises:
            NotFoundError: there is no champion yet.
        """
        parts, entries = self.project.parts, self.project.parts.trail.about(RETRAINING)
        last = last_decided(entries)
        decided = self._decided(cause, entries, last)
        champion = self.project.champion().challenger
        event = decided_event(decided, cause=cause, champion=champion, actor=self.project.actor)
        done: list[str] = []
        if not says_the_same(last, event):
            parts.trail.append([event])
        for task in decided.tasks:
            if task.automatic and not task.waits and task.act is not Act.RETRAIN:
                done += self._do(task, decided)
        return Looked(decided, tuple(done), self._asked(decided))

    def now(self, cause: str = BY_HAND) -> Retrained:
        """A challenger has learned from all answers so far, whatever the triggers say, and was judged.

        Raises:
            BusyError: another retraining runs.
            ServiceDownError: MLflow does not answer.
        """
        project, first = self.project, self.project.parts.rollouts.champion() is None
        if not first and cause == BY_HAND:
            self.look(cause)
        project.build_dataset()
        version = project.train()
        report = None if first or CHAMPION in version.aliases else project.judge(version.version)
        return Retrained(version.version, report, self._waited(version.digest))

    def _waited(self, digest: str) -> float | None:
        told = (entry.read() for entry in self.project.parts.trail.about(digest))
        facts = [one["facts"] for one in told if one["kind"] == Kind.MODEL_REGISTERED]
        return facts[-1]["learned"]["feedback_to_retrain_s"] if facts else None

    def _decided(self, cause: str, entries: list[Entry], last: Mapping[str, object] | None) -> Decided:
        parts, policy, now = self.project.parts, self.policy, self.project.parts.clock()
        champion = self.project.champion()
        standing = standing_in(dict(last) if last else None)
        readings = self._readings(champion, entries, now)
        memory = Memory(
            standing=standing,
            retrained_at=retrained_at(entries),
            frozen=frozenset(str(one.scope) for one in parts.switches.standing()),
            live=parts.rollouts.live() is not None,
            before=champion.has_one_before,
        )
        held = [one for one in Trigger if one.value in standing]
        found = find(readings, policy, held, scheduled=cause == BY_SCHEDULE)
        return decide(found, readings, policy, memory, now)

    def _readings(self, champion: Rollout, entries: list[Entry], now: datetime) -> Readings:
        parts, policy = self.project.parts, self.policy
        decisions = parts.log.decisions(model_version=champion.challenger, since=champion.stage_at)
        recent = decisions[-policy.window :]
        said = people_said(parts.answers.resolutions(since=champion.stage_at))
        new = unlearned(self.project.verbs)
        promised = self._promised(champion)
        told = (entry.read() for entry in reversed(entries))
        trained = next((one["at"] for one in told if one["kind"] == Kind.MODEL_REGISTERED), None)
        return Readings(
            since_training=now - parse_instant(trained) if trained else None,
            new_labels=None if new is None else len(new),
            figures={
                **figures_of(recent, said, at_least=policy.at_least),
                Trigger.OVERRIDE_COUNT: counted(None if new is None else sum(one.override for one in new)),
                Trigger.DRIFT: self._drift(),
                Trigger.ACCURACY_DROP: self._drop(promised, decisions, said),
            },
            slices=slices_of(recent, said, parts.task.slices, at_least=policy.at_least, promised=promised),
            decisions=len(recent),
        )

    def _drift(self) -> Reading:
        """The share of columns that moved; unknown where a model or the data cannot be had."""
        try:
            found = look_for_drift(self.project.verbs.watch)
        except HitlError:  # whatever keeps it from being measured: it is unknown, and the others still speak
            return Reading()
        return counted(found.share, found.current_rows)

    def _promised(self, champion: Rollout) -> float | None:
        """The champion's accuracy when it learned; None where it is not known or MLflow cannot be asked."""
        try:
            return self.project.parts.registry.get(champion.challenger).metrics.get("accuracy")
        except HitlError:  # whatever keeps it from being measured: it is unknown, and the others still speak
            return None

    def _drop(
        self, promised: float | None, decisions: Sequence[Decision], said: Mapping[str, Resolution]
    ) -> Reading:
        """How far the accuracy, estimated before labels come, lies below what was promised."""
        if promised is None:
            return Reading()
        name, resolutions = self.project.settings.project, [*said.values()]
        found = check_estimate(name, decisions, resolutions, promised=promised)
        return drop_of(promised, found.figure, found.interval[1] if found.interval else None, found.labels)

    def _asked(self, decided: Decided) -> tuple[str, ...]:
        """What a person can do of what is not done without asking, as it is typed."""
        now = [one for one in decided.tasks if not one.automatic and not one.waits]
        return tuple(COMMANDS[one.act].format(scope=one.scope) for one in now)

    def _do(self, task: Task, decided: Decided) -> list[str]:
        reason = f"{decided.answer.name.lower()}: {' '.join(decided.reasons)}"[:LONGEST_REASON]
        if task.act in (Act.FREEZE, Act.PAUSE):
            order = Order(BY_THE_POLICY, reason, decided.at)
            switch = self.project.verbs.kill_switch.freeze(parse_scope(task.scope), order)
            return [f"{switch.switch_id} freezes {switch.scope}: its decisions go to people."]
        if task.act is Act.ROLL_BACK:
            return [self._roll_back(reason)]
        opened = self.enqueue(decided)
        return [f"{opened} tickets were opened where errors cluster."] if opened else []

    def _roll_back(self, reason: str) -> str:
        """The champion before the present one answers again; where there is none, only the rollout ends."""
        if self.project.champion().has_one_before:
            rollout = self.project.rollouts.bring_back(reason)
            return f"Version {rollout.challenger} answers again, in the place of {rollout.champion}."
        rollout = self.project.abort_rollout(reason)
        return f"The rollout of version {rollout.challenger} is over; the champion answers every case."

    def enqueue(self, decided: Decided) -> int:
        """People are asked about decisions where errors cluster, within the slices found; how many."""
        parts, verbs, champion = self.project.parts, self.project.verbs, self.project.champion()
        clusters = champion_clusters(verbs)
        if not clusters:
            return 0
        recent = parts.log.decisions(model_version=champion.challenger, since=champion.stage_at)
        recent = recent[-self.policy.window :]
        scopes = [one.scope for one in decided.tasks if one.act is Act.PAUSE]
        asked = parts.tickets.asked_about(one.decision_id for one in recent)
        asked |= {one.decision_id for one in recent if one.to_review}
        chosen = samples(clusters, recent, asked=asked, at_most=self.policy.enqueue, within=scopes)
        cases = parts.log.cases(one.case_id for one in chosen)
        wanted = learning_tickets(chosen, cases, verbs.shown, verbs.deadlines, now=decided.at)
        return len(
            ask(wanted, parts.tickets, parts.trail, parts.database, now=decided.at, actor=self.project.actor)
        )
