"""Gate reports, kept as they were made: an approval is bound to their digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import gate_reports
from hitl_mlops.errors import IntegrityError
from hitl_mlops.gates.report import GateReport, GateResult, Verdict
from hitl_mlops.ids import instant, parse_instant


class GateBook:
    """Keeps reports in the table `gate_reports`; a report is never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, report: GateReport) -> str:
        """The report is kept; its digest is returned. Keeping it again changes nothing."""
        digest = report.digest
        with self._database.transaction() as connection:
            known = connection.execute(
                sa.select(gate_reports.c.digest).where(gate_reports.c.digest == digest)
            ).first()
            if known is None:
                connection.execute(
                    gate_reports.insert().values(
                        digest=digest,
                        model_version=report.model_version,
                        made_at=instant(report.made_at),
                        report=report.to_dict(),
                    )
                )
        return digest

    def latest(self, model_version: str) -> GateReport | None:
        """The report made last on a version; None if it was never judged.

        Raises:
            IntegrityError: the stored report is not the one that was kept.
        """
        return self._one(
            sa.select(gate_reports)
            .where(gate_reports.c.model_version == model_version)
            .order_by(gate_reports.c.made_at.desc(), gate_reports.c.digest.desc())
        )

    def by_digest(self, digest: str) -> GateReport | None:
        """The report with that digest; None if there is none.

        Raises:
            IntegrityError: the stored report is not the one that was kept.
        """
        return self._one(sa.select(gate_reports).where(gate_reports.c.digest == digest))

    def _one(self, query: sa.Select[Any]) -> GateReport | None:
        with self._database.reading() as connection:
            row = connection.execute(query.limit(1)).first()
        if row is None:
            return None
        report = report_from_dict(row.report)
        if report.digest != row.digest:
            raise IntegrityError(
                f"The gate report {row.digest} on version {row.model_version} was changed in the database.",
                remedy=f"Run `hitl gate {row.model_version}` to judge it anew, and `hitl audit verify`.",
                digest=row.digest,
            )
        return report


def report_from_dict(values: Mapping[str, Any]) -> GateReport:
    """The report that `GateReport.to_dict` wrote; its digest is the same."""
    return GateReport(
        model_version=values["model_version"],
        model_digest=values["model_digest"],
        champion=values["champion"],
        dataset_digest=values["dataset_digest"],
        policy_hash=values["policy_hash"],
        results=tuple(_result(one) for one in values["results"]),
        made_at=parse_instant(values["made_at"]),
    )


def _result(values: Mapping[str, Any]) -> GateResult:
    interval = values["interval"]
    return GateResult(
        name=values["name"],
        verdict=Verdict(values["verdict"]),
        required=values["required"],
        figure=values["figure"],
        bound=values["bound"],
        interval=(interval[0], interval[1]) if interval else None,
        count=values["count"],
        reason=values["reason"],
        details=values["details"],
        asked=values["asked"],
    )
