"""The decision log in a database."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hitl_mlops.database import tables
from hitl_mlops.database.connect import Database
from hitl_mlops.decisions.log_in_memory import unknown
from hitl_mlops.decisions.record import Arm, Case, Decision, ShadowPrediction
from hitl_mlops.decisions.seal import SALT_BYTES, commitment_of
from hitl_mlops.ids import content_id, instant, parse_instant
from hitl_mlops.routing.policy import Intervention

ASKED_AT_ONCE = 2_000
WRITER_LOCK = 4_851_002
"""Number of PostgreSQL's advisory lock for writers of this log."""

_DECISION_ROWS = sa.select(tables.decisions, tables.cases.c.attributes).join(
    tables.cases, tables.cases.c.case_id == tables.decisions.c.case_id
)


class SqlDecisionLog:
    """Decisions in tables; see `DecisionLog`."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def record(
        self,
        cases: Sequence[Case],
        decisions: Sequence[Decision],
        shadows: Sequence[ShadowPrediction] = (),
        *,
        salts: Sequence[bytes] = (),
    ) -> list[str]:
        """Keep what is new, in one transaction or the one that is open; answer the decision ids that were."""
        drawn = salts or [secrets.token_bytes(SALT_BYTES) for _ in cases]
        given = {case.case_id: (case, salt) for case, salt in zip(cases, drawn, strict=True)}
        with self.database.transaction() as connection:
            _wait_for_turn(connection)
            known = self.decided(given).keys()
            new = list(
                {each.case_id: each for each in reversed(decisions) if each.case_id not in known}.values()
            )
            new.reverse()
            _insert(connection, tables.cases, [_case_row(*given[each.case_id]) for each in new])
            _insert(connection, tables.decisions, [_decision_row(each) for each in new])
            fresh = {each.decision_id for each in new}
            beside = [_shadow_row(each) for each in shadows if each.decision_id in fresh]
            _insert(connection, tables.shadow_predictions, beside)
        return [each.decision_id for each in new]

    def get(self, decision_id: str) -> Decision:
        """The decision."""
        found = self.many([decision_id])
        if not found:
            raise unknown("decision", decision_id)
        return found[decision_id]

    def many(self, decision_ids: Iterable[str]) -> dict[str, Decision]:
        """Those of the decisions that are known."""
        rows = self._rows(_DECISION_ROWS, tables.decisions.c.decision_id, decision_ids)
        return {row["decision_id"]: _decision(row) for row in rows}

    def commitments(self, case_ids: Iterable[str]) -> dict[str, str]:
        """Commitments of those cases that are known."""
        rows = self._rows(sa.select(tables.cases), tables.cases.c.case_id, case_ids)
        return {row["case_id"]: commitment_of(_case(row), bytes(row["salt"])) for row in rows}

    def case(self, case_id: str) -> Case:
        """The case."""
        found = self.cases([case_id])
        if not found:
            raise unknown("case", case_id)
        return found[case_id]

    def cases(self, case_ids: Iterable[str]) -> dict[str, Case]:
        """Those of the cases that are known."""
        rows = self._rows(sa.select(tables.cases), tables.cases.c.case_id, case_ids)
        return {row["case_id"]: _case(row) for row in rows}

    def decided(self, case_ids: Iterable[str]) -> dict[str, Decision]:
        """Case id → decision, for those already decided."""
        rows = self._rows(_DECISION_ROWS, tables.decisions.c.case_id, case_ids)
        return {row["case_id"]: _decision(row) for row in rows}

    def decisions(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        model_version: str | None = None,
    ) -> list[Decision]:
        """Decisions of that span and version, by time, then id."""
        column = tables.decisions.c
        query = _DECISION_ROWS.order_by(column.at, column.decision_id)
        if since is not None:
            query = query.where(column.at >= instant(since))
        if until is not None:
            query = query.where(column.at < instant(until))
        if model_version is not None:
            query = query.where(column.model_version == model_version)
        with self.database.reading() as connection:
            return [_decision(dict(row)) for row in connection.execute(query).mappings()]

    def shadows(self, model_version: str) -> list[ShadowPrediction]:
        """What that version said in the shadow, by decision id."""
        table = tables.shadow_predictions
        query = sa.select(table).where(table.c.model_version == model_version).order_by(table.c.decision_id)
        with self.database.reading() as connection:
            return [ShadowPrediction(**row) for row in connection.execute(query).mappings()]

    def shadows_of(self, decision_ids: Iterable[str]) -> list[ShadowPrediction]:
        """What was said in the shadow of these decisions, by decision id, then version."""
        table = tables.shadow_predictions
        rows = self._rows(sa.select(table), table.c.decision_id, decision_ids)
        found = [ShadowPrediction(**row) for row in rows]
        return sorted(found, key=lambda each: (each.decision_id, each.model_version))

    def quarantine(self, refused: Sequence[tuple[str, dict[str, Any], tuple[str, ...]]], at: datetime) -> int:
        """Keep refused cases once; answer how many were new."""
        named = {content_id("q", each): each for each in refused}
        table = tables.quarantined_cases
        with self.database.transaction() as connection:
            _wait_for_turn(connection)
            before = self._rows(sa.select(table), table.c.case_id, [case_id for case_id, _, _ in refused])
            known = {content_id("q", (each["case_id"], each["row"], each["reasons"])) for each in before}
            rows = [
                {"case_id": case_id, "row": row, "reasons": list(reasons), "at": instant(at)}
                for key, (case_id, row, reasons) in named.items()
                if key not in known
            ]
            _insert(connection, table, rows)
        return len(rows)

    def quarantined(self) -> list[tuple[str, dict[str, Any], tuple[str, ...]]]:
        """The refused cases, oldest first."""
        query = sa.select(tables.quarantined_cases).order_by(tables.quarantined_cases.c.id)
        with self.database.reading() as connection:
            rows = connection.execute(query).mappings()
            return [(row["case_id"], row["row"], tuple(row["reasons"])) for row in rows]

    def _rows(
        self, query: sa.Select[Any], column: sa.Column[Any], names: Iterable[str]
    ) -> list[Mapping[str, Any]]:
        """The rows whose column holds one of the names, asked for in pieces that every database takes."""
        distinct = list(dict.fromkeys(names))
        rows: list[Mapping[str, Any]] = []
        with self.database.reading() as connection:
            for start in range(0, len(distinct), ASKED_AT_ONCE):
                piece = query.where(column.in_(distinct[start : start + ASKED_AT_ONCE]))
                rows.extend(dict(row) for row in connection.execute(piece).mappings())
        return rows


def _wait_for_turn(connection: sa.Connection) -> None:
    """One writer at a time, so that what is not known now is not known when it is inserted.

    SQLite's transactions begin with the writer's lock already.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITER_LOCK)))


def _insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(sa.insert(table), rows)


def _case_row(case: Case, salt: bytes) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "subject": case.subject,
        "at": instant(case.at),
        "inputs": dict(case.inputs),
        "attributes": dict(case.attributes),
        "salt": salt,
        "commitment": commitment_of(case, salt),
    }


def _case(row: Mapping[str, Any]) -> Case:
    return Case(row["case_id"], row["subject"], parse_instant(row["at"]), row["inputs"], row["attributes"])


def _decision_row(decision: Decision) -> dict[str, Any]:
    return {
        "decision_id": decision.decision_id,
        "case_id": decision.case_id,
        "subject": decision.subject,
        "at": instant(decision.at),
        "model_version": decision.model_version,
        "model_digest": decision.model_digest,
        "arm": decision.arm.value,
        "label": decision.label,
        "confidence": decision.confidence,
        "probabilities": dict(decision.probabilities),
        "route": decision.route,
        "reasons": list(decision.reasons),
        "policy_hash": decision.policy_hash,
        "pi": decision.pi,
        "spot_check": decision.spot_check,
        "signatures": decision.signatures,
        "intervention": decision.intervention.value,
        "reversible_until": instant(decision.reversible_until) if decision.reversible_until else None,
    }


def _decision(row: Mapping[str, Any]) -> Decision:
    until = row["reversible_until"]
    changed = {
        "at": parse_instant(row["at"]),
        "arm": Arm(row["arm"]),
        "reasons": tuple(row["reasons"]),
        "intervention": Intervention(row["intervention"]),
        "reversible_until": parse_instant(until) if until is not None else None,
    }
    return Decision(**{**row, **changed})


def _shadow_row(shadow: ShadowPrediction) -> dict[str, Any]:
    return {
        "decision_id": shadow.decision_id,
        "model_version": shadow.model_version,
        "model_digest": shadow.model_digest,
        "label": shadow.label,
        "confidence": shadow.confidence,
    }
