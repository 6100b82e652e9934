"""A fitted model as files, and back: hashed as a whole, read with our own list of trusted types.

`model.skops` holds the estimator, `hitl.json` what is needed to use it. A `model.pkl` is written and read
only where the project trusts pickle, because reading one runs whatever code its bytes name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hitl_mlops.decisions.model import EstimatorModel
from hitl_mlops.errors import ConfigurationError, IntegrityError
from hitl_mlops.ids import canonical_json, sha256_hex
from hitl_mlops.own_code import importable
from hitl_mlops.training.record import FittedModel

SKOPS_FILE, PICKLE_FILE, CARD_FILE = "model.skops", "model.pkl", "hitl.json"

TRUSTED_TYPES: tuple[str, ...] = (
    # our readers of cells
    "hitl_mlops.training.columns.as_dates",
    "hitl_mlops.training.columns.as_numbers",
    "hitl_mlops.training.columns.as_texts",
    "hitl_mlops.training.columns.as_words",
    # confidences set right after the fit
    "hitl_mlops.training.recalibrate.Recalibrated",
    # boosting; what a partial calls must be trusted in its own name
    "functools.partial",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
    # trees, calibrated, neighbouring, neural and combined classifiers of an own recipe
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
)
"""What a model's file may name beyond what skops trusts by itself; never read from the file."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Which code a model's file may name.

    Attributes:
        types: full names of further types, from `model.trust_types` in hitl.yaml.
        pickle: whether files that can run any code are written and read.
        folder: where the user's own modules lie.
    """

    types: tuple[str, ...] = ()
    pickle: bool = False
    folder: Path | None = None

    @property
    def all_types(self) -> tuple[str, ...]:
        """Ours and the project's."""
        return (*TRUSTED_TYPES, *self.types)


def pack(fitted: FittedModel, trust: Trust) -> dict[str, bytes]:
    """The model's files, path → bytes; they load again under the same trust.

    Raises:
        ConfigurationError: the estimator holds types that are not trusted, or cannot be written at all.
    """
    card = {"format": 1, "classes": fitted.classes, "inputs": fitted.inputs, "recipe": fitted.recipe}
    name, body = _write(fitted.estimator, trust)
    return {name: body, CARD_FILE: canonical_json(card)}


def tree_digest(files: Mapping[str, bytes]) -> str:
    """Content hash over paths and bytes, whatever their order, `sha256:…`.

    >>> tree_digest({"a": b"1", "b": b"2"}) == tree_digest({"b": b"2", "a": b"1"})
    True
    """
    return "sha256:" + sha256_hex(canonical_json({path: sha256_hex(body) for path, body in files.items()}))


def unpack(files: Mapping[str, bytes], *, version: str, expected: str, trust: Trust) -> EstimatorModel:
    """The model from these very bytes, after their hash was found to be the expected one.

    Raises:
        IntegrityError: the bytes are others, or are no model of ours.
        ConfigurationError: they name types that are not trusted.
    """
    found = tree_digest(files)
    if found != expected:
        raise IntegrityError(
            f"The files of model {version} have changed: their hash is {found}, recorded is {expected}.",
            remedy="Do not serve it; find who changed the artifacts, then run: hitl train",
            version=version,
            expected=expected,
            found=found,
        )
    if CARD_FILE not in files or not {SKOPS_FILE, PICKLE_FILE} & set(files):
        raise IntegrityError(
            f"Model {version} holds {sorted(files)}, but no {CARD_FILE} with a {SKOPS_FILE}.",
            remedy="Register models with: hitl train",
            version=version,
        )
    card = json.loads(files[CARD_FILE])
    return EstimatorModel(
        version=version,
        digest=found,
        classes=tuple(card["classes"]),
        estimator=_read(files, version, trust),
        inputs=tuple(card["inputs"]),
        size_bytes=sum(map(len, files.values())),
    )


def _write(estimator: Any, trust: Trust) -> tuple[str, bytes]:
    import skops.io

    try:
        body = bytes(skops.io.dumps(estimator))
        with importable(trust.folder):
            strange = _strange_types(body, trust)
            if not strange:
                skops.io.loads(body, trusted=list(trust.all_types))
    except Exception as error:  # skops raises whatever an estimator's attributes make it raise
        if trust.pickle:
            return PICKLE_FILE, _pickled(estimator)
        raise ConfigurationError(
            f"The estimator cannot be written without pickle: {type(error).__name__}: {error}",
            remedy="Define its classes and functions at the top of an importable module, or set "
            "model.trust_pickle: true in hitl.yaml.",
        ) from error
    if strange and trust.pickle:
        return PICKLE_FILE, _pickled(estimator)
    if strange:
        raise _untrusted("The estimator", strange)
    return SKOPS_FILE, body


def _read(files: Mapping[str, bytes], version: str, trust: Trust) -> Any:
    import skops.io

    with importable(trust.folder):
        if SKOPS_FILE in files:
            strange = _strange_types(files[SKOPS_FILE], trust)
            if strange:
                raise _untrusted(f"Model {version}", strange)
            return skops.io.loads(files[SKOPS_FILE], trusted=list(trust.all_types))
        if not trust.pickle:
            raise ConfigurationError(
                f"Model {version} was saved with pickle, which can run any code when it is read.",
                remedy="If you trust who trained it, set model.trust_pickle: true in hitl.yaml.",
                version=version,
            )
        import cloudpickle  # type: ignore[import-untyped]

        return cloudpickle.loads(files[PICKLE_FILE])


def _strange_types(body: bytes, trust: Trust) -> list[str]:
    import skops.io

    return sorted(set(skops.io.get_untrusted_types(data=body)) - set(trust.all_types))


def _pickled(estimator: Any) -> bytes:
    import cloudpickle

    return bytes(cloudpickle.dumps(estimator))


def _untrusted(what: str, types: Sequence[str]) -> ConfigurationError:
    return ConfigurationError(
        f"{what} holds types that are not trusted: {', '.join(types)}.",
        remedy=f"If you know this code, set model.trust_types: [{', '.join(types)}] in hitl.yaml.",
        types=list(types),
    )
