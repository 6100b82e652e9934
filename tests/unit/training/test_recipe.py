from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import ConfigurationError, InputError
from hitl_mlops.training.columns import column_types
from hitl_mlops.training.fit import fit
from hitl_mlops.training.recipe import Recipe, build_estimator
from tests.training_builders import a_table, a_table_task, a_text_task, every_fifth, some_texts

OWN = """
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

def text():
    return make_pipeline(TfidfVectorizer(), LogisticRegression())

def broken():
    raise RuntimeError("no such weights")

def a_class():
    return GaussianNB

def a_number():
    return 7
"""


def own(folder: Path, function: str, module: str) -> Recipe:
    (folder / f"{module}.py").write_text(OWN)
    return Recipe(f"{module}:{function}", folder)


def test_an_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"linear, boosting or package\.module:function"):
        build_estimator(Recipe("magic"), a_table_task(), [])


def test_an_own_text_estimator_gets_strings(tmp_path: Path) -> None:
    recipe, frame = own(tmp_path, "text", "own_text"), some_texts()
    held = every_fifth(frame)
    fitted = fit(frame, a_text_task(), recipe, held_back=held, dataset_digest="d", dataset_number=1)
    assert fitted.metrics["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("broken", "raised RuntimeError: no such weights"),
        ("a_class", "gave the class GaussianNB"),
        ("a_number", "gave 'int'"),
        ("absent", "has no function 'absent'"),
    ],
)
def test_a_function_that_gives_no_estimator_is_told(tmp_path: Path, function: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        build_estimator(own(tmp_path, function, "own_broken"), a_table_task(), [])


def test_a_module_that_is_absent_is_told_with_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be imported"):
        Recipe("nowhere_to_be_found:build", tmp_path).fingerprint()


def test_the_fingerprint_follows_seed_and_source(tmp_path: Path) -> None:
    assert Recipe().fingerprint() == Recipe().fingerprint()
    assert Recipe().fingerprint() != Recipe(seed=1).fingerprint()
    recipe = own(tmp_path, "text", "own_source")
    before = recipe.fingerprint()
    (tmp_path / "own_source.py").write_text(OWN + "\nSTRENGTH = 2\n")
    assert recipe.fingerprint() != before


def test_a_table_without_a_useful_column_is_refused_with_reasons() -> None:
    frame = pd.DataFrame({"a": [None, None], "b": [1, 1]})
    task = a_table_task(inputs=("a", "b"))
    with pytest.raises(InputError, match="a: always empty; b: always 1"):
        build_estimator(Recipe(), task, column_types(frame, task.inputs))


def test_a_column_of_image_files_is_refused_with_the_way_out() -> None:
    frame = pd.DataFrame({"file": ["a.png", "b.png"]})
    task = Task("cheques", InputKind.IMAGE, ("file",), ("0", "1"))
    with pytest.raises(InputError, match="pixel columns") as caught:
        build_estimator(Recipe(), task, column_types(frame, task.inputs))
    assert "package.module:function" in caught.value.remedy


@pytest.mark.parametrize("name", ["linear", "boosting"])
def test_training_twice_gives_the_same_probabilities(name: str) -> None:
    frame = a_table()
    held = every_fifth(frame)
    first, second = (
        fit(frame, a_table_task(), Recipe(name), held_back=held, dataset_digest="d", dataset_number=1)
        for _ in range(2)
    )
    given = frame[list(a_table_task().inputs)]
    np.testing.assert_array_equal(first.estimator.predict_proba(given), second.estimator.predict_proba(given))


def test_boosting_refuses_more_classes_than_it_can_learn_soon() -> None:
    task = a_text_task(classes=tuple(str(at) for at in range(21)))
    with pytest.raises(InputError, match="too slow for 21 classes of text; it takes up to 20"):
        build_estimator(Recipe("boosting"), task, [])
