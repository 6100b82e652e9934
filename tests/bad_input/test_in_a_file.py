"""Bad input in a file of cases: told with its row or line, and nothing that was refused is decided."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hitl_mlops.errors import InputError
from tests.bad_input.cells import CELLS, BadCell, End
from tests.bad_input.room import ANSWERS_WITHIN_S, good_case, spelled, state
from tests.bad_input.tally import TALLY
from tests.bad_input.wholes import WHOLES, BadWhole, given
from tests.fail_closed.room import took
from tests.gateway_room import Application

SUFFIXES = (".csv", ".jsonl", ".parquet")
WRITTEN = [
    pytest.param(cell, suffix, id=f"{cell.name}{suffix}")
    for cell in CELLS
    for suffix in SUFFIXES
    if cell.at_file(suffix) is not End.NONE
]
STORED = [
    pytest.param(whole, suffix, id=f"{whole.name}{suffix}") for whole in WHOLES for suffix in whole.files
]


def write(file: Path, cell: BadCell, first: int) -> Path:
    """A file with a good row and a bad one; Parquet, whose columns have one type, has the bad one alone."""
    good, bad = good_case(first), good_case(first + 500, **{cell.column: cell.value})
    if file.suffix == ".csv":
        text = io.StringIO()
        rows = csv.DictWriter(text, list(good))
        rows.writeheader()
        rows.writerows([good, bad])
        file.write_bytes(text.getvalue().encode("utf-8", "surrogatepass"))
    elif file.suffix == ".jsonl":
        lines = [spelled(good), spelled(bad, **{cell.column: cell.in_json()})]
        file.write_text("\n".join(lines) + "\n")
    else:
        pq.write_table(pa.Table.from_pylist([bad]), file)
    return file


@pytest.mark.parametrize(("cell", "suffix"), WRITTEN)
def test_a_bad_value_in_a_file_is_told(
    service: Application, tmp_path: Path, cell: BadCell, suffix: str
) -> None:
    first = 10_000 + 1_000 * SUFFIXES.index(suffix) + CELLS.index(cell)
    file, project = write(tmp_path / f"new{suffix}", cell.numbered(first), first), service.project
    before, end = state(project), cell.at_file(suffix)
    TALLY.count("file", cell.name)
    if end is End.WHOLE:
        with pytest.raises(InputError) as told:
            project.decide_file(file)
        assert f"{file}, line" in told.value.fact
        assert told.value.remedy
        assert state(project) == before
        return
    if end is End.ROW:
        with pytest.raises(InputError) as told:
            project.decide_file(file, strict=True)
        assert told.value.remedy
        assert state(project) == before
    total, seconds = took(lambda: project.decide_file(file))
    assert seconds < ANSWERS_WITHIN_S
    assert total.refused == (end is End.ROW)
    assert total.decided == total.rows - total.refused
    assert all(cell.column in reason for reason in total.reasons)


@pytest.mark.parametrize(("whole", "suffix"), STORED)
def test_a_bad_file_is_told_soon_and_changes_nothing(
    service: Application, tmp_path: Path, whole: BadWhole, suffix: str
) -> None:
    file, project = tmp_path / f"new{suffix}", service.project
    file.write_bytes(given(whole.files[suffix]))
    before = state(project)

    def decide() -> InputError:
        with pytest.raises(InputError) as told:
            project.decide_file(file)
        return told.value

    told, seconds = took(decide)
    TALLY.count("file", whole.name)
    assert seconds < ANSWERS_WITHIN_S
    assert told.fact
    assert told.remedy
    assert len(str(told)) < 1_000
    assert state(project) == before
