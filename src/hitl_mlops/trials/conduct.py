"""The verbs: try a policy, look, end it. Every move is an entry of the trail."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.database.connect import Database
from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.decisions.record import Decision
from hitl_mlops.errors import NotFoundError
from hitl_mlops.ids import content_id, digest_of_reason
from hitl_mlops.kpis.definitions import people_said
from hitl_mlops.kpis.history import recorded_history
from hitl_mlops.overrides.book import AnswerBook
from hitl_mlops.rollout.approval import require_reason
from hitl_mlops.rollout.evidence import LATEST
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.rollout.reviewers import reviewer_error
from hitl_mlops.rollout.state import Action, Rollout, Stage
from hitl_mlops.rollout.step import Step, step
from hitl_mlops.rollout.watch import RolloutWatch
from hitl_mlops.routing.policy import Policy
from hitl_mlops.routing.route import Check, route
from hitl_mlops.trials.book import TrialBook
from hitl_mlops.trials.compare import Both, Compared, compare
from hitl_mlops.trials.trial import Trial, demand_comparable

_told = logging.getLogger(__name__)
PROVEN = "Proven"


@dataclass(frozen=True, slots=True)
class Trials:
    """Tries one policy at a time beside the one in force.

    Attributes:
        database: where rows and trail entries are kept together.
        trail: every move is an entry.
        log: what was decided.
        answers: what people resolved.
        book: the trials.
        watch: what keeps a trial from more, beside the evidence.
        bounds: of the policy in force, section `rollout`.
        in_force: the policy that decides.
        kept: columns that are kept of every case.
        checks: the user's functions by name.
        actor: who moves it, for the trail.
        clock: the time.
    """

    database: Database
    trail: Trail
    log: DecisionLog
    answers: AnswerBook
    book: TrialBook
    watch: RolloutWatch
    bounds: RolloutPolicy
    in_force: Policy
    kept: Sequence[str]
    checks: Mapping[str, Check]
    actor: str
    clock: Callable[[], datetime]

    def start(self, new: Policy, *, file: str, text: str, reason: str) -> Trial:
        """The policy is tried in the shadow: it routes nobody, and it is known what it would have asked.

        Args:
            new: the policy.
            file: where it was read from.
            text: what it said there; kept, so that a later change of the file changes nothing.
            reason: why it is tried.

        Raises:
            RefusedError: another trial is live, or the two cannot be compared.
            InputError: there is no reason.
        """
        require_reason(reason)
        demand_comparable(new, self.in_force, self.kept)
        now, count = self.clock(), len(self.book.all())
        way = Rollout(
            rollout_id=content_id("tr", [self.in_force.hash, new.hash, count]),
            champion=self.in_force.hash,
            champion_digest=self.in_force.hash,
            challenger=new.hash,
            challenger_digest=new.hash,
            stage=Stage.SHADOW,
            share_percent=0.0,
            started_at=now,
            stage_at=now,
            reason="Watches every case in the shadow.",
        )
        trial = Trial(way, file, text)
        with self.database.transaction(first=True):
            self.book.start(trial)
            facts = {"reason_digest": digest_of_reason(reason)}
            self.trail.append([_event(Kind.TRIAL_STARTED, trial, self.actor, now, facts)])
        return trial

    def compared(self, trial: Trial) -> Compared:
        """The evidence as it stands; asks no server."""
        way = trial.way
        made = self.log.decisions(since=way.started_at)
        ours = self._both(trial, [one for one in made if one.policy_hash == way.champion])
        theirs = self._both(trial, [one for one in made if one.policy_hash == way.challenger])
        resolutions = self.answers.resolutions(since=way.started_at)
        reviewers = reviewer_error(self.answers.latest_resolutions(LATEST), self.bounds)
        served = sum(one.at >= way.stage_at for one in theirs.decisions)
        rates = [trial.policy.review_rate(one.name) for one in trial.policy.routes if one.automatic]
        return compare(
            ours,
            theirs,
            people_said(resolutions),
            self.bounds,
            reviewers,
            floor=min(rates, default=1.0),
            served=served,
        )

    def _both(self, trial: Trial, decisions: Sequence[Decision]) -> Both:
        return Both(decisions, self._asks(self.in_force, decisions), self._asks(trial.policy, decisions))

    def _asks(self, policy: Policy, decisions: Sequence[Decision]) -> npt.NDArray[np.bool_]:
        """Whether the policy asks people by itself, for each decision: no guard, no spot check."""
        if not decisions:
            return np.empty(0, dtype=np.bool_)
        history = recorded_history(decisions, (), {}, policy, self.in_force)
        routes = route(policy, history.columns, checks=self.checks, versions=history.versions)
        asking = [plan.name for plan in policy.routes if not plan.automatic]
        return np.isin(routes.route.astype(str), asking)

    def look(self) -> tuple[Step, Compared] | None:
        """One look at the live trial, applied and recorded; None where none is live.

        A trial whose policy in force is no longer the one it was started beside is over.
        """
        trial = self.book.live()
        if trial is None:
            return None
        decided, found = self._decided(trial)
        return self._apply(trial, decided, found), found

    def take_back_if_due(self) -> Step | None:
        """A live trial that harm speaks against is over; None: nothing moved, it never advances by this."""
        trial = self.book.live()
        if trial is None:
            return None
        decided, found = self._decided(trial)
        if decided.action is not Action.ROLL_BACK:
            return None
        _told.warning("the trial of %s is over: %s", trial.file, decided.reason)
        return self._apply(trial, decided, found)

    def _decided(self, trial: Trial) -> tuple[Step, Compared]:
        now, found, way = self.clock(), self.compared(trial), trial.way
        if not trial.stands_beside(self.in_force):
            reason = "Another policy is in force than the one that it was compared with."
            after = replace(way, stage=Stage.ROLLED_BACK, share_percent=0.0, stage_at=now, reason=reason)
            return Step(Action.ROLL_BACK, after, reason), found
        guardrails = self.watch.guardrails(way, now)
        return step(way, found.evidence, guardrails, self.bounds, now, at_the_end=PROVEN), found

    def _apply(self, trial: Trial, decided: Step, found: Compared) -> Step:
        """The step is kept and told; where another look came first nothing is, and that is what is held."""
        if decided.action is Action.HOLD:
            return decided
        after, evidence = replace(trial, way=decided.after), found.evidence
        facts = {
            "action": decided.action.value,
            "cases": evidence.cases,
            "labels": evidence.labels,
            "promote_e": float(f"{evidence.promote_e:.6g}"),
            "rollback_e": float(f"{evidence.rollback_e:.6g}"),
            "asked_now": round(found.asked_now, 6),
            "asked_then": round(found.asked_then, 6),
        }
        kind = Kind.TRIAL_STEPPED if decided.action is Action.ADVANCE else Kind.TRIAL_ENDED
        with self.database.transaction():
            if not self.book.move(trial, after):
                return Step(Action.HOLD, trial.way, "Another look came first.")
            self.trail.append([_event(kind, after, self.actor, after.way.stage_at, facts)])
        return decided

    def abort(self, reason: str) -> Trial:
        """The live trial is over, by a person's word; every case goes by the policy in force.

        Raises:
            NotFoundError: none is live.
            InputError: there is no reason.
        """
        require_reason(reason)
        trial, now = self.book.live(), self.clock()
        if trial is None:
            raise NotFoundError("No policy is on trial.", remedy="Run `hitl trial start FILE`.")
        way = replace(trial.way, stage=Stage.ABORTED, share_percent=0.0, stage_at=now, reason=reason)
        after = replace(trial, way=way)
        facts = {"action": "abort", "reason_digest": digest_of_reason(reason)}
        with self.database.transaction():
            if not self.book.move(trial, after):
                raise NotFoundError("The trial has ended meanwhile.", remedy="Look: hitl trial status")
            self.trail.append([_event(Kind.TRIAL_ENDED, after, self.actor, now, facts)])
        return after


def _event(kind: Kind, trial: Trial, actor: str, now: datetime, facts: Mapping[str, object]) -> Event:
    way = trial.way
    refs = {"trial": [way.rollout_id], "policy": [way.challenger], "beside": [way.champion]}
    return Event(
        kind, actor, now, refs, {**facts, "stage": way.stage.value, "share_percent": way.share_percent}
    )
