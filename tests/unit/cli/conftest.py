"""Projects in temporary folders, and the folder that a command is run in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from hitl_mlops.cli.main import run


@pytest.fixture
def in_folder() -> Iterator[Callable[[Path], None]]:
    """Goes into a folder, and back afterwards."""
    with contextlib.ExitStack() as stack:
        yield lambda folder: stack.enter_context(contextlib.chdir(folder))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A table of 80 rows with a label."""
    rows = range(80)
    frame = pd.DataFrame(
        {
            "case_id": [f"c{row}" for row in rows],
            "x": [row * 7 % 13 for row in rows],
            "label": ["yes" if row * 5 % 11 > 4 else "no" for row in rows],
        }
    )
    path = tmp_path / "cases.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def project(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A project made by `hitl init`, with no server running."""
    folder = tmp_path / "project"
    assert run(["init", "--data", str(data), str(folder)]) == 0
    capsys.readouterr()
    return folder
