"""Files of cases, piece by piece: the same as at once, whatever the pieces."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from hitl_mlops.decisions.decide import RECORDED_AT_ONCE
from hitl_mlops.decisions.table_file import TableFile, read_table
from hitl_mlops.errors import InputError
from tests.freeze_room import a_project, some_cases


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    with a_project(tmp_path_factory.mktemp("file")) as opened:
        yield opened


def saved(path, frame):
    frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_parquet(path, index=False)
    return path


@pytest.mark.parametrize("name", ["c.csv", "c.parquet"])
def test_a_file_is_decided_once_however_often_it_comes(project, tmp_path, name):
    first = 1_000 if name.endswith("csv") else 2_000
    file = saved(tmp_path / name, some_cases(first, 50))
    total = project.decide_file(file)
    assert (total.rows, total.decided, total.known, total.refused) == (50, 50, 0, 0)
    assert sum(total.routes.values()) == 50
    again = project.decide_file(file)
    assert (again.decided, again.known, again.routes) == (0, 50, total.routes)


def test_a_file_of_several_pieces_is_decided_as_one_table(project, tmp_path):
    count = RECORDED_AT_ONCE + 500
    frame = some_cases(100_000, count)
    frame.loc[7, "case_id"] = frame.loc[count - 1, "case_id"]
    frame.loc[11, "amount"] = np.nan
    seen, told = [], []
    total = project.decide_file(
        saved(tmp_path / "c.parquet", frame),
        keep=lambda recorded: told.extend(recorded.ids),
        progress=lambda done, rows: seen.append((done, rows)),
    )
    assert seen == [(RECORDED_AT_ONCE, count), (count, count)]
    assert [one.place for one in total.first_refused] == [8, 12, count]
    assert total.reasons == {"case_id stands more than once in the table": 2, "amount has no value": 1}
    assert total.decided == len(told) == count - 3
    assert project.verify_trail().sound


def test_pieces_that_were_decided_before_are_known_and_other_content_is_refused(project, tmp_path):
    count = RECORDED_AT_ONCE + 10
    frame = some_cases(500_000, count)
    project.decide(frame.iloc[[3, RECORDED_AT_ONCE + 2]])
    frame.loc[RECORDED_AT_ONCE + 2, "amount"] += 1
    total = project.decide_file(saved(tmp_path / "c.parquet", frame))
    assert (total.decided, total.known, total.refused) == (count - 2, 1, 1)
    assert total.first_refused[0].place == RECORDED_AT_ONCE + 3
    assert total.reasons == {"was decided already with other content": 1}
    assert project.verify_trail().sound


def test_with_strict_nothing_of_a_file_is_decided_where_a_later_piece_is_wrong(project, tmp_path):
    count = RECORDED_AT_ONCE + 5
    frame = some_cases(200_000, count)
    frame.loc[count - 1, "amount"] = np.nan
    before = len(list(project.parts.log.store.blocks()))
    with pytest.raises(InputError, match=f"the first is row {count}"):
        project.decide_file(saved(tmp_path / "c.parquet", frame), strict=True)
    assert len(list(project.parts.log.store.blocks())) == before


def test_pieces_are_the_table(tmp_path):
    frame = some_cases(0, 25)
    for path in (saved(tmp_path / "c.csv", frame), saved(tmp_path / "c.parquet", frame)):
        file = TableFile(path)
        pieces = list(file.pieces(10))
        assert [len(one) for one in pieces] == [10, 10, 5]
        assert file.rows == 25
        pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), read_table(path))
        assert list(next(file.pieces(10, ["branch", "none"]))) == ["branch"]


def test_a_parquet_file_that_is_none_is_told(tmp_path):
    broken = tmp_path / "c.parquet"
    broken.write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match="no whole Parquet"):
        TableFile(broken)
    with pytest.raises(InputError, match="cannot be read"):
        TableFile(tmp_path / "none.parquet")
    some_cases(0, 5).iloc[:0].to_parquet(tmp_path / "empty.parquet")
    with pytest.raises(InputError, match="no rows"):
        TableFile(tmp_path / "empty.parquet")


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_the_decisions_are_written_where_asked(project, tmp_path, suffix):
    from hitl_mlops.decisions.result_file import COLUMNS, result_file

    first = {".csv": 300_000, ".parquet": 310_000, ".jsonl": 320_000}[suffix]
    frame = some_cases(first, 30)
    frame.loc[0, "case_id"] = f"=cmd{suffix}"
    out = tmp_path / f"out{suffix}"
    with result_file(out) as write:
        project.decide_file(
            saved(tmp_path / "c.parquet", frame), keep=lambda recorded: write(recorded.decisions(), {})
        )
    rows = {
        ".csv": lambda: pd.read_csv(out).to_dict("records"),
        ".parquet": lambda: pq.read_table(out).to_pylist(),
        ".jsonl": lambda: [json.loads(line) for line in out.read_text().splitlines()],
    }[suffix]()
    assert [row["case_id"].lstrip("'") for row in rows] == frame["case_id"].tolist()
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["case_id"].startswith("'") == (suffix == ".csv")
    assert {row["status"] for row in rows} <= {"released", "with_people"}
    with pytest.raises(InputError, match="is there already"), result_file(out):
        pass


def test_a_file_that_could_not_be_finished_is_not_there(tmp_path):
    from hitl_mlops.decisions.result_file import result_file

    with pytest.raises(InputError, match="none of the formats"), result_file(tmp_path / "out.xlsx"):
        pass
    with pytest.raises(RuntimeError), result_file(tmp_path / "out.csv"):
        raise RuntimeError("in the middle")
    assert list(tmp_path.iterdir()) == []


def test_decisions_are_a_frame_with_a_row_for_each_case(project):
    frame = some_cases(400_000, 4)
    frame.loc[1, "amount"] = np.nan
    told = project.decide(frame).to_frame()
    assert told["case_id"].tolist() == frame["case_id"].tolist()
    assert told["status"].tolist()[1] == "refused"
    assert told["reasons"][1] == ["amount has no value"]
    assert set(told["status"].drop(1)) <= {"released", "with_people"}
    assert told.loc[0, "label"] in {"yes", "no"}


def test_what_was_foreseen_of_a_piece_does_not_hold_once_somebody_freezes(project, tmp_path):
    count, routes = RECORDED_AT_ONCE + 300, []

    def freeze_after_the_first(recorded):
        routes.append(recorded.blocks[0].by_route())
        if len(routes) == 1:  # the second piece is looked at already, or is being looked at
            project.freeze(reason="a test", by="ann")

    project.decide_file(
        saved(tmp_path / "c.parquet", some_cases(3_000_000, count)), keep=freeze_after_the_first
    )
    (switch,) = [one for one in project.switches() if one.is_on]
    project.unfreeze(switch.switch_id, reason="the test is over", by="bob")
    assert routes == [{"auto": RECORDED_AT_ONCE}, {"senior": 300}]
    assert project.verify_trail().sound
