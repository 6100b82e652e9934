"""The webhook by which MLflow tells `hitl serve` that a version changed: made and taken away in MLflow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from hitl_mlops.errors import ConfigurationError, CredentialsError, InputError, ServiceDownError

EVENTS = (
    ("MODEL_VERSION", "CREATED"),
    ("MODEL_VERSION_TAG", "SET"),
    ("MODEL_VERSION_TAG", "DELETED"),
    ("MODEL_VERSION_ALIAS", "CREATED"),
    ("MODEL_VERSION_ALIAS", "DELETED"),
)
"""What of MLflow's events changes what people said of a version, or what the app records of it."""
_PATH = "/api/2.0/mlflow/webhooks"
_ABOUT = "Wakes hitl_mlops: approvals are read as soon as they are given."
_PATIENCE_S = 30.0
_LONGEST = 50
_MISSING, _MISTAKEN = 404, 400
_NOT_LET_IN = (401, 403)


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook as MLflow has it, without its secret, which MLflow tells nobody.

    Attributes:
        webhook_id: MLflow's name of it.
        url: whom it calls.
        is_active: whether it does.
    """

    webhook_id: str
    url: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class MlflowWebhooks:
    """The webhooks of one name in one MLflow; only its administrator may look at them, or change them.

    Attributes:
        mlflow: address of the server.
        name: of ours.
        login: account and password; None: it asks nobody who they are.
        by_proxy: the environment's proxies are used.
        transport: what carries requests; None: the network.
    """

    mlflow: str
    name: str
    login: tuple[str, str] | None = field(default=None, repr=False)
    by_proxy: bool = False
    transport: httpx.BaseTransport | None = None

    def find(self) -> list[Webhook]:
        """Those of our name.

        Raises:
            CredentialsError: the account is not an administrator's.
            ServiceDownError: MLflow does not answer.
            ConfigurationError: the address is no server's.
        """
        with self._client() as client:
            return list(self._find(client))

    def set(self, url: str, secret: str) -> Webhook:
        """One webhook of our name calls that address, signed with the secret; twice is as once.

        Raises:
            InputError: MLflow does not call such an address.
            CredentialsError, ServiceDownError, ConfigurationError: as `find`.
        """
        events = [{"entity": entity, "action": action} for entity, action in EVENTS]
        wanted = {"name": self.name, "url": url, "events": events, "secret": secret, "status": "ACTIVE"}
        with self._client() as client:
            found = list(self._find(client))
            for one in found[1:]:
                self._ask(client, "DELETE", f"{_PATH}/{one.webhook_id}")
            if found:
                path = f"{_PATH}/{found[0].webhook_id}"
                return _webhook(self._ask(client, "PATCH", path, json=wanted)["webhook"])
            made = self._ask(client, "POST", _PATH, json=wanted | {"description": _ABOUT})
            return _webhook(made["webhook"])

    def drop(self) -> int:
        """MLflow calls nobody under our name; how many webhooks that took away. Raises as `find`."""
        with self._client() as client:
            found = list(self._find(client))
            for one in found:
                self._ask(client, "DELETE", f"{_PATH}/{one.webhook_id}")
            return len(found)

    def _find(self, client: httpx.Client) -> Iterator[Webhook]:
        token = ""
        while True:
            page = self._ask(client, "GET", _PATH, params={"max_results": 100, "page_token": token})
            for one in page.get("webhooks", ()):
                if one["name"] == self.name:
                    yield _webhook(one)
            token = page.get("next_page_token", "")
            if not token:
                return

    def _client(self) -> httpx.Client:
        if not self.mlflow.startswith(("http://", "https://")):
            raise ConfigurationError(
                f"{self.mlflow} is no MLflow server, and only a server tells of changes.",
                remedy="Name a server under services.mlflow.uri in hitl.yaml, or wait for the next look.",
            )
        return httpx.Client(
            base_url=self.mlflow,
            auth=self.login,
            timeout=_PATIENCE_S,
            trust_env=self.by_proxy,
            transport=self.transport,
        )

    def _ask(self, client: httpx.Client, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            reply = client.request(method, path, **more)
            found: dict[str, Any] = reply.json() if reply.is_success else {}
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ServiceDownError(
                f"MLflow at {self.mlflow} does not answer as MLflow does.",
                remedy="Start it with: hitl up · or correct services.mlflow in hitl.yaml.",
                server="mlflow",
            ) from error
        if reply.is_success:
            return found
        if method == "DELETE" and reply.status_code == _MISSING:
            return {}
        raise self._error(reply)

    def _error(self, reply: httpx.Response) -> Exception:
        if reply.status_code in _NOT_LET_IN:
            return CredentialsError(
                f"MLflow at {self.mlflow} lets only its administrator look at webhooks or change them.",
                remedy="Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD to the administrator's.",
            )
        told = re.sub(r"\s+", " ", reply.text)[:300]
        if reply.status_code == _MISTAKEN:
            return InputError(
                f"MLflow at {self.mlflow} takes no such webhook: {told}",
                remedy="Which addresses it calls: docs/how-to/approve-in-mlflow.md.",
            )
        return ServiceDownError(
            f"MLflow at {self.mlflow} answered {reply.status_code}: {told}",
            remedy="Read its log; then run the same again.",
            server="mlflow",
        )


def name_of(project: str, owner: str) -> str:
    """The name of the project's webhook, in signs that MLflow takes.

    >>> name_of("cheque reader", "p_0123456789abcdef")
    'hitl-cheque-reader-89abcdef'
    """
    return f"hitl-{project.replace(' ', '-')[: _LONGEST - 5]}-{owner[-8:]}"


def _webhook(told: dict[str, Any]) -> Webhook:
    return Webhook(str(told["webhook_id"]), str(told["url"]), told.get("status", "ACTIVE") == "ACTIVE")
