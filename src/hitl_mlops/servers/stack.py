"""The servers of one project: started together, known again from any shell, ended together."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from hitl_mlops.errors import ConfigurationError, HitlError, InputError, ServiceDownError
from hitl_mlops.servers import (
    environment,
    label_studio,
    mlflow,
    mlflow_accounts,
    prefect,
    process,
    worker,
)
from hitl_mlops.servers.credentials import read_or_make
from hitl_mlops.servers.port import demand_port, free_port
from hitl_mlops.servers.process import Program, Running

STATE_FOLDER = ".hitl"
# Label Studio last: where its environment has to be made first, the other two boot meanwhile.
NAMES = (prefect.NAME, mlflow.NAME, label_studio.NAME)
_ALL = (*NAMES, worker.NAME)
_USUAL_PORTS = {
    prefect.NAME: prefect.USUAL_PORT,
    mlflow.NAME: mlflow.USUAL_PORT,
    label_studio.NAME: label_studio.USUAL_PORT,
}


class Condition(StrEnum):
    """How a server is."""

    UP = "up"
    SILENT = "silent"
    """Its process runs and does not answer: starting, or stuck."""
    CRASHED = "crashed"
    """It was started and its process is gone."""
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One server of the project, as `hitl up` and `hitl doctor` show it; url and pid only of what runs."""

    name: str
    condition: Condition
    url: str | None = None
    pid: int | None = None


class Stack:
    """The servers of the project in one folder; what runs is kept in `.hitl/servers.json`.

    Args:
        folder: the project's folder.
        ports: ports that must be used; for the others the usual one is taken where it is free.
        prefect_api: the API of a Prefect that is not ours; None: the worker works for the one started here.
        tell: receives one line whenever there is something to wait for.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ports: Mapping[str, int] | None = None,
        prefect_api: str | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._folder = folder.resolve()
        self._state = self._folder / STATE_FOLDER
        self._prefect_api = prefect_api
        self._ports = dict(ports or {})
        self._tell = tell

    @property
    def names(self) -> tuple[str, ...]:
        """What this project can start: the servers, and the worker where the folder has a `prefect.yaml`."""
        return (*NAMES, worker.NAME) if worker.has_flows(self._folder) else NAMES

    def up(self, only: Sequence[str] = NAMES) -> tuple[Running, ...]:
        """Each of `only` runs and answers, and goes on when this process ends; twice is as once.

        A server that crashed is started again on the port it had. Where the worker is started, the flows are
        deployed as `prefect.yaml` says now.

        Args:
            only: some of `names`.

        Raises:
            InputError: there is no server of that name.
            ConfigurationError: `prefect.yaml` cannot be deployed; the worker is ended, the servers go on.
            BusyError: a port of `ports` is taken.
            ServiceDownError: one did not come up; it is ended, the others go on.
        """
        with self._alone():
            return self._bring_up(only, outlives_us=True)

    @contextmanager
    def opened(self, only: Sequence[str] = NAMES) -> Iterator[tuple[Running, ...]]:
        """Each of `only` runs while the block does; what was started for it ends with the block.

        The servers also end when this process is killed.
        """
        before = {one.pid for one in self.running()}
        try:
            with self._alone():
                servers = self._bring_up(only, outlives_us=False)
            yield servers
        finally:
            self._end(one for one in self.running() if one.pid not in before)

    def down(self) -> tuple[str, ...]:
        """No server of this project runs; the names of those that were ended. Others' are not touched."""
        with self._alone():
            return self._end(self.running())

    def running(self) -> tuple[Running, ...]:
        """The servers whose processes live, from whichever shell they were started."""
        return tuple(one for one in self._read().values() if process.is_alive(one))

    def status(self) -> tuple[Status, ...]:
        """How each server is, in the order of `names`."""
        known = self._read()
        return tuple(_status(name, known.get(name)) for name in self.names)

    def _bring_up(self, only: Sequence[str], *, outlives_us: bool) -> tuple[Running, ...]:
        _demand_names(only)
        known = self._read()
        servers: dict[str, Running] = {}
        started: list[Running] = []
        try:
            for name in (one for one in _ALL if one in only):
                before = known.get(name)
                if before is not None and process.is_alive(before):
                    servers[name] = before
                    continue
                servers[name] = process.start(self._program(name, known | servers), outlives_us=outlives_us)
                started.append(servers[name])
                # Written before it answers: a starter that is killed leaves no unknown server.
                self._write({**known, **servers})
            if any(one.name == worker.NAME for one in started):
                self._deploy(known | servers)
            for server in servers.values():
                self._tell(f"Waiting for {server.name} on {server.url}")
                process.wait_until_ready(server)
                if server.name == mlflow.NAME:
                    self._sign_up(server)
        except KeyboardInterrupt:
            self._end(started)
            raise
        return tuple(servers.values())

    def _program(self, name: str, known: Mapping[str, Running]) -> Program:
        port = self._port(name, known.get(name))
        if name == label_studio.NAME:
            label_studio.make_database(self._state)
            return label_studio.program(
                self._state,
                port=port,
                credentials=read_or_make(self._state),
                environment=environment.find_or_make(tell=self._tell),
            )
        if name == mlflow.NAME:
            if mlflow_accounts.has_people(self._state):
                mlflow.write_auth_file(self._state)
            return mlflow.program(self._state, port=port, accounts=self._mlflow_accounts())
        if name == worker.NAME:
            api = self._api(known)
            worker.make_pool(api)
            return worker.program(self._folder, state=self._state, api=api, port=port)
        return prefect.program(self._state, port=port)

    def _mlflow_accounts(self) -> mlflow_accounts.Accounts | None:
        """Who logs in to MLflow; None where the project does not say who may do what there."""
        if not mlflow_accounts.has_people(self._state):
            return None
        people = mlflow_accounts.demand_people(self._state)
        return mlflow_accounts.read_or_make(self._state, people.accounts)

    def _sign_up(self, server: Running) -> None:
        """Every account of the people file can log in, those that were added to it too."""
        accounts = self._mlflow_accounts()
        if accounts is not None:
            mlflow_accounts.sign_up(server.url, accounts)

    def _deploy(self, known: Mapping[str, Running]) -> None:
        """While the worker starts; a worker without flows would hide that they could not be deployed."""
        self._tell(f"Deploying the flows of {worker.FLOWS_FILE}")
        try:
            worker.deploy(self._folder, state=self._state, api=self._api(known))
        except HitlError:
            self._end([known[worker.NAME]])
            raise

    def _api(self, known: Mapping[str, Running]) -> str:
        """Where the worker's Prefect answers, once it does."""
        if self._prefect_api is not None:
            return self._prefect_api
        server = known.get(prefect.NAME)
        if server is None or not process.is_alive(server):
            raise ServiceDownError(
                "Prefect does not run, for which the worker would work.",
                remedy="hitl up",
                server=prefect.NAME,
            )
        self._tell(f"Waiting for {server.name} on {server.url}")
        process.wait_until_ready(server)
        return f"{server.url}/api"

    def _port(self, name: str, before: Running | None) -> int:
        wanted = self._ports.get(name)
        if wanted is not None:
            demand_port(wanted, server=name)
            return wanted
        had = urlsplit(before.url).port if before is not None else None
        return free_port(had or _USUAL_PORTS.get(name))

    def _end(self, servers: Iterator[Running] | Sequence[Running]) -> tuple[str, ...]:
        # Last started, first ended: the worker still tells Prefect how its runs ended.
        ended = [one for one in reversed(tuple(servers)) if process.stop(one)]
        gone = {one.pid for one in ended}
        self._write({name: one for name, one in self._read().items() if one.pid not in gone})
        return tuple(one.name for one in ended)

    @property
    def _file(self) -> Path:
        return self._state / "servers.json"

    def _read(self) -> dict[str, Running]:
        try:
            rows = json.loads(self._file.read_text())
            return {row["name"]: Running(**{**row, "log": Path(row["log"])}) for row in rows}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, KeyError) as exc:
            raise ConfigurationError(
                f"{self._file} is damaged, so that the servers of this project are not known any more.",
                remedy=f"End them by hand if some run, remove {self._file}, then: hitl up",
            ) from exc

    def _write(self, servers: Mapping[str, Running]) -> None:
        """The state file is replaced whole."""
        if not self._state.exists():
            return
        handle, draft = tempfile.mkstemp(dir=self._state, prefix=".servers-")
        with os.fdopen(handle, "w") as file:
            json.dump([{**asdict(one), "log": str(one.log)} for one in servers.values()], file, indent=2)
        Path(draft).replace(self._file)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One shell at a time; the kernel lets go of the lock however the holder ends."""
        self._state.mkdir(parents=True, exist_ok=True)
        with (self._state / "servers.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _demand_names(only: Sequence[str]) -> None:
    unknown = sorted(set(only) - set(_ALL))
    if unknown:
        raise InputError(
            f"There is no server named {', '.join(unknown)}.", remedy=f"Choose from {', '.join(_ALL)}."
        )


def _status(name: str, known: Running | None) -> Status:
    if known is None:
        return Status(name=name, condition=Condition.DOWN)
    if not process.is_alive(known):
        return Status(name=name, condition=Condition.CRASHED)
    condition = Condition.UP if process.answers(known) else Condition.SILENT
    return Status(name=name, condition=condition, url=known.url, pid=known.pid)
