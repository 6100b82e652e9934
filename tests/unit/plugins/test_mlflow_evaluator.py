"""`mlflow.models.evaluate(…, evaluators="hitl")` on MLflow's own store: the gates' word stands on the run."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # MLflow warns of its own code while it is imported
    import mlflow
    from mlflow.exceptions import MlflowException
    from mlflow.models.evaluation.evaluator_registry import _model_evaluation_registry

from hitl_mlops.cli.main import run
from hitl_mlops.plugins.mlflow_evaluator import HitlEvaluator
from hitl_mlops.project import Project

pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore")]
GATES = """\
gates:
  required: [override_rate, fairness]
  override_rate: {margin: 0.05}
  fairness: {outcome: "yes"}
"""


def loans(count, seed):
    """Loans that only the score decides; a third of the applicants are of group a."""
    rng = np.random.default_rng(seed)
    score = rng.random(count)
    frame = pd.DataFrame({"score": score, "noise": rng.random(count)})
    frame["sex"] = rng.choice(["a", "b", "b"], count)
    frame["label"] = np.where(score + rng.normal(0, 0.1, count) > 0.5, "yes", "no")
    return frame


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose first champion is registered in an MLflow of its own, in a file."""
    home = tmp_path_factory.mktemp("evaluator")
    data, folder, store = home / "loans.csv", home / "project", f"sqlite:///{home}/mlflow.db"
    loans(400, 1).to_csv(data, index=False)
    assert run(["init", "--data", str(data), "--label", "label", str(folder)]) == 0
    settings = folder / "hitl.yaml"
    text = settings.read_text()
    settings.write_text(
        text.replace("\ntask:\n", "\ntask:\n  protected: [sex]\n", 1)
        + f"\nservices:\n  mlflow: {{uri: '{store}'}}\n"
    )
    policy = folder / "policy.yaml"
    head, _, rest = policy.read_text().partition("gates:")
    policy.write_text(head + GATES + "\napproval:" + rest.partition("\napproval:")[2])
    mlflow.set_tracking_uri(store)
    name = Project.open(folder).settings.model.name
    for experiment in (name, "evaluations"):
        mlflow.create_experiment(experiment, artifact_location=(home / "artifacts" / experiment).as_uri())
    with Project.open(folder) as opened:
        opened.train()
    mlflow.set_experiment("evaluations")
    _model_evaluation_registry.register("hitl", HitlEvaluator)
    return folder


def judged(project, model, data, **config):
    with mlflow.start_run() as active:
        found = mlflow.models.evaluate(
            model,
            data,
            targets="label",
            model_type="classifier",
            evaluators="hitl",
            evaluator_config={"project": str(project), **config},
        )
    return found, mlflow.get_run(active.info.run_id)


def by_score(rows):
    return np.where(rows["score"] > 0.5, "yes", "no")


def against_a(rows):
    return np.where((rows["score"] > 0.5) & (rows["sex"] != "a"), "yes", "no")


def test_a_good_model_passes_and_the_run_tells_it(project):
    found, kept = judged(project, by_score, loans(3000, 2))
    assert found.metrics["hitl_verdict"] == 1.0
    assert found.metrics["hitl_override_rate_verdict"] == found.metrics["hitl_fairness_verdict"] == 1.0
    assert kept.data.metrics == found.metrics
    assert kept.data.tags["hitl.verdict"] == "pass"
    assert kept.data.tags["hitl.verdict.severity"] == "not asked"
    report = json.loads(mlflow.artifacts.load_text(f"{kept.info.artifact_uri}/hitl/gates.json"))
    assert report == json.loads(json.dumps(found.artifacts["hitl_report"].content))
    assert "recommended: approve" in mlflow.artifacts.load_text(f"{kept.info.artifact_uri}/hitl/gates.md")
    assert "<html" in found.artifacts["hitl_page"].content


def test_a_model_that_wrongs_a_group_fails_by_name(project):
    found, kept = judged(project, against_a, loans(3000, 2))
    assert found.metrics["hitl_fairness_verdict"] == -1.0
    assert found.metrics["hitl_fairness"] < 0.1
    assert kept.data.tags["hitl.verdict"] == "fail"


def test_rows_that_the_project_may_have_learned_from_are_never_read(project):
    found, _ = judged(project, by_score, loans(400, 1))
    gates = {one["name"]: one for one in found.artifacts["hitl_report"].content["results"]}
    assert 0 < gates["override_rate"]["count"] < 160
    assert "held-back cases stand in the training data" in gates["data_sanity"]["reason"]


@pytest.mark.parametrize(
    ("model_type", "config"), [("classifier", {}), ("classifier", None), ("regressor", {"project": "."})]
)
def test_it_keeps_silent_unless_it_is_asked_with_a_project(model_type, config):
    assert not HitlEvaluator.can_evaluate(model_type=model_type, evaluator_config=config)


def test_asked_without_a_project_mlflow_says_that_nobody_can(project):
    with mlflow.start_run(), pytest.raises(MlflowException, match="could not be evaluated"):
        mlflow.models.evaluate(
            by_score, loans(50, 4), targets="label", model_type="classifier", evaluators="hitl"
        )


def test_data_without_a_column_of_the_project_are_refused(project):
    with pytest.raises(Exception, match="The data lack sex"):
        judged(project, by_score, loans(50, 4).drop(columns="sex"))


def test_a_models_own_confidence_is_judged(project, tmp_path):
    with Project.open(project) as opened:
        uri = f"models:/{opened.settings.model.name}/1"
    copy = mlflow.artifacts.download_artifacts(
        uri, dst_path=str(tmp_path)
    )  # MLflow writes beside what it loads
    with mlflow.start_run():
        found = mlflow.models.evaluate(
            copy,
            loans(2000, 3).astype({"score": float}),
            targets="label",
            model_type="classifier",
            evaluators=["hitl"],
            evaluator_config={"hitl": {"project": str(project)}},
        )
    assert "hitl_calibration" in found.metrics
    assert found.metrics["hitl_override_rate"] == 0.0
