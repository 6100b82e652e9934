"""The cheque reader, told once from the first server to the last entry of the trail: `hitl demo`."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from hitl_mlops.demo import opening, place
from hitl_mlops.demo.meanwhile import importing
from hitl_mlops.demo.narrator import Narrator, quiet
from hitl_mlops.settings import STATE_FOLDER

if TYPE_CHECKING:
    from hitl_mlops.decisions.record import Decision
    from hitl_mlops.demo.learning import Learned
    from hitl_mlops.demo.scene import Scene

STOPPED = 130
NEEDED_LATER = ("great_expectations", "evidently", "evidently.presets", "matplotlib.figure")
TIMES = "demo-steps.json"
HELLO = """The cheque reader: a model reads the digits of cheques, people overrule it, it learns from them.
Real servers, real handwritten digits; only the reviewers are simulated. Ctrl-C ends it and all it started."""


def run(*, keep: bool = False, folder: Path | None = None) -> int:
    """The whole loop was shown; 0, or 130 where Ctrl-C or TERM ended it. Nothing that was started is left.

    Args:
        keep: leave the servers up until Ctrl-C, with a few tickets for a visitor to answer.
        folder: of the demo's project; made anew. Default: `demo-project` where it is run.

    Raises:
        BusyError: another demo runs in that folder.
        RefusedError: the folder is no demo's; or a gate or canary did not do what the story needs.
        ServiceDownError: a server or flow failed; the fact names its log.
    """
    with place.claimed((folder or Path(place.NAME)).resolve()) as claimed:
        log = claimed / STATE_FOLDER / "logs" / "demo.log"
        with quiet(log) as screen, _ended_by_signals():
            narrator = Narrator.on(screen)
            try:
                _tell(claimed, narrator, keep=keep)
            except KeyboardInterrupt:
                narrator.console.print("\nEverything that the demo started has ended.")
                return STOPPED
            finally:
                _keep_times(claimed, narrator)
    return 0


def _tell(folder: Path, narrator: Narrator, *, keep: bool) -> None:
    narrator.console.print(HELLO)
    with opening.opened(folder, narrator) as scene:
        report = _play(scene)
        narrator.console.print(
            f"\nDone in {narrator.elapsed_s:.0f} s. Open {report}, or look into the project: cd {folder.name}"
        )
        if keep:
            from hitl_mlops.demo.visitors import receive

            receive(scene)


def _play(scene: Scene) -> Path:
    # Imported while the servers start, not before: what the chapters stand on takes seconds.
    from hitl_mlops.demo import promoting, refusing
    from hitl_mlops.demo.ending import end
    from hitl_mlops.demo.report import Told

    decisions, learned = until_judged(scene)
    promoted, comparison = promoting.promote(scene, learned.report.model_version)
    refused = refusing.refuse(scene)
    return end(scene, Told(decisions, learned, promoted, comparison, refused))


def until_judged(scene: Scene) -> tuple[tuple[Decision, ...], Learned]:
    """A challenger passed its gates and waits for a person; what was decided, and what was learned."""
    from hitl_mlops.demo import learning, reviewing
    from hitl_mlops.demo.prefect_runs import PrefectRuns

    decisions = reviewing.decide(scene)
    reviewing.answer(scene, decisions)
    log = scene.folder / STATE_FOLDER / "logs" / "worker.log"
    runs = PrefectRuns(scene.project.parts.prefect_address, log=str(log))
    later = importing(NEEDED_LATER)  # while two flows run in processes of their own
    learned = learning.learn(scene, runs)
    later.result()
    return decisions, learned


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """TERM ends the demo as Ctrl-C does; a second signal, while servers are being ended, changes nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {one: signal.signal(one, stop) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _keep_times(folder: Path, narrator: Narrator) -> None:
    """How long every step took stands in the demo's folder, for the benchmark and the curious."""
    rows = [{"step": one.name, "seconds": round(one.seconds, 2), "said": one.said} for one in narrator.steps]
    told = {"at": time.time(), "elapsed_s": round(narrator.elapsed_s, 2), "steps": rows}
    (folder / STATE_FOLDER / TIMES).write_text(json.dumps(told, indent=2))
