"""The twin of the decision log, for tests and dry runs."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from hitl_mlops.decisions.record import Case, Decision, ShadowPrediction
from hitl_mlops.decisions.seal import SALT_BYTES, commitment_of
from hitl_mlops.errors import NotFoundError
from hitl_mlops.ids import content_id


class InMemoryDecisionLog:
    """Decisions in dicts; see `DecisionLog`."""

    def __init__(self) -> None:
        self._cases: dict[str, tuple[Case, bytes]] = {}
        self._decisions: dict[str, Decision] = {}
        self._by_case: dict[str, str] = {}
        self._shadows: dict[tuple[str, str], ShadowPrediction] = {}
        self._quarantined: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {}

    def record(
        self,
        cases: Sequence[Case],
        decisions: Sequence[Decision],
        shadows: Sequence[ShadowPrediction] = (),
        *,
        salts: Sequence[bytes] = (),
    ) -> list[str]:
        """Keep what is new; answer the decision ids that were."""
        drawn = salts or [secrets.token_bytes(SALT_BYTES) for _ in cases]
        given = {case.case_id: (case, salt) for case, salt in zip(cases, drawn, strict=True)}
        new = [
            decision
            for decision in {each.case_id: each for each in reversed(decisions)}.values()
            if decision.case_id not in self._by_case and decision.decision_id not in self._decisions
        ][::-1]
        bodies = {decision.case_id: given[decision.case_id] for decision in new}
        for decision in new:
            self._cases.setdefault(decision.case_id, bodies[decision.case_id])
            self._decisions[decision.decision_id] = decision
            self._by_case[decision.case_id] = decision.decision_id
        fresh = {decision.decision_id for decision in new}
        for shadow in shadows:
            if shadow.decision_id in fresh:
                self._shadows[shadow.decision_id, shadow.model_version] = shadow
        return [decision.decision_id for decision in new]

    def get(self, decision_id: str) -> Decision:
        """The decision."""
        if decision_id not in self._decisions:
            raise unknown("decision", decision_id)
        return self._decisions[decision_id]

    def many(self, decision_ids: Iterable[str]) -> dict[str, Decision]:
        """Those of the decisions that are known."""
        return {each: self._decisions[each] for each in decision_ids if each in self._decisions}

    def commitments(self, case_ids: Iterable[str]) -> dict[str, str]:
        """Commitments of those cases that are known."""
        return {each: commitment_of(*self._cases[each]) for each in case_ids if each in self._cases}

    def case(self, case_id: str) -> Case:
        """The case."""
        if case_id not in self._cases:
            raise unknown("case", case_id)
        return self._cases[case_id][0]

    def cases(self, case_ids: Iterable[str]) -> dict[str, Case]:
        """Those of the cases that are known."""
        return {each: self._cases[each][0] for each in case_ids if each in self._cases}

    def decided(self, case_ids: Iterable[str]) -> dict[str, Decision]:
        """Case id → decision, for those already decided."""
        return {each: self._decisions[self._by_case[each]] for each in case_ids if each in self._by_case}

    def decisions(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        model_version: str | None = None,
    ) -> list[Decision]:
        """Decisions of that span and version, by time, then id."""
        chosen = (
            each
            for each in self._decisions.values()
            if (since is None or each.at >= since)
            and (until is None or each.at < until)
            and (model_version is None or each.model_version == model_version)
        )
        return sorted(chosen, key=lambda each: (each.at, each.decision_id))

    def shadows(self, model_version: str) -> list[ShadowPrediction]:
        """What that version said in the shadow, by decision id."""
        chosen = (each for each in self._shadows.values() if each.model_version == model_version)
        return sorted(chosen, key=lambda each: each.decision_id)

    def shadows_of(self, decision_ids: Iterable[str]) -> list[ShadowPrediction]:
        """What was said in the shadow of these decisions, by decision id, then version."""
        wanted = set(decision_ids)
        chosen = (each for each in self._shadows.values() if each.decision_id in wanted)
        return sorted(chosen, key=lambda each: (each.decision_id, each.model_version))

    def quarantine(self, refused: Sequence[tuple[str, dict[str, Any], tuple[str, ...]]], at: datetime) -> int:
        """Keep refused cases once; answer how many were new."""
        before = len(self._quarantined)
        for each in refused:
            self._quarantined.setdefault(content_id("q", each), each)
        del at  # the twin keeps them in order, which is all their time is for
        return len(self._quarantined) - before

    def quarantined(self) -> list[tuple[str, dict[str, Any], tuple[str, ...]]]:
        """The refused cases, oldest first."""
        return list(self._quarantined.values())


def unknown(what: str, name: str) -> NotFoundError:
    """The error that the log has no such record."""
    return NotFoundError(
        f"There is no {what} {name!r} in the decision log.",
        remedy="Check the id; `hitl decide FILE --json` prints the ids of a file's decisions.",
        id=name,
    )
