"""`mlflow.models.evaluate(…, evaluators="hitl")`: a project's gates on any classifier, logged to the run.

MLflow loads the class by the entry point `mlflow.model_evaluator`. It judges and reports; it neither keeps a
report nor opens the way to an approval: that needs `hitl gate`, which binds the bytes that will be served.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, RunTag
from mlflow.models.evaluation import EvaluationResult, ModelEvaluator
from mlflow.models.evaluation.artifacts import JsonEvaluationArtifact, TextEvaluationArtifact

from hitl_mlops.dataset.assemble import label_text
from hitl_mlops.dataset.split import split_by_subject
from hitl_mlops.decisions.model import Model
from hitl_mlops.errors import InputError
from hitl_mlops.gates.evidence import ChallengerEvidence, DataFacts, JudgedCases
from hitl_mlops.gates.gather import answered, group_names, row_hashes
from hitl_mlops.gates.judge import judge
from hitl_mlops.gates.leaks import single_column_recalls
from hitl_mlops.gates.policy import gates_policy
from hitl_mlops.gates.render import json_bytes, markdown, page
from hitl_mlops.gates.report import GateReport, Verdict
from hitl_mlops.project import Project

FOLDER = "hitl"
SAID = {Verdict.PASS: 1.0, Verdict.INCONCLUSIVE: 0.0, Verdict.FAIL: -1.0, Verdict.ERROR: -2.0}
"""How a verdict stands among the metrics, which MLflow keeps as numbers."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model said of some cases; `confidence` is NaN where it gives none."""

    labels: npt.NDArray[np.object_]
    confidence: npt.NDArray[np.float64]


class HitlEvaluator(ModelEvaluator):  # type: ignore[misc]
    """A project's gates as an evaluator of MLflow.

    Its config: `project`, the folder of the project, must be there; `pi`, the column of the probability with
    which each case was to be labelled, 1 where left out. The project's champion answers the same cases;
    before there is one, what compares is inconclusive.
    """

    @classmethod
    def can_evaluate(cls, *, model_type: str, evaluator_config: Mapping[str, Any], **_: Any) -> bool:
        """Only classifiers, and only where the config names a project: `evaluators=None` asks everybody."""
        return model_type == "classifier" and bool((evaluator_config or {}).get("project"))

    def evaluate(
        self, *, model_type: str, dataset: Any, run_id: str, evaluator_config: Mapping[str, Any], **how: Any
    ) -> EvaluationResult:
        """The gates' word stands on the run: metrics, tags, and the report as artifacts under `hitl/`.

        Metrics are `hitl_<gate>`, the gate's figure where it has one, `hitl_<gate>_verdict` and
        `hitl_verdict`: 1 pass, 0 inconclusive, -1 fail, -2 error.

        Raises:
            InputError: there are no targets, or the data lack a column of the project's.
        """
        del model_type
        model, answers = how.get("model"), dataset.predictions_data
        with Project.open(Path(evaluator_config["project"]), actor="mlflow") as project:
            rows, truth = _rows(dataset), _truth(dataset)
            said = _answers(model, rows) if answers is None else _given(answers)
            evidence = _evidence(project, rows, truth, said, model, run_id, evaluator_config.get("pi"))
            policy = project.parts.policy
            bounds = gates_policy(policy.section("gates"))
            report = judge(evidence, bounds, policy_hash=policy.hash, now=datetime.now(UTC))
            return _logged(report, project.settings.model.name, run_id)


def _rows(dataset: Any) -> pd.DataFrame:
    rows = dataset.features_data
    if not isinstance(rows, pd.DataFrame):
        raise InputError(
            "The data are no table with named columns.", remedy="Give mlflow.models.evaluate a DataFrame."
        )
    return rows.reset_index(drop=True)


def _truth(dataset: Any) -> npt.NDArray[np.object_]:
    if dataset.labels_data is None:
        raise InputError(
            "The data have no truth to hold answers against.", remedy='Name its column: targets="label".'
        )
    return np.array([label_text(one) for one in dataset.labels_data], dtype=object)


def _given(answers: Any) -> Answers:
    labels = np.array([label_text(one) for one in np.asarray(answers).ravel()], dtype=object)
    return Answers(labels, np.full(len(labels), np.nan))


def _answers(model: Any, rows: pd.DataFrame) -> Answers:
    """The model's answers, and how sure it is where its own flavour tells."""
    said = _given(model.predict(rows))
    raw = model.get_raw_model() if hasattr(model, "get_raw_model") else None
    if raw is None or not hasattr(raw, "predict_proba"):
        return said
    wanted = getattr(raw, "feature_names_in_", None)
    sure = np.asarray(raw.predict_proba(rows if wanted is None else rows[list(wanted)])).max(axis=1)
    return Answers(said.labels, sure)


def _evidence(
    project: Project,
    rows: pd.DataFrame,
    truth: npt.NDArray[np.object_],
    said: Answers,
    model: Any,
    run_id: str,
    pi: str | None,
) -> ChallengerEvidence:
    task, champion = project.parts.task, _champion(project)
    _demand(rows, [*task.inputs, *task.slices, *task.protected, *([pi] if pi else [])])
    fresh = _never_learned(project, rows[list(task.inputs)])
    count, inputs = len(rows), rows[list(task.inputs)]
    return ChallengerEvidence(
        model_version=run_id,
        model_digest=str(getattr(getattr(model, "metadata", None), "model_uuid", None) or "not known"),
        champion=champion.version if champion else None,
        dataset_digest="not known",
        classes=tuple(sorted({*task.classes, *(str(one) for one in said.labels)})),
        cases=JudgedCases(
            truth=truth,
            challenger=said.labels,
            challenger_confidence=said.confidence,
            champion=None if champion is None else answered(champion, rows)[0],
            pi=rows[pi].to_numpy(dtype=np.float64) if pi else np.ones(count),
            labelled=np.array([one is not None for one in truth], dtype=np.bool_),
            held_back=fresh,
            live=np.zeros(count, dtype=np.bool_),
            slices={name: rows[name].map(str).to_numpy(dtype=object) for name in task.slices},
            groups={name: group_names(rows[name].tolist()) for name in task.protected},
        ),
        data=DataFacts(
            leaks=single_column_recalls(inputs, truth.tolist()),
            duplicates=int((~fresh).sum()),
            held_back=count,
        ),
    )


def _champion(project: Project) -> Model | None:
    standing, _ = project.parts.rollouts.standing()
    if standing is None:
        return None
    return project.parts.registry.load(standing.challenger, digest=standing.challenger_digest)


def _never_learned(project: Project, inputs: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """The rows whose inputs do not stand among those that the project's models may have learned from."""
    parts = project.parts
    if not parts.store.versions():
        return np.ones(len(inputs), dtype=np.bool_)
    known = parts.store.read(parts.store.version("latest"))
    learned = known.to_pandas()[split_by_subject(known, key=parts.policy_key).train]
    return ~np.isin(row_hashes(inputs), row_hashes(learned[list(inputs.columns)]))


def _demand(rows: pd.DataFrame, wanted: list[str]) -> None:
    missing = [name for name in dict.fromkeys(wanted) if name not in rows.columns]
    if missing:
        raise InputError(
            f"The data lack {', '.join(missing)}.",
            remedy="Bring the project's inputs, slices and protected columns beside the target.",
            missing=missing,
        )


def _logged(report: GateReport, name: str, run_id: str) -> EvaluationResult:
    client, now = MlflowClient(), int(report.made_at.timestamp() * 1000)
    metrics = dict(_metrics(report))
    tags = [RunTag(f"hitl.verdict.{one.name}", one.says) for one in report.results]
    client.log_batch(
        run_id,
        metrics=[Metric(key, value, now, 0) for key, value in metrics.items()],
        tags=[RunTag("hitl.verdict", report.verdict.value), *tags],
    )
    told = {
        "gates.json": json_bytes(report).decode(),
        "gates.html": page(report, name=name).decode(),
        "gates.md": markdown(report, name=name),
    }
    for file, text in told.items():
        client.log_text(run_id, text, f"{FOLDER}/{file}")
    folder = f"{client.get_run(run_id).info.artifact_uri}/{FOLDER}"
    artifacts = {
        "hitl_report": JsonEvaluationArtifact(f"{folder}/gates.json", report.to_dict()),
        "hitl_page": TextEvaluationArtifact(f"{folder}/gates.html", told["gates.html"]),
        "hitl_screen": TextEvaluationArtifact(f"{folder}/gates.md", told["gates.md"]),
    }
    return EvaluationResult(metrics, artifacts, run_id=run_id)


def _metrics(report: GateReport) -> Iterator[tuple[str, float]]:
    yield "hitl_verdict", SAID[report.verdict]
    for one in report.results:
        yield f"hitl_{one.name}_verdict", SAID[one.verdict]
        if one.figure is not None:
            yield f"hitl_{one.name}", one.figure
