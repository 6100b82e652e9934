"""What every model registry keeps to: the twin, and MLflow on a real server."""

from __future__ import annotations

import http.server
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hitl_mlops.errors import (
    BusyError,
    ConfigurationError,
    CredentialsError,
    InputError,
    IntegrityError,
    NotFoundError,
    ServiceDownError,
)
from hitl_mlops.training.recipe import Recipe
from hitl_mlops.training.registry import CHALLENGER, CHAMPION, ModelRegistry
from hitl_mlops.training.registry_in_memory import InMemoryRegistry
from hitl_mlops.training.registry_mlflow import MlflowRegistry
from tests.training_builders import DATASET, a_fitted_model, a_table, release_notes

FITTED = a_fitted_model()


def a_name() -> str:
    return f"loans-{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=["twin", pytest.param("real", marks=pytest.mark.real)])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> ModelRegistry:
    if request.param == "twin":
        return InMemoryRegistry(a_name())
    return MlflowRegistry(request.getfixturevalue("mlflow_server").url, a_name(), cache=tmp_path / "models")


@pytest.fixture
def on_mlflow(mlflow_server: Any, tmp_path: Path) -> MlflowRegistry:
    return MlflowRegistry(mlflow_server.url, a_name(), cache=tmp_path / "models")


def test_an_empty_registry_has_no_versions_and_no_alias(registry: ModelRegistry) -> None:
    assert registry.versions() == []
    assert registry.alias(CHAMPION) is None
    with pytest.raises(NotFoundError, match="has no version 1; it has none yet"):
        registry.get("1")


def test_a_registered_version_is_read_back_with_what_was_said_of_it(registry: ModelRegistry) -> None:
    made = registry.register(FITTED, release_notes(), run_key="train_1")
    assert registry.get(made.version) == made
    assert registry.versions() == [made]
    assert (made.version, made.run_key, made.aliases) == ("1", "train_1", ())
    assert made.created_at.tzinfo is not None
    assert made.metrics == FITTED.metrics
    assert made.tags["hitl.run_key"] == "train_1"
    assert made.tags["hitl.digest"] == made.digest
    assert made.tags["hitl.dataset"] == DATASET
    assert made.digest.startswith("sha256:")


def test_the_page_of_a_version_shows_its_notes_until_they_are_replaced(registry: ModelRegistry) -> None:
    registry.register(FITTED, release_notes(), run_key="train_1")
    assert "| 8 | 3 | 40 |" in registry.get("1").description
    registry.describe("1", "# judged")
    assert [one.description for one in (registry.get("1"), *registry.versions())] == ["# judged"] * 2


def test_the_same_key_gives_the_version_that_exists(registry: ModelRegistry) -> None:
    first = registry.register(FITTED, release_notes(), run_key="train_1")
    assert registry.register(FITTED, release_notes(), run_key="train_1") == first
    second = registry.register(FITTED, release_notes(), run_key="train_2")
    assert [version.version for version in registry.versions()] == [first.version, second.version]


def test_figures_of_classes_with_any_name_come_back(registry: ModelRegistry) -> None:
    metrics = {"accuracy": 0.5, "recall.§ 5 %/a:b": 0.25, "recall.überweisung": 1.0, "recall.🙂": 0.0}
    assert registry.register(a_fitted_model(metrics=metrics), release_notes(), run_key="k").metrics == metrics


def test_an_alias_is_moved_read_and_dropped(registry: ModelRegistry) -> None:
    for key in ("a", "b"):
        registry.register(FITTED, release_notes(), run_key=key)
    registry.set_alias(CHALLENGER, "1")
    registry.set_alias(CHAMPION, "1")
    assert registry.get("1").aliases == (CHALLENGER, CHAMPION)
    registry.set_alias(CHAMPION, "2")
    champion = registry.alias(CHAMPION)
    assert champion is not None
    assert champion.version == "2"
    registry.drop_alias(CHAMPION)
    registry.drop_alias(CHAMPION)
    assert registry.alias(CHAMPION) is None


def test_an_alias_for_a_version_that_is_not_there_names_those_that_are(registry: ModelRegistry) -> None:
    registry.register(FITTED, release_notes(), run_key="a")
    with pytest.raises(NotFoundError, match="has no version 9; its versions: 1"):
        registry.set_alias(CHAMPION, "9")


@pytest.mark.parametrize("version", ["9", "latest", "", "../1", "1; drop"])
def test_a_version_that_is_not_there_is_told(registry: ModelRegistry, version: str) -> None:
    registry.register(FITTED, release_notes(), run_key="a")
    with pytest.raises(NotFoundError):
        registry.get(version)


@pytest.mark.parametrize("recipe", ["linear", "boosting"])
def test_a_loaded_model_answers_as_it_was_fitted(registry: ModelRegistry, recipe: str) -> None:
    fitted = a_fitted_model(Recipe(recipe))
    made = registry.register(fitted, release_notes(), run_key="a")
    model = registry.load("1", digest=made.digest)
    assert (model.version, model.digest, model.classes) == ("1", made.digest, fitted.classes)
    table = a_table()
    np.testing.assert_array_equal(
        model.probabilities(table), fitted.estimator.predict_proba(table[list(fitted.inputs)])
    )


def test_a_model_with_another_digest_than_asked_for_is_not_loaded(registry: ModelRegistry) -> None:
    registry.register(FITTED, release_notes(), run_key="a")
    with pytest.raises(IntegrityError, match="have changed"):
        registry.load("1", digest="sha256:" + "0" * 64)


def test_tags_are_set_and_replaced(registry: ModelRegistry) -> None:
    registry.register(FITTED, release_notes(), run_key="a")
    registry.set_tag("1", "hitl.approval", "approve: fine")
    registry.set_tag("1", "hitl.approval", "reject: no")
    assert registry.get("1").tags["hitl.approval"] == "reject: no"


def test_attached_files_come_back_to_the_byte(registry: ModelRegistry) -> None:
    registry.register(FITTED, release_notes(), run_key="a")
    registry.attach("1", {"report.html": b"<h1>\xff</h1>", "gates.json": b"{}"})
    registry.attach("1", {"gates.json": b"[]"})
    assert registry.attached("1", "report.html") == b"<h1>\xff</h1>"
    assert registry.attached("1", "gates.json") == b"[]"
    with pytest.raises(NotFoundError, match=r"No file drift\.html is attached to model 1"):
        registry.attached("1", "drift.html")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "", ".hidden", "a\n"])
def test_a_file_name_that_leads_elsewhere_is_refused(registry: ModelRegistry, name: str) -> None:
    registry.register(FITTED, release_notes(), run_key="a")
    with pytest.raises(InputError, match="no plain file name"):
        registry.attach("1", {name: b""})


def test_an_estimator_of_untrusted_types_makes_no_version(registry: ModelRegistry) -> None:
    with pytest.raises(ConfigurationError, match="Fraction"):
        registry.register(a_fitted_model(estimator=_with_fraction()), release_notes(), run_key="a")
    assert registry.versions() == []


def _with_fraction() -> Any:
    from fractions import Fraction

    from sklearn.dummy import DummyClassifier

    return DummyClassifier(random_state=Fraction(1, 2))


# What only a real server can do.


@pytest.fixture
def client(on_mlflow: MlflowRegistry) -> Any:
    return on_mlflow._client


def _logged_model(on_mlflow: MlflowRegistry) -> str:
    run_id = on_mlflow._client.get_model_version(on_mlflow.name, "1").run_id
    return str(on_mlflow._client.get_run(run_id).data.tags["hitl.model_id"])


@pytest.mark.real
def test_mlflow_shows_the_dataset_with_our_own_digest(on_mlflow: MlflowRegistry, client: Any) -> None:
    on_mlflow.register(FITTED, release_notes(), run_key="a")
    run = client.get_run(client.get_model_version(on_mlflow.name, "1").run_id)
    (used,) = run.inputs.dataset_inputs
    assert used.dataset.digest == "d" * 36
    assert used.dataset.source == DATASET
    assert run.data.params["recipe"] == FITTED.recipe


@pytest.mark.real
def test_changed_bytes_in_the_artifact_store_are_not_loaded(
    on_mlflow: MlflowRegistry, client: Any, tmp_path: Path
) -> None:
    made = on_mlflow.register(FITTED, release_notes(), run_key="a")
    on_mlflow.load("1")
    evil = tmp_path / "evil"
    evil.mkdir()
    (evil / "hitl.json").write_text('{"classes": ["yes", "no"], "inputs": []}')
    client.log_model_artifacts(_logged_model(on_mlflow), str(evil))
    for digest in (None, made.digest):
        with pytest.raises(IntegrityError, match="have changed"):
            on_mlflow.load("1", digest=digest)


@pytest.mark.real
def test_a_version_made_by_hand_has_no_digest_and_is_not_loaded(
    on_mlflow: MlflowRegistry, client: Any
) -> None:
    on_mlflow.register(FITTED, release_notes(), run_key="a")
    ours = client.get_model_version(on_mlflow.name, "1")
    model_id = _logged_model(on_mlflow)
    client.create_model_version(on_mlflow.name, ours.source, model_id=model_id, await_creation_for=None)
    assert on_mlflow.get("2").digest == ""
    with pytest.raises(IntegrityError):
        on_mlflow.load("2")


@pytest.mark.real
def test_while_mlflow_is_down_the_checked_copy_serves(on_mlflow: MlflowRegistry, tmp_path: Path) -> None:
    made = on_mlflow.register(FITTED, release_notes(), run_key="a")
    expected = on_mlflow.load("1").probabilities(a_table())
    down = MlflowRegistry(_address_of_nobody(), on_mlflow.name, cache=tmp_path / "models")
    np.testing.assert_array_equal(down.load("1", digest=made.digest).probabilities(a_table()), expected)
    with pytest.raises(ServiceDownError, match="does not answer"):
        down.load("1")
    with pytest.raises(ServiceDownError, match="does not answer"):
        down.load("1", digest="sha256:" + "0" * 64)


KILLED = """
import os, pathlib, signal, sys
from hitl_mlops.training.registry_mlflow import MlflowRegistry
from tests.training_builders import a_fitted_model, release_notes
uri, name, cache, call, before = sys.argv[1:]
registry = MlflowRegistry(uri, name, cache=pathlib.Path(cache))
real = getattr(registry._client, call)
def killed(*args, **kwargs):
    if before == "after":
        real(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(registry._client, call, killed)
registry.register(a_fitted_model(), release_notes(), run_key="train_1")
"""


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "moment", "runs"),
    [
        ("log_model_artifacts", "before", 2),
        ("set_terminated", "before", 2),
        ("set_terminated", "after", 1),
        ("create_model_version", "before", 1),
        ("create_model_version", "after", 1),
    ],
)
def test_killed_anywhere_there_is_one_version_per_key_in_the_end(
    on_mlflow: MlflowRegistry, tmp_path: Path, call: str, moment: str, runs: int
) -> None:
    client = on_mlflow._client
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, on_mlflow.uri, on_mlflow.name, str(tmp_path / "models"), call, moment],
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert ended.returncode == -signal.SIGKILL
    made = on_mlflow.register(FITTED, release_notes(), run_key="train_1")
    assert [version.version for version in on_mlflow.versions()] == [made.version]
    assert on_mlflow.load(made.version, digest=made.digest).classes == FITTED.classes
    logged = client.search_runs([client.get_experiment_by_name(on_mlflow.name).experiment_id])
    assert len(logged) == runs
    assert "RUNNING" not in {run.info.status for run in logged}


@pytest.mark.real
def test_a_version_that_was_made_twice_by_a_lost_answer_is_made_one(
    on_mlflow: MlflowRegistry, client: Any
) -> None:
    on_mlflow.register(FITTED, release_notes(), run_key="a")
    first = client.get_model_version(on_mlflow.name, "1")
    client.create_model_version(
        on_mlflow.name,
        first.source,
        run_id=first.run_id,
        model_id=_logged_model(on_mlflow),
        tags=first.tags,
        await_creation_for=None,
    )
    assert on_mlflow.register(FITTED, release_notes(), run_key="a").version == "1"
    assert [version.version for version in on_mlflow.versions()] == ["1"]


@pytest.mark.real
def test_an_alias_that_another_moves_at_the_same_time_is_told(on_mlflow: MlflowRegistry, client: Any) -> None:
    for key in ("a", "b"):
        on_mlflow.register(FITTED, release_notes(), run_key=key)
    move: Callable[..., None] = client.set_registered_model_alias

    def moved_back(name: str, alias: str, version: str) -> None:
        move(name, alias, version)
        move(name, alias, "1")

    client.set_registered_model_alias = moved_back
    with pytest.raises(BusyError, match="was set to 2, but now names 1"):
        on_mlflow.set_alias(CHAMPION, "2")


@pytest.mark.real
@pytest.mark.filterwarnings("ignore:The ``noload`` loader")  # MLflow's own mapping, on SQLAlchemy 2.1
def test_a_locked_database_of_mlflow_is_busy_not_down(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    registry = MlflowRegistry(f"sqlite:///{path}", a_name(), cache=tmp_path / "models")
    assert registry.versions() == []
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(BusyError, match="locked by another writer"):
            registry.versions()
    finally:
        holder.close()


class Refusing(http.server.BaseHTTPRequestHandler):
    """A server that refuses every credential."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.end_headers()
        self.wfile.write(b"You are not authenticated.")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def refusing() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://user:secret@127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_wrong_token_is_told_with_the_remedy_and_without_the_password(
    refusing: str, tmp_path: Path
) -> None:
    with pytest.raises(CredentialsError, match="refused the credentials") as caught:
        MlflowRegistry(refusing, a_name(), cache=tmp_path).get("1")
    assert "MLFLOW_TRACKING_USERNAME" in caught.value.remedy
    assert "secret" not in str(caught.value)


def _address_of_nobody() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"
