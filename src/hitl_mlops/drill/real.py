"""A Label Studio and an MLflow of the drill's own, started for it, killed and started again in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from hitl_mlops.decisions.task import Task
from hitl_mlops.drill.outside import PEOPLE
from hitl_mlops.errors import NotFoundError
from hitl_mlops.review.accounts import enter
from hitl_mlops.review.desk import Desk
from hitl_mlops.review.desk_label_studio import LabelStudioDesk
from hitl_mlops.review.session import ReviewerSession
from hitl_mlops.servers import environment, label_studio, mlflow, process
from hitl_mlops.servers.credentials import read_or_make
from hitl_mlops.servers.port import free_port
from hitl_mlops.servers.process import Program, Running
from hitl_mlops.training.artifact import Trust
from hitl_mlops.training.registry import ModelRegistry
from hitl_mlops.training.registry_mlflow import MlflowRegistry

PASSWORD = "rehearse-all-of-it"  # noqa: S105 - of accounts that live as long as the drill


class RealServers:
    """See `Outside`. Nothing runs before it is asked for; `close` ends what was started.

    Args:
        folder: where the servers keep their data.
        tell: receives a line whenever there is something to wait for.
    """

    told = "real servers of the drill's own, which were ended by signals and started again"
    real = True

    def __init__(self, folder: Path, *, tell: Callable[[str], None]) -> None:
        self._folder, self._tell = folder, tell
        self._programs: dict[str, Program] = {}
        self._running: dict[str, Running] = {}
        self._desk: LabelStudioDesk | None = None

    def close(self) -> None:
        """No server of the drill runs."""
        for name in list(self._running):
            self._stop(name)

    def desk(self, task: Task, owner: str, clock: Callable[[], datetime]) -> Desk:
        """See `Outside`; Label Studio keeps the machine's time."""
        del clock
        self._up(label_studio.NAME)
        token = read_or_make(self._folder).label_studio_token
        self._desk = LabelStudioDesk(self._programs[label_studio.NAME].url, token, task, owner=owner)
        return self._desk

    def registry(self, name: str, cache: Path, trust: Trust) -> ModelRegistry:
        """See `Outside`."""
        self._up(mlflow.NAME)
        return MlflowRegistry(self._programs[mlflow.NAME].url, name, cache=cache, trust=trust)

    def people(self) -> Sequence[ReviewerSession]:
        """See `Outside`."""
        if self._desk is None:
            raise NotFoundError("No desk was asked for yet.", remedy="Ask for the desk first.")
        return [enter(self._desk.http, account, PASSWORD) for account in PEOPLE]

    def stop_desk(self) -> None:
        """See `Outside`."""
        self._stop(label_studio.NAME)

    def stop_desk_midway(self, tickets: int) -> bool:
        """See `Outside`: a real server takes no such order."""
        del tickets
        return False

    def start_desk(self) -> None:
        """See `Outside`."""
        if label_studio.NAME in self._programs:
            self._up(label_studio.NAME)

    def stop_registry(self) -> None:
        """See `Outside`."""
        self._stop(mlflow.NAME)

    def start_registry(self) -> None:
        """See `Outside`."""
        if mlflow.NAME in self._programs:
            self._up(mlflow.NAME)

    def _up(self, name: str) -> None:
        """The server runs and answers, on the port that it had."""
        if name in self._running:
            return
        if name not in self._programs:
            self._programs[name] = self._program(name)
        self._tell(f"Starting {name}")
        self._running[name] = process.start(self._programs[name], outlives_us=False)
        process.wait_until_ready(self._running[name])

    def _stop(self, name: str) -> None:
        running = self._running.pop(name, None)
        if running is not None:
            process.stop(running)

    def _program(self, name: str) -> Program:
        if name == mlflow.NAME:
            return mlflow.program(self._folder, port=free_port())
        label_studio.make_database(self._folder)
        return label_studio.program(
            self._folder,
            port=free_port(),
            credentials=read_or_make(self._folder),
            environment=environment.find_or_make(tell=self._tell),
        )
