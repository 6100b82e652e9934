"""MLflow behind the app: people who send requests, and a version that is ready to be approved."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx

from hitl_mlops.audit.keys import read_verifier
from hitl_mlops.rollout.changes import RECORDS_TAG, Change, read_changes
from hitl_mlops.servers.mlflow_accounts import public_key_file
from hitl_mlops.training.registry import DIGEST_TAG, GATES_TAG, POLICY_TAG, VERDICT_TAG
from tests.servers import MlflowApp

API = "/api/2.0/mlflow"
AJAX = "/ajax-api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
PAGE = "# better"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Made:
    """A registered version, with where its files lie."""

    model: str
    version: str
    run_id: str
    folder: str


class Room:
    """Everybody who may send a request to the server."""

    def __init__(self, app: MlflowApp) -> None:
        self.app = app
        self._shared: dict[Callable[[Room], Made], Made] = {}
        self._http = httpx.Client(base_url=app.url, timeout=30, trust_env=False)

    def close(self) -> None:
        """Nobody sends any more."""
        self._http.close()

    def send(self, who: str | None, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """The answer to the request, sent as that account; None sends no log-in."""
        auth = more.pop("auth", self.app.accounts.login(who) if who else None)
        content = {"content": json.dumps(body)} if body is not None else {}
        headers = {"Content-Type": "application/json"} if body is not None else {}
        options = {**content, "headers": headers, **more}
        return self._http.request(method, path, auth=auth, **options)

    def do(self, who: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The same, and it must be done."""
        answer = self.send(who, method, path, body)
        assert answer.status_code == 200, f"{who} {method} {path}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def registered(self, by: str = "tom", model: str | None = None) -> Made:
        """A version that nobody judged yet, of a model of its own unless one is named."""
        if model is None:
            model = f"m{next(_numbers)}"
            self.do(by, "POST", f"{API}/registered-models/create", {"name": model})
            self.do(by, "POST", f"{API}/experiments/create", {"name": model})
        found = self.send(by, "GET", f"{API}/experiments/get-by-name?experiment_name={model}").json()
        body = {"experiment_id": found["experiment"]["experiment_id"]}
        info = self.do(by, "POST", f"{API}/runs/create", body)["run"]["info"]
        folder = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
        answer = self.send(by, "PUT", f"{FILES}/{folder}/model/model.skops", content=b"the bytes")
        assert answer.status_code == 200, answer.text
        body = {
            "name": model,
            "source": f"{info['artifact_uri']}/model",
            "run_id": info["run_id"],
            "tags": [{"key": DIGEST_TAG, "value": "sha256:m"}],
        }
        made = self.do(by, "POST", f"{API}/model-versions/create", body)["model_version"]
        return Made(model, str(made["version"]), info["run_id"], folder)

    def judged(self, by: str = "tom", verdict: str = "pass", model: str | None = None) -> Made:
        """A version with a report on its page."""
        made = self.registered(by, model)
        body = {"name": made.model, "version": made.version, "description": PAGE}
        self.do("pipeline", "PATCH", f"{API}/model-versions/update", body)
        for key, value in ((GATES_TAG, "sha256:g"), (POLICY_TAG, "sha256:p"), (VERDICT_TAG, verdict)):
            self.tag("pipeline", made, key, value)
        return made

    def approved(self, by: str = "ann") -> Made:
        """A version that a release manager approved."""
        made = self.judged()
        self.tag(by, made, "hitl.approval", "approve: better on the new scanner")
        return made

    def tag(self, who: str, made: Made, key: str, value: str) -> None:
        self.do(
            who,
            "POST",
            f"{API}/model-versions/set-tag",
            {"name": made.model, "version": made.version, "key": key, "value": value},
        )

    def shared(self, ready: Callable[[Room], Made]) -> Made:
        """A version made ready once, for requests that are to change nothing."""
        if ready not in self._shared:
            self._shared[ready] = ready(self)
        return self._shared[ready]

    def champion(self, made: Made) -> None:
        body = {"name": made.model, "version": made.version, "alias": "champion"}
        self.do("pipeline", "POST", f"{API}/registered-models/alias", body)

    def version(self, made: Made) -> dict[str, Any]:
        """The version as MLflow shows it."""
        answer = self.send(
            "reader", "GET", f"{API}/model-versions/get?name={made.model}&version={made.version}"
        )
        found: dict[str, Any] = answer.json()["model_version"]
        return found

    def tags(self, made: Made) -> dict[str, str]:
        return {one["key"]: one["value"] for one in self.version(made).get("tags", [])}

    def changes(self, made: Made) -> tuple[Change, ...]:
        """What the app signed."""
        key = read_verifier(public_key_file(self.app.state))
        return read_changes(self.tags(made).get(RECORDS_TAG), of=(made.model, made.version), verifier=key)

    def aliases(self, made: Made) -> dict[str, str]:
        answer = self.send("reader", "GET", f"{API}/registered-models/get?name={made.model}").json()
        return {one["alias"]: one["version"] for one in answer["registered_model"].get("aliases", [])}

    def write_database(self, statement: str, *values: str) -> None:
        """What somebody does who can write to MLflow's database."""
        with (
            closing(sqlite3.connect(self.app.state / "mlflow" / "mlflow.db", timeout=30)) as database,
            database,
        ):
            assert database.execute(statement, values).rowcount == 1
