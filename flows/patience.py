"""When a task is tried again: only where that may help."""

from __future__ import annotations

from typing import Any

from hitl_mlops.errors import TransientError


def is_transient(_task: Any, _run: Any, state: Any) -> bool:
    """A service was down or busy; every other error needs a person first, and its remedy is in the log."""
    return isinstance(state.data, TransientError)


# Less than a schedule's five minutes: the next run is the better retry.
PATIENT: dict[str, Any] = {
    "retries": 2,
    "retry_delay_seconds": [5, 20],
    "retry_condition_fn": is_transient,
}
