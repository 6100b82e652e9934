"""One training as a run of MLflow: the model in its own format, figures, and the dataset it learned from."""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Mapping
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from hitl_mlops.training.artifact import SKOPS_FILE, Trust, pack, tree_digest
from hitl_mlops.training.cache import read_tree, write_tree
from hitl_mlops.training.metric_names import KEY_CHARS, encoded
from hitl_mlops.training.record import FittedModel
from hitl_mlops.training.registry import DATASET_TAG, DIGEST_TAG, RUN_KEY_TAG

MODEL_ID_TAG = "hitl.model_id"
REQUIRED = ("hitl-mlops", "mlflow", "numpy", "pandas", "scikit-learn", "skops")
METRICS_PER_CALL = 500
DATASET_DIGEST_CHARS = 36
"""The longest dataset digest that MLflow stores; the whole one stands in the tag `hitl.dataset`."""


def log_run(
    client: Any, name: str, trust: Trust, fitted: FittedModel, run_key: str, *, experiment: str
) -> Any:
    """A finished run holds the model; one that is killed before stays unfinished and is never used again.

    Args:
        client: MLflow's client.
        name: of the registered model.
        trust: which code the stored model may name.
        fitted: what was trained.
        run_key: by which the run is known again.
        experiment: id of the experiment it belongs to.
    """
    files = pack(fitted, trust)
    _import_quietly()
    tags = {RUN_KEY_TAG: run_key, DATASET_TAG: fitted.dataset_digest}
    run_id = client.create_run(experiment, tags=tags, run_name=f"dataset {fitted.dataset_number}").info.run_id
    model = client.create_logged_model(experiment, name=name, source_run_id=run_id)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        _save(fitted, files, folder, trust, run_id, model.model_id)
        digest = tree_digest(read_tree(folder))
        client.log_model_artifacts(model.model_id, str(folder))
    _log_figures(client, name, fitted, run_id, model.model_id)
    client.finalize_logged_model(model.model_id, "READY")
    client.set_tag(run_id, DIGEST_TAG, digest)
    client.set_tag(run_id, MODEL_ID_TAG, model.model_id)
    client.set_terminated(run_id, "FINISHED")
    return client.get_run(run_id)


def _import_quietly() -> None:
    """MLflow warns of type hints in its own code while it is imported, and the user can do nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.pyfunc
        import mlflow.sklearn  # noqa: F401


def _save(
    fitted: FittedModel, files: Mapping[str, bytes], folder: Path, trust: Trust, run_id: str, model_id: str
) -> None:
    """MLflow's own format, so that its page and `mlflow models serve` know the model, with our bytes."""
    from mlflow.models import Model as Card
    from mlflow.sklearn import save_model

    save_model(
        fitted.estimator,
        str(folder),
        mlflow_model=Card(run_id=run_id, model_id=model_id),
        serialization_format="skops" if SKOPS_FILE in files else "cloudpickle",
        skops_trusted_types=list(trust.all_types),
        signature=_signature(fitted.signature_sample),
        pip_requirements=[f"{name}=={installed(name)}" for name in REQUIRED],
    )
    write_tree(folder, files)


def _log_figures(client: Any, name: str, fitted: FittedModel, run_id: str, model_id: str) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelOutput, Metric, Param

    dataset = Dataset(
        name=f"{name} dataset {fitted.dataset_number}",
        digest=fitted.dataset_digest.removeprefix("sha256:")[:DATASET_DIGEST_CHARS],
        source_type="hitl",
        source=fitted.dataset_digest,
    )
    used = DatasetInput(dataset, tags=[InputTag("mlflow.data.context", "training")])
    client.log_inputs(run_id, datasets=[used])
    client.log_outputs(run_id, [LoggedModelOutput(model_id, 0)])
    facts = {
        "recipe": fitted.recipe,
        "recalibrate": fitted.recalibrate,
        "dataset": fitted.dataset_number,
        "train_rows": fitted.train_rows,
        "test_rows": fitted.test_rows,
        "classes": len(fitted.classes),
    }
    client.log_batch(run_id, params=[Param(key, str(value)) for key, value in facts.items()])
    now = int(time.time() * 1000)
    metrics = [
        Metric(encoded(key), value, now, 0, model_id=model_id, run_id=run_id)
        for key, value in fitted.metrics.items()
        if len(encoded(key)) <= KEY_CHARS
    ]
    for start in range(0, len(metrics), METRICS_PER_CALL):
        client.log_batch(run_id, metrics=metrics[start : start + METRICS_PER_CALL])


def _signature(sample: Any) -> Any | None:
    """The inputs' columns and types; None where MLflow has no type for a column."""
    from mlflow.exceptions import MlflowException
    from mlflow.models import infer_signature

    # Whole numbers are declared as doubles: a missing one could not be an integer when it is served.
    whole = sample.select_dtypes("integer").columns
    try:
        return infer_signature(sample.astype(dict.fromkeys(whole, "float64")))
    except (MlflowException, TypeError, ValueError):
        return None
