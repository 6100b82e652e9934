"""What is done in one project to see how people judge: exercises opened, answers weighed, notices closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from hitl_mlops.errors import HitlError, InputError, NotFoundError
from hitl_mlops.verbs import Verbs

if TYPE_CHECKING:
    from hitl_mlops.decisions.model import Model
    from hitl_mlops.decisions.record import Decision
    from hitl_mlops.oversight.calibration import Due
    from hitl_mlops.oversight.exercise import Known
    from hitl_mlops.oversight.notices import Closing, GuidelineIssue, Suspicion
    from hitl_mlops.oversight.open import Disguise, Opened
    from hitl_mlops.oversight.policy import OversightPolicy
    from hitl_mlops.oversight.reviewers import Seen
    from hitl_mlops.oversight.seeds import Seed
    from hitl_mlops.oversight.team import Team
    from hitl_mlops.review.page_why import Insight
    from hitl_mlops.review.ticket import Ticket

LATEST = 2_000
"""So many of the latest answers tell who is fast now."""
COMPARED = 10_000
"""So many of the latest answers tell on which classes people do not agree."""
DAYS = 90
GIVEN_UP_AFTER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Noticed:
    """What one look brought that nobody knew yet."""

    suspicions: tuple[Suspicion, ...] = ()
    issues: tuple[GuidelineIssue, ...] = ()


@dataclass(frozen=True, slots=True)
class Overseeing:
    """How people judge, seen by whoever leads them."""

    verbs: Verbs

    @property
    def policy(self) -> OversightPolicy:
        """What the policy in force says of it."""
        from hitl_mlops.oversight.policy import oversight_policy

        return oversight_policy(self.verbs.parts.policy)

    def open_exercises(self) -> int:
        """What is due waits for the desk among the other tickets; how many. None where the policy asks none.

        Seeds stand beside tickets that wait, drawn by key: killed and run again, it opens the same ones.
        """
        policy, parts = self.policy, self.verbs.parts
        if not policy.asks:
            return 0
        now = parts.clock()
        opened = [*self._seeds(policy), *self._calibrations(policy, now)]
        return self._keep(opened, now)

    def give_up(self) -> int:
        """Exercises that nobody answered within a week of their deadline are offered no more; how many.

        Raises:
            ServiceDownError: the desk does not answer; they stay until the next time.
        """
        from hitl_mlops.oversight.events import closed_event

        parts = self.verbs.parts
        now = parts.clock()
        stale = parts.exercises.stale(now - GIVEN_UP_AFTER)
        if stale:
            parts.desk.close(list(stale.values()))
            with parts.database.transaction():
                parts.tickets.mark_withdrawn(stale)
                parts.trail.append([closed_event(sorted(stale), "not answered", now, self.verbs.actor)])
        return len(stale)

    def look(self) -> Noticed:
        """Answered exercises are closed; what speaks against people or a guideline is noticed, each once."""
        from hitl_mlops.oversight.agreement import answered_by_two
        from hitl_mlops.oversight.notices import counted_from, new_issues, new_suspicions
        from hitl_mlops.oversight.reviewers import Seen, seeds_of

        parts, policy = self.verbs.parts, self.policy
        self._close_answered()
        if policy.seed_share == 0 and policy.agreement is None:
            return Noticed()
        now = parts.clock()
        with parts.database.transaction(first=True):
            given = parts.questions.to_exercises()
            exercises = parts.exercises.of({one.ticket_id for one in given})
            kept = parts.notices.suspicions()
            seen = Seen(given, exercises, counted_from=counted_from(kept))
            suspicions = new_suspicions(seeds_of(seen, policy), kept, now)
            asked = policy.agreement is not None
            answers = parts.questions.in_earnest(now - timedelta(days=DAYS), COMPARED) if asked else []
            issues = new_issues(answered_by_two(answers), parts.notices.issues(), policy, now)
            self._notice(suspicions, issues)
        return Noticed(tuple(suspicions), tuple(issues))

    def team(self, days: int = DAYS) -> Team:
        """How everybody judged in the last so many days; of somebody seeds all count since the last talk."""
        from hitl_mlops.oversight.team import team_figures

        parts = self.verbs.parts
        now = parts.clock()
        seen = self._seen(now - timedelta(days=days))
        return team_figures(
            seen,
            self.policy,
            roster=parts.roster,
            suspicions=parts.notices.suspicions(),
            issues=parts.notices.issues(),
            exercises=parts.exercises.all(now - timedelta(days=days)),
            known_left=self._known_left(),
            now=now,
            days=days,
        )

    def clear(self, person: str, *, by: str, reason: str) -> Suspicion:
        """Somebody has talked to the person: their seeds count anew from now on.

        Raises:
            InputError: no reason, or they clear themselves.
            NotFoundError: nobody suspects them.
        """
        from hitl_mlops.oversight.events import cleared_event

        parts = self.verbs.parts
        wanted = parts.roster.person_id(person, parts.policy_key)
        kept = parts.notices.suspicions()
        found = [one for one in kept if one.closed is None and one.person in (wanted, person)]
        if not found:
            raise NotFoundError(
                f"No suspicion of {person} is open.", remedy="List them with `hitl oversight`."
            )
        word = self._word(by, reason)
        if word.by == found[0].person:
            raise InputError("Nobody clears themselves.", remedy="Let who leads the team talk to them.")
        with parts.database.transaction():
            if parts.notices.close_suspicion(found[0].suspicion_id, word):
                parts.trail.append([cleared_event(found[0], word)])
        return found[0]

    def issues(self) -> list[GuidelineIssue]:
        """Every guideline issue there was, oldest first."""
        return self.verbs.parts.notices.issues()

    def close_issue(self, issue_id: str, *, by: str, reason: str) -> GuidelineIssue:
        """The issue is closed: what people answer from now on is judged anew.

        Raises:
            InputError: no reason.
            NotFoundError: there is no such issue, or it is closed.
        """
        from hitl_mlops.oversight.events import issue_closed_event

        parts = self.verbs.parts
        found = [one for one in self.issues() if one.issue_id == issue_id and one.closed is None]
        if not found:
            raise NotFoundError(
                f"No guideline issue {issue_id} is open.", remedy="List them with `hitl guideline issues`."
            )
        word = self._word(by, reason)
        with parts.database.transaction():
            if parts.notices.close_issue(issue_id, word):
                parts.trail.append([issue_closed_event(found[0], word)])
        return found[0]

    # Exercises

    def _close_answered(self) -> None:
        from hitl_mlops.oversight.events import closed_event

        parts = self.verbs.parts
        if not parts.exercises.answered():
            return
        with parts.database.transaction(first=True):
            if answered := parts.exercises.answered():
                parts.tickets.mark_resolved(answered)
                told = closed_event(answered, "answered", parts.clock(), self.verbs.actor)
                parts.trail.append([told])

    def _seeds(self, policy: OversightPolicy) -> list[Opened]:
        from hitl_mlops.oversight.open import seed_ticket
        from hitl_mlops.oversight.seeds import Pool, choose_seeds, drawn

        parts = self.verbs.parts
        key, waiting = parts.policy_key, parts.exercises.beside_which() if policy.seed_share else []
        active = sorted(parts.roster.active_accounts().values())
        pool = Pool((), active=active, fast=self._fast(policy) if waiting else ())
        beside = parts.tickets.by_ids(drawn(waiting, policy, key, pool))
        if not beside:
            return []
        decisions = parts.log.many({one.decision_id for one in beside})
        pool = Pool(self._known(), self._used(), active, pool.fast, self._able if active else None)
        chosen = choose_seeds(beside, decisions, pool, policy, key)
        there = parts.exercises.of([one.ticket_id for one in chosen])
        disguise = self._disguise()
        made = [
            seed_ticket(one, decisions[one.beside.decision_id].case_id, disguise)
            for one in chosen
            if one.ticket_id not in there
        ]
        return [one for one in made if one is not None]

    def _calibrations(self, policy: OversightPolicy, now: datetime) -> list[Opened]:
        from hitl_mlops.oversight.calibration import choose_calibration
        from hitl_mlops.oversight.open import calibration_ticket, newest_case_id

        parts = self.verbs.parts
        due = self._due(policy, now)
        if not due:
            return []
        known = self._known()
        used = {(one.decision_id, one.meant_for or "") for one in parts.exercises.all()}
        like = newest_case_id(self._recent(known))
        made = [
            calibration_ticket(one, like, self._disguise(), now)
            for one in choose_calibration(due, known, used, parts.policy_key)
        ]
        return [one for one in made if one is not None]

    def _due(self, policy: OversightPolicy, now: datetime) -> list[Due]:
        from hitl_mlops.oversight.calibration import due_now

        parts = self.verbs.parts
        active = parts.roster.active_accounts().values()
        due = due_now(active, policy.calibration_per_week, parts.policy_key, now)
        there = parts.exercises.of([one.ticket_id for one in due])
        return [one for one in due if one.ticket_id not in there]

    def _recent(self, known: Sequence[Known]) -> list[Decision]:
        """Decisions whose cases have ids as they are now: those that people are asked about, or the known."""
        parts = self.verbs.parts
        waiting: list[Ticket] = parts.tickets.waiting(1)
        found = parts.log.many(one.decision_id for one in waiting)
        return list(found.values()) or [one.decision for one in known]

    def _known(self) -> list[Known]:
        """Cases whose truth can be trusted, about which nobody is asked now."""
        from hitl_mlops.oversight.exercise import known_cases, truths

        parts = self.verbs.parts
        found = truths(parts.exercises.trusted(), parts.exercises.outcomes())
        for name in parts.exercises.still_asked(found):
            del found[name]
        decisions = parts.log.many(found)
        cases = parts.log.cases(one.case_id for one in decisions.values())
        return list(known_cases(found, decisions, cases, parts.exercises.seen(found)))

    def _able(self, skill: str | None) -> list[str]:
        """Roster ids of the active people who have the skill."""
        return [one.person_id for one in self.verbs.parts.roster.able(skill)]

    def _used(self) -> frozenset[str]:
        """Decisions that were a seed."""
        from hitl_mlops.review.ticket import TicketKind

        kept = self.verbs.parts.exercises.all()
        return frozenset(one.decision_id for one in kept if one.kind is TicketKind.SEED)

    def _known_left(self) -> int:
        """Known cases that were no seed yet."""
        from hitl_mlops.oversight.exercise import truths

        book = self.verbs.parts.exercises
        return len(truths(book.trusted(), book.outcomes()).keys() - self._used())

    def _disguise(self) -> Disguise:
        from dataclasses import replace

        from hitl_mlops.oversight.open import Disguise

        verbs = self.verbs
        shown = replace(verbs.shown, learned_from=lambda _version: "")  # told as beside it; asks no server
        deadlines = replace(verbs.deadlines, drawn_blind=lambda _decision: False)  # a seed shows its class
        key, decided = verbs.parts.policy_key, verbs.parts.log.decided
        insight = partial(self._insight, self._live())
        is_taken, directed = (lambda name: bool(decided([name]))), self.policy.directed
        return Disguise(shown, deadlines, key, is_taken, insight, directed=directed)

    def _live(self) -> list[Model]:
        """The models that answer now; none while they cannot be had: then no seed is like its neighbours."""
        try:
            serving = self.verbs.serving()
        except HitlError:
            return []
        return [one for one in (serving.champion, serving.challenger) if one is not None]

    def _insight(self, live: Sequence[Model], seed: Seed) -> Insight:
        """What the seed's page tells beside the answer."""
        from hitl_mlops.oversight.open import plain_decision, told_insight
        from hitl_mlops.review.page_why import Insight

        parts, plain, case = self.verbs.parts, plain_decision(seed), seed.known.case
        explained = parts.explainer.explain(live, [plain], {case.case_id: case})
        past = parts.past.similar([case]).get(case.case_id, ())
        return told_insight(seed, Insight(explained.get(plain.decision_id), past))

    def _fast(self, policy: OversightPolicy) -> list[str]:
        """Who answers much faster than the cases' difficulty explains."""
        from hitl_mlops.oversight.reviewers import Seen, paces_of

        if policy.when_fast <= 1:
            return []
        parts = self.verbs.parts
        since = parts.clock() - timedelta(days=DAYS)
        answers = parts.questions.in_earnest(since, LATEST)
        seen = Seen(answers, decisions=parts.log.many({one.decision_id for one in answers}))
        return [person for person, one in paces_of(seen).items() if one.fast]

    def _keep(self, opened: Sequence[Opened], now: datetime) -> int:
        """The tickets and what is known of them are kept together, those that are new."""
        from hitl_mlops.oversight.events import exercises_event
        from hitl_mlops.review.open import ask

        verbs, parts = self.verbs, self.verbs.parts
        if not opened:
            return 0
        known = {exercise.ticket_id: exercise for _, exercise in opened}
        with parts.database.transaction(first=True):
            tickets = [ticket for ticket, _ in opened]
            new = ask(tickets, parts.tickets, parts.trail, parts.database, now=now, actor=verbs.actor)
            exercises = [known[ticket.ticket_id] for ticket in new]
            parts.exercises.keep(exercises)
            if exercises:
                parts.trail.append([exercises_event(exercises, parts.policy_key, now, verbs.actor)])
        return len(new)

    # Figures

    def _seen(self, since: datetime) -> Seen:
        from hitl_mlops.oversight.notices import counted_from
        from hitl_mlops.oversight.reviewers import Seen

        parts = self.verbs.parts
        answers = [*parts.questions.in_earnest(since), *parts.questions.to_exercises()]
        return Seen(
            answers=answers,
            exercises=parts.exercises.of({one.ticket_id for one in answers if not one.in_earnest}),
            decisions=parts.log.many({one.decision_id for one in answers}),
            settled=parts.answers.resolutions_of({one.decision_id for one in answers if one.in_earnest}),
            refused=self._refused(since, {one.account: one.person for one in answers}),
            counted_from=counted_from(parts.notices.suspicions()),
        )

    def _refused(self, since: datetime, people: dict[str, str]) -> dict[str, int]:
        """Person → answers that the screen refused; of accounts that nobody has they are not counted."""
        known = {**people, **self.verbs.parts.roster.active_accounts()}
        counts: dict[str, int] = {}
        for account, count in self.verbs.parts.questions.refused(since).items():
            if account in known:
                counts[known[account]] = counts.get(known[account], 0) + count
        return counts

    # Notices

    def _notice(self, suspicions: Sequence[Suspicion], issues: Sequence[GuidelineIssue]) -> None:
        from hitl_mlops.oversight.events import issue_opened_event, suspected_event

        parts, actor = self.verbs.parts, self.verbs.actor
        if suspicions or issues:
            parts.notices.keep(suspicions, issues)
            told = [suspected_event(one, actor) for one in suspicions]
            parts.trail.append([*told, *(issue_opened_event(one, actor) for one in issues)])

    def _word(self, by: str, reason: str) -> Closing:
        from hitl_mlops.oversight.notices import Closing

        if not reason.strip():
            raise InputError("There is no reason.", remedy='Say what was done: --reason "…".')
        return Closing(self.verbs.person(by), reason.strip(), self.verbs.parts.clock())
