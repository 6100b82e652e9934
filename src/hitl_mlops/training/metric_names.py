"""Names of figures in the few characters that a registry takes, and back: classes have any name."""

from __future__ import annotations

import re

KEY_CHARS = 250
"""The longest name MLflow stores; a figure with a longer one is left out."""


def encoded(key: str) -> str:
    """A figure's name in the characters that MLflow takes; others as `:hex:`.

    >>> encoded("recall.a/b"), decoded("recall.a:2f:b")
    ('recall.a:2f:b', 'recall.a/b')
    """
    return re.sub(r"[^\w. -]", lambda found: f":{ord(found[0]):x}:", key)


def decoded(key: str) -> str:
    """The name that `encoded` wrote."""
    return re.sub(r":([0-9a-f]+):", lambda found: chr(int(found[1], 16)), key)
