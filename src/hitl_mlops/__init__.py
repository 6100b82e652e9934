"""Close the loop between a model's decisions and the people who may overrule them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hitl_mlops.project import Project

__all__ = ["Project", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`from hitl_mlops import Project` without paying for its imports until it is asked for."""
    if name == "Project":
        return import_module("hitl_mlops.project").Project
    raise AttributeError(f"module 'hitl_mlops' has no attribute {name!r}")
