"""Files of cases: what reads, and what is refused with file, line and remedy."""

import codecs
import subprocess
import sys

import pandas as pd
import pytest

from hitl_mlops.decisions.table_file import read_table
from hitl_mlops.errors import InputError


@pytest.fixture
def written(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def test_csv_columns_become_numbers_only_where_every_value_is_one(written):
    frame = read_table(
        written("a.csv", "n,f,b,t,code,mixed,gap\n1,1.5,true,x,007,1,\n-2,NaN,false,NA,012,two,\n")
    )
    assert frame["n"].tolist() == [1, -2]
    assert frame["f"].isna().tolist() == [False, True]
    assert frame["b"].tolist() == [True, False]
    assert frame["t"].tolist() == ["x", "NA"]
    assert frame["code"].tolist() == ["007", "012"]
    assert frame["mixed"].tolist() == ["1", "two"]
    assert frame["gap"].isna().all()


def test_long_numbers_and_times_stay_text(written):
    frame = read_table(written("a.csv", "id,at\n90071992547409931,2026-01-01 10:00\n1,2026-01-02 10:00\n"))
    assert frame["id"].tolist() == ["90071992547409931", "1"]
    assert frame["at"].tolist() == ["2026-01-01 10:00", "2026-01-02 10:00"]


def test_quotes_hold_commas_newlines_and_inch_marks(written):
    frame = read_table(written("a.csv", 'a,b\n"x, y\nz",5" pipe\n'))
    assert frame.iloc[0].tolist() == ["x, y\nz", '5" pipe']


def test_a_byte_order_mark_is_no_part_of_the_first_name(written):
    for name in ("a.csv", "a.jsonl"):
        content = "a,b\n1,2\n" if name.endswith("csv") else '{"a": 1, "b": 2}\n'
        assert list(read_table(written(name, codecs.BOM_UTF8 + content.encode())).columns) == ["a", "b"]


def test_parquet_and_json_lines_give_the_same_table(written, tmp_path):
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    frame.to_parquet(tmp_path / "a.parquet")
    lines = read_table(written("a.jsonl", '{"a": 1, "b": "x"}\n\n{"b": "y", "a": 2}\n'))
    assert read_table(tmp_path / "a.parquet").to_dict() == lines.to_dict() == frame.to_dict()


def test_what_looks_like_a_formula_is_text(written):
    assert read_table(written("a.csv", "t\n=1+1\n")).iloc[0, 0] == "=1+1"


REFUSED = [
    ("a.csv", b"", "is empty"),
    ("a.csv", b" \n\n", "is empty"),
    ("a.csv", b"a,b\n", "has no rows"),
    ("a.csv", b"a,b,c\n1,2,3\n4,5", "line 3: 2 fields where the first line names 3"),
    ("a.csv", b"a,b\n1,2\n1,2,3\n", "line 3: 3 fields"),
    ("a.csv", b'a,b\n1,"x\n2,y\n', "line 2: a quote is opened and never closed"),
    ("a.csv", b"a,a\n1,2\n", "column 'a' is there twice"),
    ("a.csv", b"a,\n1,2\n", "a column has no name"),
    ("a.csv", b"a;b\n1;2\n", "separated by ';'"),
    ("a.csv", "a\nok\ngrün\n".encode("latin-1"), "line 3: these bytes are not UTF-8"),
    ("a.csv", "a,b\n1,2\n".encode("utf-16"), "UTF-16"),
    ("a.jsonl", b'{"a": 1}\n{"a": 2', "line 2: this is not JSON"),
    ("a.jsonl", b"[1, 2]\n", "line 1: this is no JSON object"),
    ("a.jsonl", b'{"a": 1, "a": 2}\n', "line 1: a key is there twice"),
    ("a.jsonl", b'{"a": ' + b"[" * 100_000 + b"}\n", "line 1"),
    ("a.jsonl", b'{"a": ' + b"9" * 10_000 + b"}\n", "line 1: a value is too deep or too long"),
    ("a.parquet", b"PAR1 half of it", "no whole Parquet file"),
    ("a.xlsx", b"PK", "none of the formats"),
]


@pytest.mark.parametrize(("name", "content", "fact"), REFUSED, ids=[each[2] for each in REFUSED])
def test_a_file_that_cannot_be_used_is_told_in_plain_words(written, name, content, fact):
    path = written(name, content)
    with pytest.raises(InputError) as told:
        read_table(path)
    assert fact in told.value.fact
    assert str(path) in told.value.fact
    assert told.value.remedy


def test_a_parquet_file_cut_off_anywhere_is_refused(tmp_path, written):
    pd.DataFrame({"a": range(100)}).to_parquet(tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()
    for share in (0.1, 0.5, 0.99):
        with pytest.raises(InputError, match="half-written"):
            read_table(written("cut.parquet", whole[: int(len(whole) * share)]))


def test_a_file_that_is_not_there_or_a_folder_is_told_so(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for name in ("none.csv", "folder.csv"):
        with pytest.raises(InputError, match="cannot be read"):
            read_table(tmp_path / name)


A_BOMB = """
import resource, sys
import pyarrow as pa, pyarrow.parquet as pq
from hitl_mlops.decisions.table_file import TableFile
from hitl_mlops.errors import InputError
said = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), pa.array(["x" * 400_000]))
pq.write_table(pa.table({"said": said}), sys.argv[1], store_schema=False)
resource.setrlimit(resource.RLIMIT_AS, (3_000_000_000, 3_000_000_000))
try:
    next(TableFile(sys.argv[1]).pieces(20_000))
except InputError as error:
    print(error)
"""


def test_a_parquet_bomb_is_told_where_memory_ends(tmp_path):
    file = tmp_path / "bomb.parquet"
    done = subprocess.run(
        [sys.executable, "-c", A_BOMB, str(file)], capture_output=True, text=True, check=True, timeout=60
    )
    assert file.stat().st_size < 1_000_000
    assert "do not fit into memory. Shorten its texts." in done.stdout
