from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import gate_reports
from hitl_mlops.errors import IntegrityError
from hitl_mlops.gates.book import GateBook
from tests.gate_builders import NOON, gate_report, gate_result


@pytest.fixture
def database():
    database = Database("sqlite://")
    database.create()
    yield database
    database.close()


def test_a_kept_report_comes_back_with_its_digest(database):
    book = GateBook(database)
    report = gate_report(gate_result(details={"changes": {"a": {"value": 0.1}}}), gate_result(interval=None))

    digest = book.keep(report)

    assert book.by_digest(digest) == report
    assert book.by_digest(digest).digest == digest


def test_keeping_a_report_again_changes_nothing(database):
    book = GateBook(database)

    assert book.keep(gate_report()) == book.keep(gate_report())


def test_the_latest_is_the_one_made_last_whatever_order_they_were_kept_in(database):
    book = GateBook(database)
    later = gate_report(made_at=NOON + timedelta(hours=1))
    for report in (later, gate_report(), gate_report(model_version="8")):
        book.keep(report)

    assert book.latest("7") == later


def test_a_version_that_was_never_judged_has_no_report(database):
    assert GateBook(database).latest("99") is None
    assert GateBook(database).by_digest("sha256:none") is None


def test_a_report_changed_in_the_database_is_found_out(database):
    book = GateBook(database)
    digest = book.keep(gate_report(gate_result(figure=0.3)))
    forged = replace(gate_report(), results=(gate_result(figure=-0.3),)).to_dict()
    with database.transaction() as connection:
        connection.execute(sa.update(gate_reports).values(report=forged))

    with pytest.raises(IntegrityError, match="was changed"):
        book.by_digest(digest)
