"""Functions of the user's asked in threads of their own, so that one that hangs costs its time once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from hitl_mlops.decisions.timed import Line, times_for
from hitl_mlops.routing.user_functions import Check

if TYPE_CHECKING:
    import pandas as pd


class TimedFunction:
    """A function that is waited for so long and no longer; otherwise as it is.

    While a call hangs, further calls fail at once and are not begun.
    """

    def __init__(self, name: str, function: Check, within_s: float) -> None:
        """Nothing is called yet.

        Args:
            name: as `hitl.yaml` has it.
            function: takes a frame.
            within_s: seconds for up to 1,000 rows.
        """
        self.function, self.within_s = function, within_s
        self._line = Line(f"function-{name}")

    def __call__(self, rows: pd.DataFrame) -> Any:
        """What the function gives; raises what it raises, and TimeoutError where it is not there in time."""
        ended = self._line.ask(partial(_ended, self.function, rows), self.within_s * times_for(len(rows)))
        if ended is None:
            raise TimeoutError
        answers, error = ended
        if error is not None:
            raise error
        return answers

    def close(self) -> None:
        """The thread ends once its call has."""
        self._line.close()


def _ended(function: Check, rows: pd.DataFrame) -> tuple[Any, Exception | None]:
    try:
        return function(rows), None
    except Exception as error:  # noqa: BLE001 - told in the thread that asks
        return None, error
