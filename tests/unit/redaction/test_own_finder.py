"""A finder of the user's own is asked beside ours, and shows nothing where it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.redaction.finding import Finding
from hitl_mlops.redaction.masking import Masking
from hitl_mlops.redaction.own_finder import OwnFinder
from hitl_mlops.redaction.presidio import names_presidio, presidio_function
from hitl_mlops.settings import read_settings
from hitl_mlops.wiring import Parts


def broken(_text: str) -> Any:
    raise OSError


@pytest.mark.parametrize("function", [broken, lambda _: [(1, 2)], lambda _: [("a", 2, "x")], lambda _: None])
def test_a_text_that_it_cannot_tell_of_is_not_shown(function: Callable[[str], Any]) -> None:
    assert Masking(beside=OwnFinder(function)).text("Ann is here") == "[masked]"


def test_what_lies_outside_the_text_is_cut_off() -> None:
    finder = OwnFinder(lambda _: [(-5, 3, "PERSON name"), (8, 99, "!"), (4, 4, "x")])
    assert finder.find("Ann saw it") == [Finding(0, 3, "person-name"), Finding(8, 10, "masked")]


def test_it_finds_where_no_type_of_ours_is_masked() -> None:
    masking = Masking(types=frozenset(), beside=OwnFinder(lambda _: [(0, 3, "name")]))
    assert masking.text("Ann has ann@example.org") == "[name] has ann@example.org"


@pytest.mark.parametrize(
    ("address", "told"),
    [("string:gone", "no function 'gone'"), ("nowhere:find", "cannot be imported"), ("find", "not package")],
)
def test_one_that_cannot_be_loaded_is_told(tmp_path: Path, address: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as raised:
        project(tmp_path, address).task  # noqa: B018 - asked for its effect
    assert "review.mask_with" in raised.value.fact


def test_one_beside_the_project_file_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "finder.py").write_text("def find(text):\n    return [(0, 3, 'name')]\n")
    task = project(tmp_path, "finder:find").task
    assert task.masking.text("Ann, ann@example.org") == "[name], [e-mail]"


def test_presidio_that_is_not_there_is_told_with_what_to_do() -> None:
    assert names_presidio("presidio")
    assert names_presidio("presidio:en_core_web_sm")
    assert not names_presidio("presidio_of_ours:find")
    with pytest.raises(ConfigurationError) as raised:
        presidio_function("presidio:no_such_model")
    assert "install" in raised.value.remedy or "spacy download" in raised.value.remedy


def project(folder: Path, address: str) -> Parts:
    pd.DataFrame({"x": ["a", "b"], "label": ["yes", "no"]}).to_csv(folder / "b.csv", index=False)
    (folder / "policy.yaml").write_text(
        'routes:\n  auto: {confidence: ">= 0.9"}\n  senior: {confidence: "< 0.9"}\n'
    )
    (folder / "hitl.yaml").write_text(
        "project: p\ntask: {kind: text, inputs: x}\nmodel: {name: m, base: b.csv}\n"
        f"review: {{mask_with: '{address}'}}\n"
    )
    return Parts(read_settings(folder))
