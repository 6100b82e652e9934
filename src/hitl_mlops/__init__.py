"""Close the loop between a model's decisions and the people who may overrule them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from hitl_mlops.project import Project

__all__ = ["Project", "__version__", "decide"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`from hitl_mlops import Project` without paying for its imports until it is asked for."""
    if name == "Project":
        return import_module("hitl_mlops.project").Project
    raise AttributeError(f"module 'hitl_mlops' has no attribute {name!r}")


def decide(
    cases: pd.DataFrame | Path | str, *, project: Path | str = ".", strict: bool = False
) -> pd.DataFrame:
    """Every case is decided, routed and recorded; one row for each, in their order.

    Act on `label` where `status` is `released`; where it is `with_people`, they are asked, and where it is
    `refused`, `reasons` says why no model saw the case. The same cases again give the same decisions.

    Args:
        cases: a table, or the path of a CSV, Parquet or JSON Lines file.
        project: its folder or `hitl.yaml`. Whoever decides often opens it once: `Project.open`.
        strict: one refused row refuses all.

    Raises:
        InputError: the file or a column is wrong, or `strict` and a row was refused; nothing was written.
        NotFoundError: there is no champion yet.
    """
    from hitl_mlops.project import Project

    with Project.open(project) as opened:
        return opened.decide(cases, strict=strict).to_frame()
