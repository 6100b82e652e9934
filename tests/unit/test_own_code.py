"""A function of the user's own is loaded from beside the project, or told plainly why not."""

from pathlib import Path

import pytest

from hitl_mlops.errors import ConfigurationError
from hitl_mlops.own_code import load_function


def load(address, folder):
    return load_function(address, folder, key="functions.mine", remedy="Write one.")


def a_module(folder: Path, text: str) -> str:
    name = f"own_{abs(hash(str(folder)))}"  # modules of one name would be one module
    (folder / f"{name}.py").write_text(text)
    return name


def test_a_function_beside_the_project_is_found(tmp_path):
    module = a_module(tmp_path, "def answer(rows):\n    return 42\n")
    assert load(f"{module}:answer", tmp_path)(None) == 42


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("{module}:absent", "has no function 'absent'"),
        ("{module}:LIMIT", "of type int, which cannot be called"),
        ("{module}", "not package.module:function"),
        ("{module}:a b", "not package.module:function"),
        ("no_such_module_anywhere:f", "cannot be imported"),
        (":f", "not package.module:function"),
    ],
)
def test_what_cannot_be_loaded_names_its_key_and_a_remedy(tmp_path, address, words):
    module = a_module(tmp_path, "LIMIT = 3\n")
    with pytest.raises(ConfigurationError, match=words) as told:
        load(address.format(module=module), tmp_path)
    assert "functions.mine" in told.value.fact
    assert told.value.remedy == "Write one."


def test_a_module_that_fails_while_it_is_imported_is_told_with_its_error(tmp_path):
    module = a_module(tmp_path, "raise RuntimeError('no licence')\n")
    with pytest.raises(ConfigurationError, match="RuntimeError: no licence"):
        load(f"{module}:f", tmp_path)
