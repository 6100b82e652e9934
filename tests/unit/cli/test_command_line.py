"""What holds of every command: help, JSON alone on standard output, exit codes, quiet failures."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from hitl_mlops.cli import output
from hitl_mlops.cli.main import BUG, NOBODY_READS, STOPPED, app, run
from hitl_mlops.cli.sections import SECTIONS
from hitl_mlops.errors import HitlError, IntegrityError, RefusedError, ServiceDownError

HEAVY = (
    "pandas",
    "mlflow",
    "prefect",
    "sklearn",
    "sqlalchemy",
    "pyarrow",
    "numpy",
    "rich",
    "pydantic",
    "httpx",
)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", list(ALL), ids=" ".join)
def test_every_command_has_help_with_an_example_and_json(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*path, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"  hitl {' '.join(path)}" in shown.partition("Examples:")[2]
    assert "--json" in shown


@pytest.mark.parametrize("path", list(ALL), ids=" ".join)
def test_the_first_sentence_of_every_help_fits_its_line(path: tuple[str, ...]) -> None:
    about = ALL[path].get_short_help_str(64)
    assert not about.endswith("...")


def test_the_first_page_has_every_command_under_a_heading(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert [line for line in shown.splitlines() if line in {f"{name}:" for name in SECTIONS}]
    assert "More:" not in shown
    assert all(f"\n  {name} " in shown for names in SECTIONS.values() for name in names)


def test_the_version_is_printed_and_nothing_else_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("hitl 0.")


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    probe = f"import sys, hitl_mlops.cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "words", [["frobnicate"], ["decide"], ["dataset", "diff"], ["train", "--nothing"], ["approve"]]
)
def test_wrong_words_end_with_2_and_are_json_where_asked(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    assert "Error:" in capsys.readouterr().err
    assert run([*words, "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["error"], told["exit_code"]) == ("UsageError", 2)
    assert told["remedy"].endswith("--help")


@pytest.mark.parametrize(
    "words",
    [
        ["approve", "7"],
        ["rollout", "abort"],
        ["quarantine", "release", "labelstudio:1/2"],
        ["quarantine", "drop", "an answer"],
        ["freeze", "--scope", "branch=north"],
        ["unfreeze", "s1"],
    ],
    ids=" ".join,
)
def test_a_reason_left_out_is_asked_for_with_the_whole_command(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    shown = capsys.readouterr().err
    assert "needs a reason: it is kept in the trail, with who gave it." in shown
    assert f'Type: hitl {shlex.join(words)} --reason "why, in your words"' in shown
    assert run([*words, "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["error"], told["exit_code"]) == ("UsageError", 2)
    assert "--json" not in told["remedy"]


def test_without_words_the_help_is_shown_with_the_code_of_wrong_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([]) == 2
    assert "Usage: hitl" in capsys.readouterr().err


@pytest.fixture
def failing() -> Iterator[list[BaseException]]:
    """A command `fail` that raises what is put into the list."""
    raised: list[BaseException] = []

    def fail(as_json: output.JsonOption = False) -> None:
        """Fail."""
        print("a library's own words")  # noqa: T201 - what must not reach standard output
        raise raised[0]

    output.add_command(app, "fail", fail)
    yield raised
    app.registered_commands.pop()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RefusedError("The gate failed.", remedy="Look at it."), 1),
        (IntegrityError("Bytes differ."), 1),
        (ServiceDownError("Nobody answers.", remedy="hitl up", server="mlflow"), 3),
        (HitlError("Odd."), 1),
    ],
)
def test_errors_of_ours_are_fact_and_remedy_with_their_code(
    failing: list[BaseException], error: HitlError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(error)
    assert run(["fail"]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert error.fact in shown.err
    assert run(["fail", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert (told["fact"], told["remedy"], told["exit_code"]) == (error.fact, error.remedy, code)
    assert told["data"] == error.data


def test_an_error_nobody_foresaw_is_one_line_and_a_traceback_in_the_project(
    failing: list[BaseException], tmp_path: Path, capsys: pytest.CaptureFixture[str], in_folder: Any
) -> None:
    failing.append(ZeroDivisionError("division by zero\nsecond line"))
    (tmp_path / ".hitl").mkdir()
    in_folder(tmp_path)
    assert run(["fail"]) == BUG
    shown = capsys.readouterr().err
    assert "Traceback" not in shown
    assert "ZeroDivisionError: division by zero" in shown
    (log,) = (tmp_path / ".hitl" / "logs").glob("bug-*.log")
    assert str(log) in shown
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


def test_a_bug_is_json_where_asked(failing: list[BaseException], capsys: pytest.CaptureFixture[str]) -> None:
    failing.append(KeyError("x"))
    assert run(["fail", "--json"]) == BUG
    told = json.loads(capsys.readouterr().out)
    assert (told["error"], told["exit_code"]) == ("Bug", BUG)
    Path(told["remedy"].partition("traceback is in ")[2].partition(".log")[0] + ".log").unlink()


def test_ctrl_c_is_one_word_and_130(failing: list[BaseException], capsys: pytest.CaptureFixture[str]) -> None:
    failing.append(KeyboardInterrupt())
    assert run(["fail"]) == STOPPED
    assert capsys.readouterr().err.count("Stopped.") == 1


@pytest.mark.parametrize("words", ["--help", "doctor", "doctor --json"])
def test_a_reader_who_goes_away_is_no_error_and_no_refusal(tmp_path: Path, words: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", "from hitl_mlops.cli.main import main; main()", *words.split()],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (NOBODY_READS, "")


def test_figures_that_are_no_numbers_become_null_and_pairs_become_words() -> None:
    told = json.loads(output.json_line({"e": float("inf"), ("a", "b"): {1}, "path": Path("x")}))
    assert told == {"e": None, "a → b": [1], "path": "x"}
