"""The picture of an image case, as a data URI that a page can show."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from hitl_mlops.decisions.record import Case
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import InputError

SIDE = 320
"""Small pictures are scaled up by whole factors to about so many pixels a side."""
LARGEST_SIDE = 1024
"""Large pictures are scaled down to so many pixels a side."""
BESIDE_SIDE = 640
"""Pictures beside the input are scaled down to so many pixels a side."""
WHITES = (1.0, 16.0, 255.0, 65535.0)
"""Values that white may have; the smallest that holds the case's brightest pixel is taken."""


def picture_of(case: Case, task: Task, folder: Path = Path()) -> str:
    """The case's picture as a PNG data URI; empty for tasks that are not images.

    Pixel columns are read row by row as a square of grey values, 0 black; missing and NaN count as 0. A path
    is read relative to `folder` and written anew, which leaves out what a file carries beside the picture
    (place, camera, author).

    Raises:
        InputError: the columns are no square, a value is no number, or the file is no picture.
    """
    if task.kind is not InputKind.IMAGE:
        return ""
    if len(task.inputs) == 1:
        return _from_file(folder / str(case.inputs.get(task.inputs[0], "")))
    return _from_pixels([case.inputs.get(name) for name in task.inputs], case.case_id)


def pictures_beside(case: Case, task: Task, folder: Path = Path()) -> dict[str, str]:
    """Column of `task.show_images` → its picture as a PNG data URI; empty where there is none to read."""
    found = {}
    for name in task.show_images:
        path = case.attributes.get(name, case.inputs.get(name))
        try:
            found[name] = _from_file(folder / str(path), BESIDE_SIDE) if path else ""
        except InputError:
            found[name] = ""
    return found


def picture_html(name: str, uri: str) -> str:
    """The picture of a column, as HTML; says that it cannot be read where the URI is empty.

    It is a background, since Label Studio takes no data URI as the source of a picture in a text.
    """
    if not uri:
        return f'<div style="font-size:13px">{escape(name)}: (no picture can be read)</div>'
    look = "height:240px;background-size:contain;background-repeat:no-repeat;background-position:left"
    return (
        f'<div style="font-size:13px;opacity:.75">{escape(name)}</div>'
        f"<div style=\"{look};background-image:url('{escape(uri)}')\"></div>"
    )


def _from_pixels(values: Sequence[Any], case_id: str) -> str:
    from PIL import Image

    side = math.isqrt(len(values))
    if side * side != len(values):
        raise InputError(
            f"{len(values)} pixel columns are no square picture.",
            remedy="Give task.inputs all columns of a square picture, row by row, or one column of paths.",
        )
    try:
        numbers = [0.0 if value is None else float(value) for value in values]
    except (TypeError, ValueError) as error:
        raise InputError(
            f"A pixel of case {case_id} is no number: {error}.", remedy="Pixels are numbers from 0 to white."
        ) from error
    grey = [value if math.isfinite(value) and value > 0 else 0.0 for value in numbers]
    brightest = max(grey, default=0.0)
    white = next((step for step in WHITES if step >= brightest), brightest)
    picture = Image.new("L", (side, side))
    picture.putdata([round(255 * value / white) for value in grey])
    factor = max(1, SIDE // side)
    return _as_uri(picture.resize((side * factor, side * factor), Image.Resampling.NEAREST))


def _from_file(path: Path, side: int = LARGEST_SIDE) -> str:
    from PIL import Image

    try:
        with Image.open(path) as stored:
            picture = stored.convert("RGB" if stored.mode not in ("L", "1") else "L")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(
            f"The picture {path.name!r} cannot be read: {type(error).__name__}.",
            remedy="Give PNG or JPEG files, with paths relative to the project's folder.",
        ) from error
    picture.thumbnail((side, side))
    return _as_uri(picture)


def _as_uri(picture: Any) -> str:
    target = io.BytesIO()
    picture.save(target, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(target.getvalue()).decode()}"
