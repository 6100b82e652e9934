"""Functions of the user's own, named `package.module:function` in `hitl.yaml`."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from hitl_mlops.errors import ConfigurationError

ADDRESS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
"""How a function is named."""


_REMEDY = "Let it name package.module:function, a function that takes a frame and returns one value a row."


def load_functions(addresses: Mapping[str, str], folder: Path | None) -> dict[str, Callable[..., Any]]:
    """The functions of the section `functions` of `hitl.yaml` by name; raises as `load_function`."""
    return {
        name: load_function(address, folder, key=f"functions.{name}", remedy=_REMEDY)
        for name, address in addresses.items()
    }


def load_function(address: str, folder: Path | None, *, key: str, remedy: str) -> Callable[..., Any]:
    """The function of that address; nothing of it is called, its module is imported.

    Args:
        address: `package.module:function`.
        folder: where the module is looked for before the installed packages; None: only there.
        key: how the errors call it, such as `functions.find_pii`.
        remedy: what to do where it cannot be loaded.

    Raises:
        ConfigurationError: it is no such address, the module cannot be imported, it has no such name, or
            what it names cannot be called.
    """
    if not ADDRESS.fullmatch(address):
        raise ConfigurationError(f"{key} is {address!r}, not package.module:function.", remedy=remedy)
    name = address.partition(":")[2]
    module = load_module(address, folder, key=key, remedy=remedy)
    if not hasattr(module, name):
        raise ConfigurationError(f"{key}: {address} has no function {name!r}.", remedy=remedy)
    function = getattr(module, name)
    if not callable(function):
        raise ConfigurationError(
            f"{key}: {address} is of type {type(function).__name__}, which cannot be called.", remedy=remedy
        )
    found: Callable[..., Any] = function
    return found


def load_module(address: str, folder: Path | None, *, key: str, remedy: str) -> ModuleType:
    """The module of an address `package.module:function`; raises as `load_function`."""
    try:
        with importable(folder):
            return importlib.import_module(address.partition(":")[0])
    except Exception as error:  # a user's module may raise anything while it is imported
        where = f" (looked in {folder} too)" if folder else ""
        raise ConfigurationError(
            f"{key}: {address} cannot be imported{where}: {type(error).__name__}: {error}", remedy=remedy
        ) from error


@contextlib.contextmanager
def importable(folder: Path | None) -> Iterator[None]:
    """Modules in the folder can be imported inside the block, before installed ones of the same name."""
    if folder is None:
        yield
        return
    place = str(folder.resolve())
    sys.path.insert(0, place)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(place)
