"""The port by which a delivery leaves. Real adapter `post_http.HttpPost`; a function is twin enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from hitl_mlops.callbacks.decide import Attempt

Post: TypeAlias = Callable[[str, bytes, Mapping[str, str]], Attempt]
"""Address, body and headers → what came of it; raises nothing."""
