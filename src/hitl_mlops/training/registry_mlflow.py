"""The registry on MLflow: versions, notes and approvals live where release managers look.

Registering is a saga keyed by the tag `hitl.run_key`: look for the version, else for a finished run whose
version was never made, else log anew. A run that was killed before it finished is never used again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from hitl_mlops.decisions.model import EstimatorModel, Model
from hitl_mlops.errors import (
    BusyError,
    CredentialsError,
    HitlError,
    IntegrityError,
    ServiceDownError,
    TransientError,
)
from hitl_mlops.training.artifact import Trust, unpack
from hitl_mlops.training.cache import ModelCache, read_tree, write_tree
from hitl_mlops.training.metric_names import decoded
from hitl_mlops.training.mlflow_errors import translated_error
from hitl_mlops.training.mlflow_login import Login, log_in
from hitl_mlops.training.mlflow_run import MODEL_ID_TAG, log_run
from hitl_mlops.training.notes import render_notes
from hitl_mlops.training.record import FittedModel, ModelVersion, ReleaseNotes
from hitl_mlops.training.registry import (
    DATASET_TAG,
    DIGEST_TAG,
    RUN_KEY_TAG,
    check_file_name,
    no_file,
    no_version,
)

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
"""MLflow takes these only from the environment; its own defaults retry for minutes, phone home, and print."""
TOLD_BY_US = ("mlflow.store.db.utils", "mlflow.utils.environment")
"""MLflow's loggers that print a traceback of what it also raises, or miss a pip that uv does not install."""


class MlflowRegistry:
    """See `ModelRegistry`. One registered model; runs go to the experiment of the same name."""

    def __init__(
        self,
        uri: str | Callable[[], str],
        name: str,
        *,
        cache: Path,
        trust: Trust | None = None,
        login: Login | None = None,
    ) -> None:
        """Nothing is asked of the server yet.

        Args:
            uri: address of the server, or of MLflow's database; or what finds it out once it is needed.
            name: the registered model.
            cache: folder for digest-named copies of loaded models.
            trust: which code a model may name.
            login: the account to ask under; None: the one of the environment, if any.
        """
        self._where = uri
        self.name = name
        self.trust = trust or Trust()
        self._login = login
        self._cache = ModelCache(cache)
        self._loaded: dict[tuple[str, str], Model] = {}

    @cached_property
    def uri(self) -> str:
        """Address of the server, or of MLflow's database; raises ServiceDownError where none runs."""
        return self._where if isinstance(self._where, str) else self._where()

    @cached_property
    def _client(self) -> Any:
        for key, value in SETTINGS.items():
            os.environ.setdefault(key, value)
        from mlflow import MlflowClient

        for name in TOLD_BY_US:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def register(self, fitted: FittedModel, notes: ReleaseNotes, *, run_key: str) -> ModelVersion:
        """See `ModelRegistry`."""
        with self._translated():
            known = self._by_key(run_key)
            if known is None:
                run = self._finished_run(run_key) or self._log(fitted, run_key)
                self._create_version(run, render_notes(self.name, fitted, notes))
                known = self._by_key(run_key)
            if known is None:
                raise ServiceDownError(
                    f"MLflow at {self.uri} took a new version of {self.name} but does not show it.",
                    remedy="Look at the server's log, then run the same command again.",
                )
            return self._read(known, self._of(str(known.version)).aliases)

    def get(self, version: str) -> ModelVersion:
        """See `ModelRegistry`."""
        with self._translated():
            found = self._of(version)
            return self._read(found, found.aliases)

    def versions(self) -> list[ModelVersion]:
        """See `ModelRegistry`."""
        with self._translated():
            aliases, runs = self._aliases(), self._runs()
            every = self._search(f"name = '{self.name}'")
            return [
                self._read(found, _named(aliases, str(found.version)), runs.get(found.run_id))
                for found in every
            ]

    def alias(self, alias: str) -> ModelVersion | None:
        """See `ModelRegistry`."""
        with self._translated():
            found = self._by_alias(alias)
            return None if found is None else self._read(found, found.aliases)

    def set_alias(self, alias: str, version: str) -> None:
        """See `ModelRegistry`."""
        with self._translated():
            self._of(version)
            self._client.set_registered_model_alias(self.name, alias, version)
            found = self._aliases().get(alias)
        if found != version:
            raise BusyError(
                f"The alias {alias} of {self.name} was set to {version}, but now names {found}.",
                remedy="Somebody else moves it; find out who, then run the command again.",
                alias=alias,
                found=found,
            )

    def drop_alias(self, alias: str) -> None:
        """See `ModelRegistry`."""
        with self._translated():
            if alias in self._aliases():
                self._client.delete_registered_model_alias(self.name, alias)

    def load(self, version: str, *, digest: str | None = None) -> Model:
        """See `ModelRegistry`. The registry's bytes come first; a local copy stands in while it is down.

        A model of a digest is loaded once: bytes of one digest do not change.
        """
        known = self._loaded.get((version, digest or ""))
        if known is None:
            known = self._load(version, digest)
            if digest is not None:
                self._loaded[version, digest] = known
        return known

    def _load(self, version: str, digest: str | None) -> Model:
        try:
            with self._translated():
                found = self._of(version)
                expected = digest or found.tags.get(DIGEST_TAG, "")
                files = self._download(found)
        except TransientError:
            copy = self._cache.read(digest) if digest else None
            if digest is None or copy is None:
                raise
            return unpack(copy, version=version, expected=digest, trust=self.trust)
        model: EstimatorModel = unpack(files, version=version, expected=expected, trust=self.trust)
        self._cache.keep(files)
        return model

    def set_tag(self, version: str, key: str, value: str) -> None:
        """See `ModelRegistry`."""
        with self._translated():
            self._of(version)
            self._client.set_model_version_tag(self.name, version, key, value)

    def describe(self, version: str, markdown: str) -> None:
        """See `ModelRegistry`."""
        with self._translated():
            self._of(version)
            self._client.update_model_version(self.name, version, description=markdown)

    def attach(self, version: str, files: Mapping[str, bytes]) -> None:
        """See `ModelRegistry`."""
        for name in files:
            check_file_name(name)
        with self._translated(), tempfile.TemporaryDirectory() as scratch:
            run_id = self._of(version).run_id
            write_tree(Path(scratch), files)
            self._client.log_artifacts(run_id, scratch, "hitl")

    def attached(self, version: str, name: str) -> bytes:
        """See `ModelRegistry`."""
        check_file_name(name)
        with self._translated(), tempfile.TemporaryDirectory() as scratch:
            run_id = self._of(version).run_id
            if f"hitl/{name}" not in {entry.path for entry in self._client.list_artifacts(run_id, "hitl")}:
                raise no_file(version, name)
            return Path(self._client.download_artifacts(run_id, f"hitl/{name}", scratch)).read_bytes()

    def _of(self, version: str) -> Any:
        from mlflow.exceptions import MlflowException

        try:
            return self._client.get_model_version(self.name, version)
        except MlflowException as error:
            if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
                raise
            known = [str(found.version) for found in self._search(f"name = '{self.name}'")]
            raise no_version(self.name, version, known) from error

    def _search(self, condition: str) -> list[Any]:
        """Versions that meet the condition, oldest first."""
        found: list[Any] = []
        token: str | None = None
        while True:
            page = self._client.search_model_versions(condition, page_token=token)
            found += page
            token = page.token
            if not token:
                return sorted(found, key=lambda version: int(version.version))

    def _by_key(self, run_key: str) -> Any | None:
        """The one version with the key.

        A creation whose answer was lost is sent again by MLflow's client, so there may be a younger twin:
        it goes, unless an alias stands on it.
        """
        found = self._search(f"name = '{self.name}' and tags.`{RUN_KEY_TAG}` = '{run_key}'")
        for twin in found[1:]:
            if str(twin.version) not in self._aliases().values():
                self._client.delete_model_version(self.name, str(twin.version))
        return found[0] if found else None

    def _by_alias(self, alias: str) -> Any | None:
        """In one request; MLflow calls an alias that nobody set an invalid value."""
        from mlflow.exceptions import MlflowException

        try:
            return self._client.get_model_version_by_alias(self.name, alias)
        except MlflowException as error:
            if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
                raise
            return None

    def _aliases(self) -> dict[str, str]:
        from mlflow.exceptions import MlflowException

        try:
            aliases = self._client.get_registered_model(self.name).aliases
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return {}
            raise
        return {str(alias): str(version) for alias, version in aliases.items()}

    def _runs(self) -> dict[str, Any]:
        """The runs of our experiment by their id, some thousand with one question."""
        experiment = self._client.get_experiment_by_name(self.name)
        runs: dict[str, Any] = {}
        token: str | None = None
        while experiment is not None:
            page = self._client.search_runs([experiment.experiment_id], max_results=1000, page_token=token)
            runs |= {run.info.run_id: run for run in page}
            token = page.token
            if not token:
                break
        return runs

    def _read(self, found: Any, aliases: Iterable[str], run: Any | None = None) -> ModelVersion:
        """The version; its run is asked for where it is not given."""
        there = self._client.get_run(found.run_id) if run is None and found.run_id else run
        metrics = there.data.metrics if there is not None else {}
        return ModelVersion(
            name=self.name,
            version=str(found.version),
            digest=found.tags.get(DIGEST_TAG, ""),
            run_key=found.tags.get(RUN_KEY_TAG, ""),
            created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, tz=UTC),
            tags=dict(found.tags),
            aliases=tuple(sorted(aliases)),
            metrics={decoded(key): float(value) for key, value in metrics.items()},
            description=str(found.description or ""),
        )

    def _finished_run(self, run_key: str) -> Any | None:
        """A run of that key that was logged whole; half-logged ones are closed as killed and passed over."""
        runs = self._client.search_runs([self._experiment()], f"tags.`{RUN_KEY_TAG}` = '{run_key}'")
        for run in runs:
            if run.info.status == "RUNNING":
                self._client.set_terminated(run.info.run_id, "KILLED")
        return next((run for run in runs if run.info.status == "FINISHED"), None)

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(self.name)
        if found is None:
            return str(self._client.create_experiment(self.name))
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _log(self, fitted: FittedModel, run_key: str) -> Any:
        return log_run(self._client, self.name, self.trust, fitted, run_key, experiment=self._experiment())

    def _create_version(self, run: Any, description: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        tags = {key: run.data.tags[key] for key in (RUN_KEY_TAG, DIGEST_TAG, DATASET_TAG)}
        model = self._client.get_logged_model(run.data.tags[MODEL_ID_TAG])
        self._client.create_model_version(
            self.name,
            source=model.artifact_location,
            run_id=run.info.run_id,
            model_id=model.model_id,
            tags=tags,
            description=description,
            await_creation_for=None,
        )

    def _download(self, found: Any) -> dict[str, bytes]:
        from mlflow.artifacts import download_artifacts

        with tempfile.TemporaryDirectory() as scratch:
            try:
                place = download_artifacts(artifact_uri=found.source, dst_path=scratch, tracking_uri=self.uri)
            except Exception as error:
                if isinstance(translated_error(self.uri, error), TransientError | CredentialsError):
                    raise
                raise IntegrityError(
                    f"The files of model {found.version} are not where they were stored: {error}",
                    remedy="Restore the artifact store from its backup, or run: hitl train",
                    version=str(found.version),
                ) from error
            return read_tree(Path(place))

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """MLflow's errors leave as ours; it is asked under our account."""
        log_in(self._login)
        try:
            yield
        except HitlError:
            raise
        except Exception as error:
            known = translated_error(self.uri, error)
            if known is None:
                raise
            raise known from error


def _named(aliases: Mapping[str, str], version: str) -> list[str]:
    """Which of the aliases name the version."""
    return [alias for alias, named in aliases.items() if named == version]
