"""Work that goes on beside the story, so that nobody waits for it later."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Meanwhile(Generic[Result]):
    """A function that runs beside; `result` waits for it. It keeps nobody from ending the program."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work = work
        self._results: list[Result] = []
        self._failures: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def result(self) -> Result:
        """What the function gave, or the error it raised."""
        while self._thread.is_alive():
            self._thread.join(0.2)  # in pieces, so that Ctrl-C is heard
        for failure in self._failures:
            raise failure
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            self._failures.append(error)


def importing(modules: Sequence[str]) -> Meanwhile[None]:
    """These modules are imported beside; what imports them next does not wait."""

    def work() -> None:
        for name in modules:
            importlib.import_module(name)

    return Meanwhile(work)
