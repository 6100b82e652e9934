"""What every store of decision blocks must do, seen through the log: twin, SQLite in a file, PostgreSQL."""

from contextlib import nullcontext
from datetime import timedelta

import numpy as np
import pytest

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import metadata
from hitl_mlops.decisions.block_store_sql import SqlBlockStore
from hitl_mlops.decisions.log import DecidedAlreadyError, DecisionLog
from hitl_mlops.decisions.record import Arm, ShadowPrediction
from hitl_mlops.errors import NotFoundError
from tests.builders import KEY, NOW, a_block, a_case, a_decision, a_log, decision_id, keep, record

REAL = pytest.mark.real


@pytest.fixture(params=["twin", pytest.param("sqlite", marks=REAL), pytest.param("postgres", marks=REAL)])
def log(request, tmp_path):
    if request.param == "twin":
        yield a_log()
        return
    postgres = request.param == "postgres"
    url = request.getfixturevalue("postgres_url") if postgres else f"sqlite:///{tmp_path}/hitl.db"
    database = Database(url)
    database.create()
    with database.transaction() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    yield DecisionLog(SqlBlockStore(database), KEY)
    database.close()


def transaction_of(log):
    """What the store's records are kept in together; the twin keeps them one by one."""
    return log.store.database.transaction() if isinstance(log.store, SqlBlockStore) else nullcontext()


def many(count):
    return (
        [a_case(case_id=f"c{n:05}") for n in range(count)],
        [a_decision(case_id=f"c{n:05}") for n in range(count)],
    )


def test_what_was_recorded_is_read_back_equal(log):
    case = a_case(
        inputs={"x": 0.1, "n": 3, "text": 'é"\n', "gap": None, "flag": True}, attributes={"b": "07"}
    )
    decision = a_decision(
        arm=Arm.CHALLENGER, attributes=case.attributes, confidence=1 / 3, reasons=("a", "b"), spot_check=True
    )
    assert record(log, [case], [decision]) == [decision.decision_id]
    assert log.get(decision.decision_id) == decision
    assert log.case(case.case_id) == case
    assert log.decided(["case-1", "other"]) == {"case-1": decision}
    assert log.cases(["other", "case-1"]) == {"case-1": case}
    assert log.many([decision.decision_id, "d_other", "d_" + "0" * 24]) == {decision.decision_id: decision}


def test_a_decision_that_is_there_is_left_as_it_is(log):
    record(log, [a_case()], [a_decision()])
    again = record(
        log,
        [a_case(inputs={"x": 2.0}), a_case(case_id="case-2")],
        [a_decision(label="no"), a_decision(case_id="case-2")],
        [ShadowPrediction(decision_id("case-1"), "2", "sha256:2", "no", 0.6)],
    )
    assert again == [decision_id("case-2")]
    assert log.get(decision_id("case-1")).label == "yes"
    assert log.case("case-1").inputs == {"x": 1.5}
    assert log.shadows("2") == []


def test_nobody_claims_a_case_that_is_decided_or_stands_twice(log):
    record(log, [a_case()], [a_decision()])
    old, new = log.keys_of(["case-1", "case-2"])
    for keys in ([old], [new, old], [new, new]):
        with pytest.raises(DecidedAlreadyError), transaction_of(log):
            log.claim(np.stack(keys))
    assert log.block_of(decision_id("case-2")) is None
    assert len(list(log.store.blocks())) == 1


def test_a_claim_ends_with_its_transaction(log):
    def killed():
        with transaction_of(log):
            assert log.claim(log.keys_of(["case-1"])) == 1
            raise RuntimeError("killed")

    for _ in range(2):
        with pytest.raises(RuntimeError, match="killed"):
            killed()
    assert record(log, [a_case()], [a_decision()]) == [decision_id("case-1")]


def test_a_log_without_decisions_says_so(log):
    assert log.decisions() == []
    assert log.decided([]) == {}
    assert log.block_of(decision_id("case-1")) is None
    assert log.store.hashes(1) == b""


def test_more_cases_than_a_database_takes_at_once(log):
    cases, decisions = many(4500)
    assert record(log, cases, decisions) == [each.decision_id for each in decisions]
    assert len(log.decided(case.case_id for case in cases)) == 4500
    assert record(log, cases, decisions) == []


def test_decisions_are_chosen_by_time_and_version_and_ordered(log):
    when = [NOW + timedelta(hours=hours) for hours in (2, 0, 1, 1)]
    versions = ["2", "1", "1", "2"]
    cases = [a_case(case_id=f"c{n}") for n in range(4)]
    record(log, cases, [a_decision(case_id=f"c{n}", at=when[n], model_version=versions[n]) for n in range(4)])
    assert {each.case_id for each in log.decisions()[1:3]} == {"c2", "c3"}
    assert [each.case_id for each in log.decisions()][::3] == ["c1", "c0"]
    assert {each.case_id for each in log.decisions(since=when[2])} == {"c2", "c3", "c0"}
    assert [each.case_id for each in log.decisions(until=when[2])] == ["c1"]
    assert [each.case_id for each in log.decisions(model_version="1")] == ["c1", "c2"]


def test_shadow_predictions_are_kept_by_version_and_time(log):
    cases, decisions = many(2)
    shadows = [ShadowPrediction(each.decision_id, "2", "sha256:2", "no", 0.6) for each in decisions]
    record(log, cases, decisions, shadows[::-1])
    assert sorted(log.shadows("2"), key=lambda one: one.decision_id) == log.shadows("2")
    assert set(log.shadows("2")) == set(shadows)
    assert log.shadows("3") == []
    assert log.shadows("2", since=NOW + timedelta(hours=1)) == []
    assert log.shadows_of([decisions[1].decision_id]) == [shadows[1]]


def test_blocks_are_numbered_as_they_come_and_found_by_their_decisions(log):
    for number, name in enumerate(("a", "b"), start=1):
        assert keep(log, a_block([a_case(case_id=name)], [a_decision(case_id=name)])).number == number
        assert log.block_of(decision_id(name)) == number
    (second,) = log.store.blocks([2])
    assert second.decision_ids == [decision_id("b")]
    assert log.store.hashes(2) == b"".join(second.hashes)


def test_what_is_not_there_is_said_by_name(log):
    with pytest.raises(NotFoundError, match="d_9"):
        log.get("d_9")
    with pytest.raises(NotFoundError, match="case-9"):
        log.case("case-9")


def test_refused_rows_are_kept_once_and_in_order(log):
    first, second = ("c1", {"x": None}, ("x has no value",)), ("c2", {"x": "∞"}, ("x is infinite",))
    assert log.quarantine([first, second], NOW) == 2
    assert log.quarantine([second, first], NOW + timedelta(hours=1)) == 0
    assert log.quarantine([("c1", {"x": 1}, ("other",))], NOW) == 1
    assert log.quarantined()[:2] == [first, second]
    assert len(log.quarantined()) == 3
