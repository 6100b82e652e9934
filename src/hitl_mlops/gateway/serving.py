"""The service runs: what must be there first, and the server around it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hitl_mlops.errors import InputError
from hitl_mlops.gateway.announce import announced
from hitl_mlops.gateway.app import PROJECT_VARIABLE, build_app
from hitl_mlops.gateway.tokens import TokenFile
from hitl_mlops.project import Project
from hitl_mlops.servers.port import demand_port

STOP_WITHIN_S = 30
MOST_CONNECTIONS = 1_000


def demand_ready(project: Project, *, port: int, workers: int) -> int:
    """The service can run; how many tokens there are. Told before anything listens.

    Raises:
        InputError: nobody could ask, as there is no token; or several workers on SQLite.
        BusyError: the port is taken.
        ConfigurationError: settings are wrong; or the policy is, and there is no good one from before.
        NotFoundError: there is no champion yet.
    """
    tokens = TokenFile(project.settings.state / "keys").all()
    if not tokens:
        raise InputError(
            "No application may ask: there is no token.", remedy="Make one: hitl token new APP --scope decide"
        )
    if workers > 1 and project.settings.database_url.startswith("sqlite"):
        raise InputError(
            f"{workers} workers would wait for each other on SQLite.",
            remedy="Name a PostgreSQL under database in hitl.yaml, or run one worker.",
        )
    policies = project.parts.serve()
    held = policies.current(project.parts.clock())
    if held.wrong is not None and not policies.knows_a_good_one:
        raise held.wrong
    project.serving()
    demand_port(port, server="the decision service")
    return len(tokens)


def run_service(project: Project, *, host: str, port: int, workers: int) -> None:
    """The service answers until INT or TERM; what waits then is decided, within 30 s."""
    import uvicorn

    options: dict[str, Any] = {
        "host": host,
        "port": port,
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "limit_concurrency": MOST_CONNECTIONS,
        "timeout_graceful_shutdown": STOP_WITHIN_S,
    }
    with _ended_by_signals(), announced(project, host=host, port=port):
        if workers == 1:
            uvicorn.run(build_app(project), **options)
            return
        os.environ[PROJECT_VARIABLE] = str(project.settings.folder)
        uvicorn.run("hitl_mlops.gateway.app:from_environment", factory=True, workers=workers, **options)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """INT and TERM end the service and are done with that: uvicorn raises them anew once it has ended."""
    both = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.signal(one, lambda *_: None) for one in both}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
