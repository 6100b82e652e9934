"""Models asked in threads of their own, so that one that hangs costs its time once and holds up nobody."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLateError
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from hitl_mlops.decisions.model import Model

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

Result = TypeVar("Result")
ROWS_AT_ONCE = 1_000
"""Rows for which a time is meant; a longer batch has as many times as long."""
_told = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a model is waited for.

    Attributes:
        answer_s: for its answers to up to 1,000 rows.
        shadow_s: once the answers are there, for what it says of up to 1,000 rows in the shadow.
    """

    answer_s: float = 5.0
    shadow_s: float = 0.1


@dataclass(slots=True)
class _Call(Generic[Result]):
    work: Callable[[], Result]
    within_s: float
    result: Future[Result | None] = field(default_factory=Future)
    began: float = math.inf

    @property
    def runs_over(self) -> bool:
        return time.monotonic() > self.began + self.within_s


class Line:
    """One thread in which calls run in turn. Whoever calls waits so long and no longer.

    A call that does not end keeps the thread: no other is begun beside it, so that there is never more than
    one. The thread ends with the process, also in the middle of a call.

    Attributes:
        too_late: calls that were not answered in time.
        was_late: the call that ended last took longer than was waited for, or one is doing so now.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.too_late = 0
        self.was_late = False
        self._calls: SimpleQueue[_Call[object] | None] = SimpleQueue()
        self._running: _Call[object] | None = None
        self._last: _Call[object] | None = None
        self._thread: Thread | None = None
        self._lock = Lock()

    def busy(self) -> bool:
        """A call runs, or the last one waits its turn."""
        return self._running is not None or not (self._last is None or self._last.result.done())

    @property
    def hangs(self) -> bool:
        """The call that runs is past its time."""
        running = self._running
        return running is not None and running.runs_over

    def ask(
        self, work: Callable[[], Result], within_s: float, *, wait_s: float | None = None
    ) -> Result | None:
        """What the work gives; None where it raised, or was not there in time.

        While a call hangs, None comes at once and the work is not begun.

        Args:
            work: what is called, in the line's thread.
            within_s: the time in which it is to be done.
            wait_s: how long it is waited for; None: all that time, and what has not begun by then never does.
        """
        if self.hangs:
            self.too_late += 1
            return None
        call = _Call(work, within_s)
        self._start()
        self._last = cast("_Call[object]", call)
        self._calls.put(self._last)
        try:
            return call.result.result(within_s if wait_s is None else wait_s)
        except TooLateError:
            if wait_s is None:
                call.result.cancel()
            self.too_late += 1
            return None

    def close(self) -> None:
        """The thread ends once its call has."""
        self._calls.put(None)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._work, name=self.name, daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            if not call.result.set_running_or_notify_cancel():
                continue
            call.began, self._running = time.monotonic(), call
            said: object | None = None
            with suppress(BaseException):  # whatever a model raises, an exit too, is no answer
                said = call.work()
            self.was_late, self._running = call.runs_over, None
            call.result.set_result(said)


class TimedModel:
    """A model that is waited for so long and no longer; otherwise as it is.

    It answers in one thread and speaks in the shadow in another, so that no shadow holds up an answer.
    """

    def __init__(self, model: Model, patience: Patience) -> None:
        self.model, self.patience = model, patience
        self.answers = Line(f"model-{model.version}")
        self.shadow = Line(f"model-{model.version}-shadow")

    @property
    def version(self) -> str:
        """See `Model`."""
        return self.model.version

    @property
    def digest(self) -> str:
        """See `Model`."""
        return self.model.digest

    @property
    def classes(self) -> tuple[str, ...]:
        """See `Model`."""
        return self.model.classes

    def probabilities(self, inputs: pd.DataFrame) -> npt.NDArray[np.float64]:
        """See `Model`; this call is waited for to its end."""
        return self.model.probabilities(inputs)

    def answer(self, work: Callable[[], Result], rows: int) -> Result | None:
        """What the work gives, done as an answer to so many rows; None where it was not there in time."""
        within_s, hung, before = (
            self.patience.answer_s * times_for(rows),
            self.answers.hangs,
            self.answers.too_late,
        )
        said = self.answers.ask(work, within_s)
        if self.answers.too_late > before and not hung:
            _told.warning(
                "model %s did not answer %d cases in %.3g s: people decide them, and all further ones "
                "while it hangs; model.answer_within_s of hitl.yaml gives it more",
                *(self.version, rows, within_s),
            )
        return said

    def beside(self, work: Callable[[], Result], rows: int) -> Result | None:
        """What the work gives, done in the shadow of an answer; None where it was not there in time.

        A shadow that still speaks of an earlier batch is not asked. One that was late is asked and not waited
        for, until it has been in time again: so it holds up one batch when it turns slow, and no other.
        """
        if self.shadow.busy():
            self.shadow.too_late += 1
            return None
        within_s = self.patience.shadow_s * times_for(rows)
        was_late = self.shadow.was_late
        said = self.shadow.ask(work, within_s, wait_s=0.0 if was_late else None)
        if said is None and not was_late and self.shadow.busy():
            _told.warning(
                "model %s is too slow in the shadow: more than %.3g s for %d cases, which bring no evidence; "
                "model.shadow_within_s of hitl.yaml gives it more",
                *(self.version, within_s, rows),
            )
        return said

    def close(self) -> None:
        """The threads end once their calls have."""
        self.answers.close()
        self.shadow.close()


class TimedModels:
    """The models that are live, each timed; one that is live no more is let go."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self._live: list[TimedModel] = []

    def live(self, *models: Model) -> list[TimedModel]:
        """These models, timed; each call finds those of the call before, by version and digest."""
        known = {(one.version, one.digest): one for one in self._live}
        timed = [
            known.get((model.version, model.digest)) or TimedModel(model, self.patience) for model in models
        ]
        for gone in set(self._live) - set(timed):
            gone.close()
        self._live = timed
        return timed

    def all(self) -> list[TimedModel]:
        """The models of the last call."""
        return list(self._live)

    def close(self) -> None:
        """Every thread ends once its call has."""
        self.live()


def times_for(rows: int) -> int:
    """By how much longer so many rows may take than the first thousand."""
    return max(1, -(-rows // ROWS_AT_ONCE))
