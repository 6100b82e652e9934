"""What the demo shows, and what it keeps quiet."""

import io
import os
import subprocess
import sys

import pytest

from hitl_mlops.demo.narrator import Narrator, quiet


def test_a_step_is_one_line_that_says_what_it_came_to():
    screen = io.StringIO()
    narrator = Narrator.on(screen)
    with narrator.step("answers", "Reviewers answer") as step:
        step.now("Reviewers answer: 3 of 4")
        step.done("4 answers came in.")
    assert screen.getvalue().split("s  ", 1)[1] == "4 answers came in.\n"
    assert [(one.name, one.said) for one in narrator.steps] == [("answers", "4 answers came in.")]


def test_a_step_that_fails_says_where_it_stood_and_lets_the_error_through():
    screen = io.StringIO()
    narrator = Narrator.on(screen)
    with pytest.raises(ValueError, match="seven"), narrator.step("answers", "Reviewers answer"):
        raise ValueError("seven")
    assert "Reviewers answer … did not finish" in screen.getvalue()
    assert narrator.steps == []


def test_a_long_line_goes_on_below_its_own_beginning():
    screen = io.StringIO()
    Narrator.on(screen).line("word " * 60)
    first, second, *_ = screen.getvalue().splitlines()
    assert second.index("word") == first.index("word")
    assert max(len(one) for one in screen.getvalue().splitlines()) <= 110


def test_text_is_never_read_as_markup():
    screen = io.StringIO()
    Narrator.on(screen).line("[bold]7[/bold]")
    assert "[bold]7[/bold]" in screen.getvalue()


def test_what_libraries_and_programs_write_goes_to_the_log(tmp_path):
    told = """
import os, subprocess, sys, warnings
from pathlib import Path
from hitl_mlops.demo.narrator import quiet
with quiet(Path(sys.argv[1])) as screen:
    print("a library prints")
    os.write(2, b"C code writes\\n")
    subprocess.run(["echo", "a program writes"])
    screen.write("the story\\n")
print("afterwards")
"""
    log = tmp_path / "logs" / "demo.log"
    done = subprocess.run(
        [sys.executable, "-c", told, str(log)], capture_output=True, text=True, env=os.environ, check=True
    )
    assert (done.stdout, done.stderr) == ("the story\nafterwards\n", "")
    assert all(word in log.read_text() for word in ("a library prints", "C code writes", "a program writes"))


def test_quiet_gives_the_output_back_after_an_error(tmp_path, capfd):
    with pytest.raises(ValueError, match="x"), quiet(tmp_path / "log"):
        raise ValueError("x")
    os.write(1, b"heard again\n")
    assert "heard again" in capfd.readouterr().out
