"""Files that cannot be used as they are: each is told with its place, and nothing of it is decided."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.bad_input.conftest import Refusal, loans, new_cases
from tests.loop_room import Loop

pytestmark = pytest.mark.real


def test_a_missing_column_is_named(loop: Loop, refused: Refusal, tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    new_cases().drop(columns="years").to_csv(file, index=False)
    assert "years" in refused(loop, "decide", file, code=2, error="InputError")


@pytest.mark.parametrize("name", ["new.csv", "new.jsonl", "new.parquet"])
def test_an_empty_file_is_told(loop: Loop, refused: Refusal, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.touch()
    assert "is empty" in refused(loop, "decide", file, code=2, error="InputError")


def test_a_file_with_a_head_and_no_rows_is_told(loop: Loop, refused: Refusal, tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    new_cases().head(0).to_csv(file, index=False)
    assert "no rows" in refused(loop, "decide", file, code=2, error="InputError")


def test_a_file_that_is_not_there_is_told(loop: Loop, refused: Refusal, tmp_path: Path) -> None:
    assert "nowhere.csv" in refused(loop, "decide", tmp_path / "nowhere.csv", code=2, error="InputError")


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_half_written_file_is_not_decided_in_part(
    loop: Loop, refused: Refusal, tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"new.{suffix}"
    cases = new_cases()
    if suffix == "csv":
        cases.to_csv(file, index=False)
    elif suffix == "jsonl":
        cases.to_json(file, orient="records", lines=True)
    else:
        cases.to_parquet(file)
    whole = file.read_bytes()
    file.write_bytes(whole[: whole.rindex(b"c1030") + 3] if suffix != "parquet" else whole[: len(whole) // 2])
    assert str(file) in refused(loop, "decide", file, code=2, error="InputError")
    file.write_bytes(whole)
    assert len(loop.done("decide", file)["decisions"]) == len(cases)


def test_rows_without_a_number_are_refused_and_the_others_decided(loop: Loop, tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    cases = new_cases()
    cases.loc[[3, 5], "amount"] = np.nan
    cases.to_csv(file, index=False)
    decided = loop.done("decide", file)
    assert len(decided["decisions"]) == len(cases) - 2
    assert [one["place"] for one in decided["refused"]] == [4, 6]
    assert all("amount" in one["reasons"][0] for one in decided["refused"])
    assert loop.done("audit", "verify")["trail"]["problems"] == []


def test_with_strict_a_row_without_a_number_refuses_the_file(
    loop: Loop, refused: Refusal, tmp_path: Path
) -> None:
    file = tmp_path / "new.csv"
    cases = new_cases()
    cases.loc[3, "amount"] = np.nan
    cases.to_csv(file, index=False)
    assert "row 4" in refused(loop, "decide", file, "--strict", code=2, error="InputError")


def test_an_id_that_stands_twice_decides_none_of_its_rows(loop: Loop, tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    cases = new_cases()
    cases.loc[7, "case_id"] = cases.loc[2, "case_id"]
    cases.to_csv(file, index=False)
    decided = loop.done("decide", file)
    assert [one["place"] for one in decided["refused"]] == [3, 8]
    assert "more than once" in decided["refused"][0]["reasons"][0]
    assert len({one["case_id"] for one in decided["decisions"]}) == len(cases) - 2


def test_an_id_that_was_decided_with_other_content_is_not_decided_again(loop: Loop, tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    cases = new_cases()
    cases.to_csv(file, index=False)
    loop.done("decide", file)
    cases.loc[0, "amount"] += 1.0
    cases.to_csv(file, index=False)
    again = loop.done("decide", file)
    assert (again["known"], [one["place"] for one in again["refused"]]) == (len(cases) - 1, [1])
    assert loop.state()["decisions"] == len(cases)


def test_an_unknown_class_in_the_base_data_makes_no_dataset(loop: Loop, refused: Refusal) -> None:
    before = loop.done("dataset", "show")["digest"]
    base = loans(0, 150)
    base.loc[9, "label"] = "perhaps"
    base.to_csv(loop.folder / "data" / "base.csv", index=False)
    for kept in (loop.folder / ".hitl").glob("datasets"):
        kept.rename(kept.with_name("set-aside"))
    fact = refused(loop, "dataset", "build", code=2, error="InputError")
    assert "perhaps" in fact
    (loop.folder / ".hitl" / "set-aside").rename(loop.folder / ".hitl" / "datasets")
    assert loop.done("dataset", "show")["digest"] == before
