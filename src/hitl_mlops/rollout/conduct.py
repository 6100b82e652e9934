"""Moving a rollout: gather what is known, let `step` decide, apply it to the registry, record it.

The database is told first, the registry second. A crash between the two is healed by `converge`, which every
call runs: the registry's aliases follow what the database says, never the reverse.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.keys import Verifier
from hitl_mlops.audit.trail import Trail
from hitl_mlops.database.connect import Database
from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.errors import NotFoundError, RefusedError, TransientError
from hitl_mlops.gates.book import GateBook
from hitl_mlops.ids import content_id, digest_of_reason
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.rollout.approval import Approval, require_reason
from hitl_mlops.rollout.back import brought_back
from hitl_mlops.rollout.book import RolloutBook
from hitl_mlops.rollout.consent import Consent
from hitl_mlops.rollout.evidence import gather_evidence
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.state import Action, Evidence, Rollout, Stage
from hitl_mlops.rollout.step import Step, step
from hitl_mlops.rollout.watch import RolloutWatch
from hitl_mlops.training.record import ModelVersion
from hitl_mlops.training.registry import CHALLENGER, CHAMPION, PREVIOUS, ModelRegistry

_told = logging.getLogger(__name__)
APPROVED = "a version that a release manager approved"


@dataclass(frozen=True, slots=True)
class Conductor:
    """Brings one challenger at a time on its way.

    Attributes:
        database: where rows and trail entries are kept together.
        trail: every move is an entry.
        registry: whose aliases follow.
        log: decisions and shadow predictions.
        answers: what people resolved.
        gates: the reports that approvals are bound to.
        book: the rollouts.
        watch: what keeps a challenger from more, beside the evidence.
        policy: the bounds.
        policy_hash: content hash of the policy file.
        actor: who moves it, for the trail.
        clock: the time, as a function, since one call may look more than once.
        app_key: the key of MLflow's app; None where MLflow runs without it.
        person: an account's id for the trail.
    """

    database: Database
    trail: Trail
    registry: ModelRegistry
    log: DecisionLog
    answers: AnswerBook
    gates: GateBook
    book: RolloutBook
    watch: RolloutWatch
    policy: RolloutPolicy
    policy_hash: str
    actor: str
    clock: Callable[[], datetime]
    app_key: Verifier | None = None
    person: Callable[[str], str] = str

    def crown(self, version: str, reason: str) -> Rollout:
        """The first champion serves; a project that has one is left as it is.

        Raises:
            RefusedError: there is a champion already.
        """
        champion = self.book.champion()
        if champion is not None:
            raise RefusedError(
                f"Version {champion.challenger} is champion already.",
                remedy=f"Run `hitl rollout start {version}`.",
            )
        now, model = self.clock(), self.registry.get(version)
        first = Rollout(
            rollout_id=content_id("ro", ["first", model.name, version]),
            champion="",
            champion_digest="",
            challenger=version,
            challenger_digest=model.digest,
            stage=Stage.PROMOTED,
            share_percent=100.0,
            started_at=now,
            stage_at=now,
            reason=reason,
        )
        with self.database.transaction():
            self.book.start(first)
            self.trail.append([_event(Kind.MODEL_PROMOTED, first, self.actor, now, {"first": True})])
        self.converge()
        return first

    @property
    def consent(self) -> Consent:
        """What people said of versions."""
        return Consent(
            database=self.database,
            trail=self.trail,
            registry=self.registry,
            gates=self.gates,
            policy=self.policy,
            policy_hash=self.policy_hash,
            clock=self.clock,
            app_key=self.app_key,
            person=self.person,
        )

    def approve(
        self, version: str, *, reason: str, approver: str, through: ModelRegistry | None = None
    ) -> Approval:
        """The approval is recorded, bound to bytes, gates and policy; raises as `Consent.approve`."""
        return self.consent.approve(version, reason=reason, approver=approver, through=through)

    def pull_approvals(self) -> list[Approval]:
        """Approvals that stand in the registry and were not recorded yet are recorded; those."""
        return self.consent.pull()

    def read_approval(self, version: str) -> Approval | None:
        """The latest approval of what stands now, recorded if it was not yet; raises as `Consent.read`."""
        return max(self.consent.read(version), key=lambda one: one.at, default=None)

    def start(self, version: str, *, force: str | None = None) -> Rollout:
        """The challenger sees every case in the shadow; forced, it starts in the canary's first stage.

        Args:
            version: the challenger.
            force: the reason to go past gates and approval; the trail keeps that it was forced.

        Raises:
            RefusedError: not judged, not passed, not approved, or another rollout is live.
            NotFoundError: there is no champion to compare with.
        """
        self.converge()
        champion = self.book.champion()
        if champion is None:
            raise NotFoundError(
                "There is no champion yet.", remedy="Run `hitl train` once to make the first."
            )
        if version == champion.challenger:
            raise RefusedError(f"Version {version} is the champion.", remedy="Name a challenger.")
        if force is None:
            self.consent.require(version)
        now, model = self.clock(), self.registry.get(version)
        stage = Stage.SHADOW if force is None else Stage.CANARY
        rollout = Rollout(
            rollout_id=content_id("ro", [champion.challenger, version, len(self.book.all())]),
            champion=champion.challenger,
            champion_digest=champion.challenger_digest,
            challenger=version,
            challenger_digest=model.digest,
            stage=stage,
            share_percent=0.0 if force is None else self.policy.stages[0],
            started_at=now,
            stage_at=now,
            forced=force is not None,
            reason=f"Forced: {force}" if force else "Approved; watches every case in the shadow.",
        )
        with self.database.transaction():
            self.book.start(rollout)
            facts = {"forced": rollout.forced, "policy_hash": self.policy_hash}
            self.trail.append([_event(Kind.ROLLOUT_STARTED, rollout, self.actor, now, facts)])
        self.converge()
        return rollout

    def look(self) -> tuple[Step, Evidence]:
        """One look at the live rollout, with what it decided applied and recorded.

        A rollback needs no registry: it holds once the database has it, and the aliases follow when they can.

        Raises:
            NotFoundError: none is live.
            ServiceDownError: the registry does not answer; nothing was moved on.
        """
        if self.book.live() is None:
            self.converge()  # what a killed look left undone
        rollout = self._live()
        decided, evidence = self._decided(rollout)
        if decided.action is Action.ROLL_BACK:
            decided = self._apply(rollout, decided, evidence)
            self._follow()
            return decided, evidence
        self.converge()
        if decided.action is Action.PROMOTE and self._lacks_consent(rollout):
            decided = Step(
                Action.HOLD, rollout, f"Proven, and held: MLflow gives champion only to {APPROVED}."
            )
        if decided.action is not Action.HOLD:
            decided = self._apply(rollout, decided, evidence)
            self.converge()
        return decided, evidence

    def take_back_if_due(self) -> Step | None:
        """A live challenger that harm or a guardrail speaks against is rolled back; None where nothing moved.

        It goes nowhere else by this, and needs no registry: so it may be called whenever something is known.
        """
        rollout = self.book.live()
        if rollout is None:
            return None
        decided, evidence = self._decided(rollout)
        if decided.action is not Action.ROLL_BACK:
            return None
        decided = self._apply(rollout, decided, evidence)
        _told.warning("challenger %s was rolled back: %s", rollout.challenger, decided.reason)
        self._follow()
        return decided

    def _decided(self, rollout: Rollout) -> tuple[Step, Evidence]:
        now = self.clock()
        evidence = gather_evidence(rollout, self.log, self.answers, self.policy)
        guardrails = self.watch.guardrails(rollout, now)
        return step(rollout, evidence, guardrails, self.policy, now), evidence

    def _lacks_consent(self, rollout: Rollout) -> bool:
        """It was forced, and MLflow's app moves `champion` only to what was approved."""
        return rollout.forced and self.app_key is not None and not self.consent.read(rollout.challenger)

    def _live(self) -> Rollout:
        rollout = self.book.live()
        if rollout is None:
            raise NotFoundError("No rollout is under way.", remedy="Run `hitl rollout start VERSION`.")
        return rollout

    def _apply(self, before: Rollout, decided: Step, evidence: Evidence) -> Step:
        """The step is kept and told; where another look came first nothing is, and that is what is held."""
        kind = {
            Action.ADVANCE: Kind.ROLLOUT_STEPPED,
            Action.PROMOTE: Kind.MODEL_PROMOTED,
            Action.ROLL_BACK: Kind.MODEL_ROLLED_BACK,
        }[decided.action]
        facts = {
            "share_percent": decided.after.share_percent,
            "cases": evidence.cases,
            "labels": evidence.labels,
            "promote_e": float(f"{evidence.promote_e:.6g}"),
            "rollback_e": float(f"{evidence.rollback_e:.6g}"),
            "policy_hash": self.policy_hash,
        }
        with self.database.transaction():
            if not self.book.move(before, decided.after):
                return Step(Action.HOLD, before, "Another look came first.")
            self.trail.append([_event(kind, decided.after, self.actor, decided.after.stage_at, facts)])
        return decided

    def _follow(self) -> None:
        """The registry's aliases follow, now or, where it does not answer, with the next call."""
        try:
            self.converge()
        except TransientError as error:
            _told.warning("the champion answers every case; the aliases follow later: %s", error.fact)

    def abort(self, reason: str) -> Rollout:
        """The live rollout is over, by a person's word; the champion answers every case.

        Needs no registry: its aliases follow when they can.
        """
        after = self._abort(self._live(), reason, self.clock())
        self._follow()
        return after

    def _abort(self, rollout: Rollout, reason: str, now: datetime) -> Rollout:
        after = replace(rollout, stage=Stage.ABORTED, share_percent=0.0, stage_at=now, reason=reason)
        facts = {"reason_digest": digest_of_reason(reason)}
        with self.database.transaction():
            self.book.keep(after)
            self.trail.append([_event(Kind.ROLLOUT_ABORTED, after, self.actor, now, facts)])
        return after

    def bring_back(self, reason: str) -> Rollout:
        """The champion before the present one answers every case again, by a person's word.

        A rollout that is live is aborted with it. Needs no registry: its aliases follow when they can.

        Raises:
            RefusedError: there was none before, or it was brought back already.
            InputError: there is no reason.
        """
        bad, live, now = self.book.champion(), self.book.live(), self.clock()
        require_reason(reason)
        after = brought_back(bad, reason, now, count=len(self.book.all()))
        facts = {"reason_digest": digest_of_reason(reason), "brought_back": True}
        with self.database.transaction():
            if live is not None:
                self._abort(live, reason, now)
            self.book.start(after)
            self.trail.append([_event(Kind.MODEL_ROLLED_BACK, after, self.actor, now, facts)])
        self._follow()
        return after

    def converge(self) -> None:
        """The registry's aliases are what the database says they should be.

        An alias `champion` on a version that was not champion last was moved by somebody else: the trail
        tells of it. That version did not serve meanwhile, as the database says which model answers.
        """
        champion, live = self.book.champion(), self.book.live()
        wanted = {
            CHAMPION: champion.challenger if champion else None,
            PREVIOUS: champion.champion if champion else None,
            CHALLENGER: live.challenger if live else None,
        }
        for alias, version in wanted.items():
            held = self.registry.alias(alias)
            if alias == CHAMPION and held and champion:
                self._tell_of_strangers(held, champion)
            if version and (held is None or held.version != version):
                self.registry.set_alias(alias, version)
            elif alias == CHALLENGER and held and champion and held.version == champion.challenger:
                self.registry.drop_alias(alias)

    def _tell_of_strangers(self, held: ModelVersion, champion: Rollout) -> None:
        if held.version in (champion.challenger, champion.champion):
            return  # where it belongs, or where it was before a promotion that was killed in its middle
        facts = {"alias": CHAMPION, "found_digest": held.digest}
        refs = {"model": [held.version], "champion": [champion.challenger]}
        with self.database.transaction():
            self.trail.append([Event(Kind.ALIAS_MOVED, self.actor, self.clock(), refs, facts)])
        _told.warning(
            "the alias %s of %s was moved to version %s by somebody else; version %s answers and has it back",
            *(CHAMPION, held.name, held.version, champion.challenger),
        )


def _event(kind: Kind, rollout: Rollout, actor: str, now: datetime, facts: Mapping[str, object]) -> Event:
    refs = {"rollout": [rollout.rollout_id], "model": [rollout.challenger]}
    if rollout.champion:
        refs["champion"] = [rollout.champion]
    return Event(
        kind, actor, now, refs, {**facts, "stage": rollout.stage.value, "digest": rollout.challenger_digest}
    )
