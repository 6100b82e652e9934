"""The verbs of the rooms, each with the ports it acts on: built from the parts when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from hitl_mlops.errors import ConfigurationError, NotFoundError, TransientError
from hitl_mlops.training.registry import DATASET_TAG
from hitl_mlops.wiring import Parts

if TYPE_CHECKING:
    from collections.abc import Collection

    from hitl_mlops.alerts.watch import Watch
    from hitl_mlops.callbacks.courier import Courier
    from hitl_mlops.dataset.manifest import DatasetVersion
    from hitl_mlops.decisions.serving import Serving
    from hitl_mlops.gates.bench import Bench
    from hitl_mlops.overrides.collect import Collector
    from hitl_mlops.overrides.quarantine import Quarantine
    from hitl_mlops.recourse.afterwards import Recourse
    from hitl_mlops.review.open import Deadlines, Shown
    from hitl_mlops.rollout.conduct import Conductor
    from hitl_mlops.rollout.policy import RolloutPolicy
    from hitl_mlops.rollout.state import Evidence, Rollout
    from hitl_mlops.rollout.step import Step
    from hitl_mlops.routing.breaker import Breaker
    from hitl_mlops.routing.circuit import Circuit
    from hitl_mlops.routing.kill_switch import KillSwitch
    from hitl_mlops.routing.policy import Policy
    from hitl_mlops.routing.switches import Order, Scope, Switch
    from hitl_mlops.trials.conduct import Trials
    from hitl_mlops.trials.trial import Trial

IN_FORCE = "policy in force"


@dataclass(frozen=True)
class Verbs:
    """What acts in one project.

    Attributes:
        parts: the adapters.
        actor: who acts, for the trail.
    """

    parts: Parts
    actor: str
    _told: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    @property
    def rollout_policy(self) -> RolloutPolicy:
        """The bounds of approval, shadow and canary."""
        from hitl_mlops.rollout.policy import rollout_policy

        policy = self.parts.policy
        return rollout_policy(policy.section("approval"), policy.section("rollout"))

    @property
    def conductor(self) -> Conductor:
        """Brings challengers on their way."""
        from hitl_mlops.rollout.conduct import Conductor

        parts = self.parts
        return Conductor(
            database=parts.database,
            trail=parts.trail,
            registry=parts.registry,
            log=parts.log,
            answers=parts.answers,
            gates=parts.gates,
            book=parts.rollouts,
            watch=parts.rollout_watch,
            policy=self.rollout_policy,
            policy_hash=parts.policy.hash,
            actor=self.actor,
            clock=parts.clock,
            app_key=parts.app_key,
            person=lambda account: parts.roster.person_id(account, parts.policy_key),
        )

    @property
    def trials(self) -> Trials:
        """Tries policies."""
        from hitl_mlops.trials.conduct import Trials

        parts = self.parts
        return Trials(
            database=parts.database,
            trail=parts.trail,
            log=parts.log,
            answers=parts.answers,
            book=parts.trials,
            watch=parts.rollout_watch,
            bounds=self.rollout_policy,
            in_force=parts.policy,
            kept=parts.task.kept,
            checks=parts.functions,
            actor=self.actor,
            clock=parts.clock,
        )

    def take_trial_back_if_due(self) -> Step | None:
        """A live trial that harm speaks against is over; None: nothing moved."""
        return self.trials.take_back_if_due() if self.parts.trials.live() is not None else None

    def on_trial(self) -> Trial | None:
        """The trial whose policy routes some subjects now, beside the one in force."""
        live = self.parts.trials.live()
        routes = live is not None and live.way.share_percent > 0 and live.stands_beside(self.parts.policy)
        return live if routes else None

    @property
    def kill_switch(self) -> KillSwitch:
        """Takes decisions out of the models' hands, and gives them back."""
        from hitl_mlops.routing.kill_switch import KillSwitch

        parts = self.parts
        next_to_write = partial(parts.database.transaction, first=True)
        return KillSwitch(parts.switches, parts.trail, next_to_write, parts.policy_key)

    @property
    def circuit(self) -> Circuit:
        """Takes decisions out of the models' hands when people overrule them too often."""
        from hitl_mlops.routing.circuit import Circuit

        parts = self.parts
        next_to_write = partial(parts.database.transaction, first=True)
        return Circuit(parts.breakers, parts.trail, next_to_write, parts.policy_key)

    def look_at_breakers(self) -> list[Breaker]:
        """Every breaker stands as the answers have it; those that changed."""
        from hitl_mlops.overrides.seen import gather_seen
        from hitl_mlops.routing.guard_rules import guard_rules

        parts, rule = self.parts, guard_rules(self.parts.policy).breaker
        if rule is None:
            return []
        kept = parts.breakers.breakers()
        seen = gather_seen(parts.answers, parts.log, rule, kept, self._proved_right)
        return self.circuit.look(rule, seen, parts.clock(), actor=self.actor)

    def _proved_right(self, decision_ids: Collection[str]) -> dict[str, str]:
        return {name: one.label for name, one in self.parts.recourse.outcomes(decision_ids).items()}

    def freeze_flagged(self) -> list[Switch]:
        """What is like a case that a reviewer flagged is frozen; the switches that were set now."""
        from hitl_mlops.overrides.flags import freeze_flagged
        from hitl_mlops.routing.guard_rules import guard_rules

        tag = guard_rules(self.parts.policy).likeness.tag
        flags = self.parts.answers.flagged(tag) if tag else []
        return freeze_flagged(flags, tag, self.kill_switch, self.parts.clock())

    @property
    def two_people(self) -> bool:
        """Whoever froze something is not the one to lift it."""
        from hitl_mlops.routing.kill_switch import wants_two_people

        return wants_two_people(self.parts.policy)

    def scope(self, text: str) -> Scope:
        """What the text wants frozen; files are read only where it names a part, and never a server.

        Raises:
            InputError: it is no scope, or nothing has that scope.
        """
        from hitl_mlops.routing.switches import (
            EVERYTHING,
            LABEL,
            LIKE,
            MODEL,
            ROUTE,
            check_scope,
            parse_scope,
        )

        scope, parts = parse_scope(text), self.parts
        if scope.name != EVERYTHING:
            task, policy = parts.settings.task, parts.policy
            known = {
                MODEL: self._versions,
                LABEL: lambda: parts.task.classes,
                ROUTE: lambda: [plan.name for plan in policy.routes],
                LIKE: lambda: list(parts.log.many([scope.value])),
            }
            check_scope(scope, {*task.show, *task.show_images, *task.slices, *policy.kept}, known)
        return scope

    def _versions(self) -> set[str]:
        """Every version that decides now or did."""
        rollouts = self.parts.rollouts.all()
        return {one for rollout in rollouts for one in (rollout.champion, rollout.challenger) if one}

    def order(self, by: str, reason: str) -> Order:
        """A person's word to freeze; a mistake in reviewers.yaml keeps nobody from it."""
        from hitl_mlops.routing.switches import Order

        return Order(self.person(by), reason, self.parts.clock())

    def person(self, name: str) -> str:
        """The id of somebody who stops something; a mistake in reviewers.yaml keeps nobody from it."""
        from hitl_mlops.review.roster import Roster

        try:
            roster = self.parts.roster
        except ConfigurationError:
            roster = Roster()
        return roster.person_id(name, self.parts.policy_key)

    @cached_property
    def recourse(self) -> Recourse:
        """What can still happen to a decision."""
        from hitl_mlops.recourse.afterwards import Recourse, Surroundings
        from hitl_mlops.recourse.policy import recourse_policy

        parts = self.parts
        around = Surroundings(
            person=self.person,
            resolutions=parts.answers.resolutions_of,
            classes=lambda: parts.task.classes,
            policy=lambda: recourse_policy(parts.policy),
            shown=lambda: self.shown,
            deadlines=lambda: self.deadlines,
            addresses=parts.settings.serve.callbacks,
            over=parts.moves.ended,
        )
        return Recourse(
            book=parts.recourse,
            log=parts.log,
            trail=parts.trail,
            tickets=parts.tickets,
            callbacks=parts.callbacks,
            transaction=parts.database.transaction,
            around=around,
            clock=parts.clock,
            actor=self.actor,
        )

    @cached_property
    def courier(self) -> Courier:
        """Tells applications what changed."""
        from hitl_mlops.callbacks.courier import Courier
        from hitl_mlops.callbacks.post_http import HttpPost

        parts = self.parts
        return Courier(
            book=parts.callbacks,
            post=HttpPost(),
            message=self.recourse.message,
            secret=self.callback_secret,
            allowed=parts.settings.serve.callbacks,
            clock=parts.clock,
        )

    def callback_secret(self, application: str) -> str:
        """The secret by which that application checks what it is told."""
        from hitl_mlops.callbacks.sign import secret_of

        return secret_of(self.parts.callback_key, application)

    @cached_property
    def collector(self) -> Collector:
        """Brings answers in from the desk."""
        from hitl_mlops.overrides.collect import Collector

        parts, roster = self.parts, self.parts.roster  # a mistake in a file is told before a server is asked
        return Collector(
            desk=parts.desk,
            book=parts.answers,
            screen=parts.screen,
            trail=parts.trail,
            classes=frozenset(parts.task.classes),
            roster=roster,
            clock=parts.clock,
            actor=self.actor,
        )

    @cached_property
    def quarantine(self) -> Quarantine:
        """Where refused answers wait for a person."""
        from hitl_mlops.overrides.quarantine import Quarantine

        parts, collector = self.parts, self.collector
        return Quarantine(parts.answers, parts.screen, parts.trail, collector.classes, collector.reviewers())

    @property
    def bench(self) -> Bench:
        """Where challengers are judged."""
        from hitl_mlops.gates.bench import Bench, Champion

        parts, champion = self.parts, self.champion()
        return Bench(
            database=parts.database,
            trail=parts.trail,
            registry=parts.registry,
            store=parts.store,
            log=parts.log,
            answers=parts.answers,
            reports=parts.gates,
            measures=parts.measures,
            policy=parts.policy,
            task=parts.task,
            key=parts.policy_key,
            golden=parts.golden,
            stress=parts.stress,
            champion=Champion(champion.challenger, champion.challenger_digest, champion.stage_at),
        )

    @property
    def watch(self) -> Watch:
        """What drift is looked for in."""
        from hitl_mlops.alerts.drift import DriftPolicy
        from hitl_mlops.alerts.watch import Watch
        from hitl_mlops.triggers.policy import retrain_policy

        parts, champion = self.parts, self.champion()
        return Watch(
            project=self.parts.settings.project,
            trail=parts.trail,
            log=parts.log,
            measures=parts.quick_measures,
            task=parts.task,
            base=parts.base,
            champion=parts.registry.load(champion.challenger, digest=champion.challenger_digest),
            since=champion.stage_at,
            policy=DriftPolicy(share=retrain_policy(parts.policy.section("retrain")).drift_share),
        )

    def champion(self) -> Rollout:
        """The rollout whose challenger serves now; raises NotFoundError before there is one."""
        champion = self.parts.rollouts.champion()
        if champion is None:
            raise _no_champion()
        return champion

    def rollout_status(self) -> tuple[Rollout | None, Evidence | None]:
        """The latest rollout and, if models were compared, the evidence as it stands; asks no server."""
        from hitl_mlops.rollout.evidence import gather_evidence

        parts, latest = self.parts, self.parts.rollouts.latest()
        if latest is None or not latest.has_one_before:
            return latest, None
        return latest, gather_evidence(latest, parts.log, parts.answers, self.rollout_policy)

    def take_back_if_due(self) -> Step | None:
        """A live challenger that harm or a guardrail speaks against is rolled back; None: nothing moved."""
        return self.conductor.take_back_if_due() if self.parts.rollouts.live() is not None else None

    def learned_from(self, version: str) -> DatasetVersion:
        """The dataset version that a model version learned from."""
        return self.parts.store.version(self.parts.registry.get(version).tags[DATASET_TAG])

    @property
    def shown(self) -> Shown:
        """What reviewers are shown beside a case."""
        from hitl_mlops.review.open import Shown
        from hitl_mlops.review.picture import picture_of, pictures_beside

        task, folder = self.parts.task, self.parts.settings.folder
        return Shown(
            task,
            self._provenance,
            lambda case: picture_of(case, task, folder),
            lambda case: pictures_beside(case, task, folder),
        )

    def _provenance(self, version: str) -> str:
        """What that model version learned from, in words; asked once, left out while nobody answers."""
        if version not in self._told:
            try:
                self._told[version] = f"dataset {self.learned_from(version).number}"
            except TransientError:
                return ""
        return self._told[version]

    @property
    def deadlines(self) -> Deadlines:
        """How soon each lane answers, by the policy in force."""
        return self.deadlines_of(self.parts.policy)

    def deadlines_of(self, policy: Policy) -> Deadlines:
        """How soon each lane answers, by that policy."""
        from hitl_mlops.review.blind import blind_share, drawn_blind
        from hitl_mlops.review.open import Deadlines

        return Deadlines(
            {plan.name: plan.within / timedelta(hours=1) for plan in policy.routes},
            skills={plan.name: plan.skill for plan in policy.routes if plan.skill},
            blind_first={plan.name for plan in policy.routes if plan.blind_second},
            stages={plan.name: plan.stages for plan in policy.routes if plan.stages},
            drawn_blind=drawn_blind(self.parts.policy_key, blind_share(policy)),
        )

    def look_at_policy(self) -> Policy:
        """The policy as its file says now, where it is followed; a wrong one not followed is raised."""
        parts = self.parts
        return parts.policies.current(parts.clock()).policy if parts.serves else parts.policy

    def policy_in_force(self) -> Policy:
        """What decides, as looked at last; the trail has an entry for each time that it became another.

        Raises:
            HitlError: the trail cannot be written: then nothing may be decided by it.
        """
        from hitl_mlops.routing.adopt import adopt

        parts, now, policy = self.parts, self.parts.clock(), self.parts.policy
        if self._told.get(IN_FORCE) != policy.hash:
            adopt(policy, parts.trail, parts.database.transaction, actor=self.actor, now=now)
            self._told[IN_FORCE] = policy.hash
        return policy

    def demand_room(self) -> None:
        """People can be asked more; raises as `review.room.demand_room`."""
        from hitl_mlops.review.room import demand_room

        demand_room(self.parts.tickets, self.parts.settings.review.most_waiting)

    def serving(self) -> Serving:
        """The models that answer now, loaded by the digests the database holds.

        Raises:
            NotFoundError: there is no champion yet.
            IntegrityError: a model's bytes are not those that were approved.
        """
        from hitl_mlops.decisions.serving import Serving

        champion, live = self.parts.rollouts.standing()
        if champion is None:
            raise _no_champion()
        load, timed = self.parts.registry.load, self.parts.timed
        answers = load(champion.challenger, digest=champion.challenger_digest)
        if live is None:
            return Serving(timed.live(answers)[0])
        on_trial = load(live.challenger, digest=live.challenger_digest)
        timed_answers, timed_trial = timed.live(answers, on_trial)
        return Serving(timed_answers, timed_trial, live.share_percent, live.rollout_id)


def _no_champion() -> NotFoundError:
    return NotFoundError("There is no champion yet.", remedy="Run `hitl train` to make the first.")
