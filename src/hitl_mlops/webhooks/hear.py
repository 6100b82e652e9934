"""The verb: a delivery is checked and remembered. What its body says is not read but looked up in MLflow."""

from __future__ import annotations

from datetime import datetime

from hitl_mlops.errors import NotFoundError
from hitl_mlops.webhooks.book import HeardBook
from hitl_mlops.webhooks.delivery import Envelope, check

PATH = "/v1/webhooks/mlflow"
"""Of the decision service, where MLflow tells it."""


def hear(envelope: Envelope, body: bytes, *, secret: str, book: HeardBook, now: datetime) -> bool:
    """The delivery is MLflow's and remembered; whether it is new. One that is refused is not remembered.

    Args:
        envelope: what MLflow says of it.
        body: as it came, byte for byte.
        secret: what MLflow signs with.
        book: what was heard before.
        now: the time.

    Raises:
        CredentialsError: as `check`.
    """
    check(envelope, body, secret, now)
    return book.hear(envelope.delivery_id, now)


def demand_secret(secret: str | None) -> str:
    """The secret that MLflow signs with; raises NotFoundError where there is none."""
    if not secret:
        raise NotFoundError(
            "This project shares no secret with its MLflow, so that nothing MLflow tells is believed.",
            remedy="Write mlflow-people.yaml and run `hitl up`, or set services.mlflow.webhook_secret.",
        )
    return secret
