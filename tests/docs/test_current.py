"""What is made or run: reference pages, notebooks, doctests, the code of pages."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import hitl_mlops
from docs import generate
from hitl_mlops.training.artifact import SKOPS_FILE, Trust, pack
from hitl_mlops.training.fit import fit
from hitl_mlops.training.recipe import Recipe
from tests.audit_room import SIGNER, STRANGER, a_sql_trail, an_event
from tests.docs.pages import NOTEBOOKS, ROOT, blocks
from tests.training_builders import DATASET, a_table, a_table_task, every_fifth

MODULES = [
    one.name
    for one in pkgutil.walk_packages(hitl_mlops.__path__, "hitl_mlops.")
    if ".migrations.env" not in one.name
]


@pytest.mark.parametrize("name", generate.PAGES)
def test_a_made_page_is_what_the_source_says(name: str) -> None:
    page = (generate.REFERENCE / name).read_text(encoding="utf-8")

    assert page == generate.PAGES[name](), "run: .venv/bin/python docs/generate.py"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs(notebook: Path) -> None:
    # In a process of its own: the kernel's client warns of its own future, and warnings are errors here.
    program = (
        "import sys, nbformat, nbclient\n"
        "notebook = nbformat.read(sys.argv[1], 4)\n"
        "nbclient.NotebookClient(notebook, timeout=120, kernel_name='python3').execute()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(notebook)],
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
        env={**os.environ, "MPLBACKEND": "agg"},
    )

    assert done.returncode == 0, done.stderr[-3000:]


def test_notebooks_are_numbered_from_one_and_kept_without_output() -> None:
    assert [path.name[:2] for path in NOTEBOOKS] == [
        f"{number:02}" for number in range(1, len(NOTEBOOKS) + 1)
    ]
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        assert cells[0].cell_type == "markdown"
        assert "Conclusion" in cells[-1].source
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_hold(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)

    assert found.failed == 0


@pytest.fixture
def auditor(tmp_path: Path) -> list[str]:
    """The program of the page, and what an auditor was given, as a command line."""
    opened = a_sql_trail(f"sqlite:///{tmp_path}/hitl.db", tmp_path)
    for number in range(11):
        opened.trail.append([an_event(facts={"n": number})])
    opened.trail.seal()
    opened.trail.append([an_event(facts={"n": 11})])
    (tmp_path / "trail.pub").write_text(SIGNER.verifier.text() + "\n")
    program = tmp_path / "verify_trail.py"
    program.write_text(blocks(ROOT / "docs" / "how-to" / "verify-elsewhere.md", "python")[0].text)
    return [sys.executable, *(str(tmp_path / name) for name in (program.name, *GIVEN))]


GIVEN = ("hitl.db", "checkpoints.txt", "trail.pub")
HARMS = (
    """UPDATE trail_entries SET body = CAST(replace(body, '"n":3', '"n":4') AS BLOB) WHERE sequence = 3""",
    "DELETE FROM trail_entries WHERE sequence = 3",
    "DELETE FROM trail_entries WHERE sequence > 5",
)


def test_the_auditors_program_accepts_an_honest_trail(auditor: list[str]) -> None:
    done = subprocess.run(auditor, check=False, capture_output=True, text=True)

    assert done.stdout == "12 entries, 11 of them sealed: as signed.\n", done.stderr


@pytest.mark.parametrize("harm", HARMS)
def test_the_auditors_program_finds_what_was_changed(auditor: list[str], harm: str) -> None:
    with sqlite3.connect(auditor[2]) as connection:
        connection.execute(harm)
    connection.close()

    assert subprocess.run(auditor, check=False, capture_output=True).returncode == 1


def test_the_auditors_program_refuses_another_key(auditor: list[str]) -> None:
    Path(auditor[4]).write_text(STRANGER.verifier.text() + "\n")

    assert subprocess.run(auditor, check=False, capture_output=True).returncode == 1


def test_the_digest_made_by_hand_is_ours() -> None:
    page = blocks(ROOT / "docs" / "reference" / "dataset-digest.md", "python")

    for block in page:
        exec(compile(block.text, str(block), "exec"), {})  # noqa: S102 - a page of ours

    assert len(page) == 1


def test_the_estimator_of_the_page_learns_and_can_be_stored(tmp_path: Path) -> None:
    code = blocks(ROOT / "docs" / "how-to" / "own-estimator.md", "python")[0].text
    (tmp_path / "our_model_of_the_page.py").write_text(code)
    recipe = Recipe("our_model_of_the_page:build", folder=tmp_path)

    rows = a_table()[["amount", "label"]]
    fitted = fit(
        rows,
        a_table_task(inputs=("amount",)),
        recipe,
        held_back=every_fifth(rows),
        dataset_digest=DATASET,
        dataset_number=1,
    )

    assert SKOPS_FILE in pack(fitted, Trust(folder=tmp_path))
