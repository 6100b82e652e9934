from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hitl_mlops.servers import environment

ASK = """
from hitl_mlops.errors import HitlError
from hitl_mlops.servers import environment
try:
    print(environment.find())
except HitlError as exc:
    print(type(exc).__name__, exc)
"""


def find(**variables):
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_environment_named_by_the_variable_is_taken(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "label-studio").touch()
    assert find(**{environment.VARIABLE: str(tmp_path)}) == str(tmp_path.resolve())


def test_a_variable_that_names_no_label_studio_is_told(tmp_path):
    said = find(**{environment.VARIABLE: str(tmp_path)})
    assert said.startswith("ConfigurationError")
    assert "holds no bin/label-studio" in said


def test_the_lock_of_label_studio_is_at_hand_and_has_hashes():
    text = environment.lock_file().read_text()
    assert "\nlabel-studio==" in text
    assert "--hash=sha256:" in text


def test_the_environment_found_holds_label_studio():
    found = environment.find()
    assert found is not None
    assert (Path(found) / "bin" / "label-studio").exists()
