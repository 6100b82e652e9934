"""Pictures on the pages: small, told in words too, and each of them shown somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT

MOST_BYTES = 200_000
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
SHOWN = [
    (page, told, (page.parent / path).resolve())
    for page in PAGES
    for told, path in _PICTURE.findall(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "told", "picture"), SHOWN, ids=[one.name for _, _, one in SHOWN])
def test_a_picture_is_there_and_small_and_told_in_words(page: Path, told: str, picture: Path) -> None:
    assert picture.stat().st_size <= MOST_BYTES, page
    assert len(told.split()) >= 5


def test_no_picture_lies_about_unused() -> None:
    assert {picture for _, _, picture in SHOWN} == set((ROOT / "docs").rglob("*.png"))
