"""The verb: a delivery is checked and remembered. What its body says is not read but looked up in MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from hitl_mlops.errors import NotFoundError
from hitl_mlops.webhooks.book import HeardBook
from hitl_mlops.webhooks.delivery import check, delivery_of

PATH = "/v1/webhooks/mlflow"
"""Of the decision service, where MLflow tells it."""


def hear(
    headers: Mapping[str, str], body: bytes, *, secret: str | None, book: HeardBook, now: datetime
) -> bool:
    """The delivery is MLflow's and remembered; whether it is new. One that is refused is not remembered.

    Args:
        headers: of the request, found in whatever case.
        body: of the request, as it came.
        secret: what MLflow signs with; None: nothing here hears of MLflow.
        book: what was heard before.
        now: the time.

    Raises:
        NotFoundError: there is no secret.
        CredentialsError: as `delivery_of` and `check`.
    """
    shared = demand_secret(secret)
    delivery = delivery_of(headers, body)
    check(delivery, shared, now)
    return book.hear(delivery.delivery_id, now)


def demand_secret(secret: str | None) -> str:
    """The secret that MLflow signs with; raises NotFoundError where there is none."""
    if not secret:
        raise NotFoundError(
            "This project shares no secret with its MLflow, so that nothing MLflow tells is believed.",
            remedy="Write mlflow-people.yaml and run `hitl up`, or set services.mlflow.webhook_secret.",
        )
    return secret
