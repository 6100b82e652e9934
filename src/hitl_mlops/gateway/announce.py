"""The MLflow that `hitl up` started is told where the service listens, so that it can wake it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hitl_mlops.errors import HitlError
from hitl_mlops.project import Project
from hitl_mlops.servers.port import HOST
from hitl_mlops.webhooks.hear import PATH

AGAIN_S = 60.0
_EVERYWHERE = {"0.0.0.0": HOST, "::": "::1", "": HOST}  # noqa: S104 - told from where it listens
_told = logging.getLogger(__name__)


@contextmanager
def announced(project: Project, *, host: str, port: int) -> Iterator[None]:
    """MLflow calls the service at that address, as soon as MLflow answers; nobody waits for that.

    An MLflow of the user's is left alone: only its administrator may say whom it calls.
    """
    parts, ended = project.parts, threading.Event()
    secret = parts.webhook_secret if project.settings.services.mlflow is None else None
    if secret is None:
        yield
        return
    url = webhook_url(host, port)
    telling = threading.Thread(
        target=keep_trying, args=(lambda: parts.mlflow_webhooks.set(url, secret), ended), daemon=True
    )
    telling.start()
    try:
        yield
    finally:
        ended.set()


def keep_trying(tell: Callable[[], object], ended: threading.Event, again_s: float = AGAIN_S) -> None:
    """It was told once without an error, or the service has ended; the first error is logged."""
    is_first = True
    while not ended.is_set():
        try:
            tell()
        except HitlError as error:
            if is_first:
                _told.warning("MLflow does not know where to tell of approvals: %s", error.fact)
            is_first = False
            ended.wait(again_s)
        else:
            return


def webhook_url(host: str, port: int) -> str:
    """Where an MLflow on this machine reaches a service that listens there.

    >>> webhook_url("0.0.0.0", 8090)
    'http://127.0.0.1:8090/v1/webhooks/mlflow'
    >>> webhook_url("::", 8090)
    'http://[::1]:8090/v1/webhooks/mlflow'
    """
    reached = _EVERYWHERE.get(host, host)
    return f"http://{f'[{reached}]' if ':' in reached else reached}:{port}{PATH}"
