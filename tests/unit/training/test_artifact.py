from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hitl_mlops.errors import ConfigurationError, IntegrityError
from hitl_mlops.training.artifact import CARD_FILE, PICKLE_FILE, SKOPS_FILE, Trust, pack, tree_digest, unpack
from hitl_mlops.training.cache import ModelCache
from hitl_mlops.training.columns import column_types
from hitl_mlops.training.recipe import Recipe, build_estimator
from tests.training_builders import a_fitted_model, a_table, a_table_task

OWN = """
from sklearn.linear_model import LogisticRegression

class Stubborn(LogisticRegression):
    pass
"""


def own_model(folder: Path, module: str) -> object:
    (folder / f"{module}.py").write_text(OWN + "\n\ndef build():\n    return Stubborn()\n")
    task = a_table_task(inputs=("amount",))
    recipe = Recipe(f"{module}:build", folder)
    frame = a_table().fillna({"amount": 0.0})
    estimator = build_estimator(recipe, task, column_types(frame, task.inputs))
    return estimator.fit(frame[["amount"]], frame["label"].to_numpy(dtype=str))


@pytest.mark.parametrize("recipe", ["linear", "boosting"])
def test_a_ready_recipe_comes_back_the_same_under_our_trust(recipe: str) -> None:
    fitted = a_fitted_model(Recipe(recipe))
    files = pack(fitted, Trust())
    model = unpack(files, version="3", expected=tree_digest(files), trust=Trust())
    inputs = a_table()
    np.testing.assert_array_equal(
        model.probabilities(inputs), fitted.estimator.predict_proba(inputs[list(fitted.inputs)])
    )
    assert (model.classes, model.inputs, model.version) == (fitted.classes, fitted.inputs, "3")


@pytest.mark.parametrize("name", [SKOPS_FILE, CARD_FILE])
def test_one_changed_bit_is_refused_before_anything_is_read(name: str) -> None:
    files = pack(a_fitted_model(), Trust())
    digest = tree_digest(files)
    files[name] = bytes([files[name][0] ^ 1]) + files[name][1:]
    with pytest.raises(IntegrityError, match="have changed") as caught:
        unpack(files, version="3", expected=digest, trust=Trust())
    assert caught.value.data["expected"] == digest


def test_a_file_more_is_a_change_too() -> None:
    files = pack(a_fitted_model(), Trust())
    with pytest.raises(IntegrityError):
        unpack({**files, "more": b""}, version="3", expected=tree_digest(files), trust=Trust())


def test_files_that_are_no_model_of_ours_are_told() -> None:
    files = {"weights.bin": b"1"}
    with pytest.raises(IntegrityError, match=r"weights\.bin"):
        unpack(files, version="3", expected=tree_digest(files), trust=Trust())


def test_an_untrusted_type_is_named_with_the_line_that_trusts_it(tmp_path: Path) -> None:
    fitted = a_fitted_model(estimator=own_model(tmp_path, "own_stubborn"))
    with pytest.raises(ConfigurationError, match=r"own_stubborn\.Stubborn") as caught:
        pack(fitted, Trust(folder=tmp_path))
    assert "model.trust_types: [own_stubborn.Stubborn]" in caught.value.remedy


def test_a_trusted_type_of_the_project_is_saved_and_read_without_pickle(tmp_path: Path) -> None:
    trust = Trust(types=("own_trusted.Stubborn",), folder=tmp_path)
    fitted = a_fitted_model(estimator=own_model(tmp_path, "own_trusted"), inputs=("amount",))
    files = pack(fitted, trust)
    assert PICKLE_FILE not in files
    assert unpack(files, version="3", expected=tree_digest(files), trust=trust).classes == fitted.classes
    with pytest.raises(ConfigurationError, match="Model 3 holds types that are not trusted"):
        unpack(files, version="3", expected=tree_digest(files), trust=Trust(folder=tmp_path))


def test_pickle_is_written_and_read_only_where_it_is_trusted(tmp_path: Path) -> None:
    trust = Trust(pickle=True, folder=tmp_path)
    files = pack(a_fitted_model(estimator=own_model(tmp_path, "own_pickled")), trust)
    assert PICKLE_FILE in files
    assert unpack(files, version="3", expected=tree_digest(files), trust=trust).estimator is not None
    with pytest.raises(ConfigurationError, match="trust_pickle: true"):
        unpack(files, version="3", expected=tree_digest(files), trust=Trust(folder=tmp_path))


def test_types_that_the_file_itself_calls_trusted_are_not(tmp_path: Path) -> None:
    files = pack(
        a_fitted_model(estimator=own_model(tmp_path, "own_forged")),
        Trust(types=("own_forged.Stubborn",), folder=tmp_path),
    )
    body = io.BytesIO(files[SKOPS_FILE])
    with zipfile.ZipFile(body, "a") as archive:
        archive.writestr("MLmodel", "skops_trusted_types: [own_forged.Stubborn]")
    files[SKOPS_FILE] = body.getvalue()
    with pytest.raises(ConfigurationError, match="not trusted"):
        unpack(files, version="3", expected=tree_digest(files), trust=Trust(folder=tmp_path))


def test_a_copy_is_found_by_its_hash(tmp_path: Path) -> None:
    cache, files = ModelCache(tmp_path / "cache"), {"a": b"1", "sub/b": b"2"}
    cache.keep(files)
    cache.keep(files)
    assert cache.read(tree_digest(files)) == files
    assert cache.read("sha256:" + "0" * 64) is None


def test_a_damaged_copy_is_none_until_it_is_kept_again(tmp_path: Path) -> None:
    cache, files = ModelCache(tmp_path), {"a": b"1"}
    cache.keep(files)
    (tmp_path / tree_digest(files).removeprefix("sha256:") / "a").write_bytes(b"2")
    assert cache.read(tree_digest(files)) is None
    cache.keep(files)
    assert cache.read(tree_digest(files)) == files
