"""Pictures in a table: a block of numbered pixel columns, or a column of paths."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from fnmatch import fnmatchcase
from typing import Any

import pandas as pd

from hitl_mlops.new_project.names import PIXEL_WORDS, words_of

LEAST_PIXELS = 16
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
_NUMBERED = re.compile(r"(.*?)(\d+)(?:[_x ](\d+))?")
_LOOKED_AT = 200


def pixel_block(frame: pd.DataFrame, *, any_name: bool) -> tuple[str, ...]:
    """The columns of a square picture, row by row; empty where there is none.

    Args:
        frame: the table.
        any_name: take a block of any name; else only one whose name says pixel.
    """
    blocks: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for name in map(str, frame.columns):
        numbered = _NUMBERED.fullmatch(name)
        if numbered and pd.api.types.is_numeric_dtype(frame[name].dtype):
            blocks[numbered[1]].append((int(numbered[2]), int(numbered[3] or 0), name))
    squares = {prefix: block for prefix, block in blocks.items() if _is_square(len(block))}
    told = [prefix for prefix in squares if set(words_of(prefix)) & PIXEL_WORDS]
    chosen = max(told or (squares if any_name else ()), key=lambda prefix: len(squares[prefix]), default=None)
    return () if chosen is None else tuple(name for *_, name in sorted(squares[chosen]))


def _is_square(count: int) -> bool:
    return count >= LEAST_PIXELS and math.isqrt(count) ** 2 == count


def pattern_of(block: tuple[str, ...], columns: list[str]) -> str | None:
    """One pattern that names the block's columns in their order and no other; None where there is none."""
    numbered = _NUMBERED.fullmatch(block[0])
    pattern = f"{numbered[1] if numbered else block[0]}*"
    return pattern if tuple(name for name in columns if fnmatchcase(name, pattern)) == block else None


def holds_paths(cells: pd.Series[Any]) -> bool:
    """Every filled cell looked at ends like a picture's file name."""
    filled = cells.dropna().head(_LOOKED_AT)
    return len(filled) > 0 and all(str(cell).lower().endswith(PICTURE_SUFFIXES) for cell in filled)
