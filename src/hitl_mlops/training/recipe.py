"""Which estimator learns: a ready recipe, or a function of the user's own.

A recipe is seeded and holds no state, so the same dataset version trains to the same predictions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.errors import ConfigurationError, InputError
from hitl_mlops.ids import canonical_json, sha256_hex
from hitl_mlops.own_code import load_function, load_module
from hitl_mlops.training.columns import (
    ColumnType,
    FoundColumn,
    as_dates,
    as_numbers,
    as_texts,
    as_words,
)
from hitl_mlops.training.recalibrate import Recalibration

_KEY = "model.recipe"
_REMEDY = (
    "Let model.recipe name package.module:function, a function without arguments that returns "
    "an unfitted scikit-learn classifier."
)
LINEAR, BOOSTING = "linear", "boosting"
MOST_BOOSTED_CLASSES = {InputKind.TEXT: 20, InputKind.TABLE: 100, InputKind.IMAGE: 100}
"""A tree grows per class and round: 77 classes of 10,000 texts took over four minutes on two cores."""
EDITION = 1
"""Raised whenever a ready recipe changes: it is part of a training's key."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which estimator learns, and how.

    Attributes:
        name: `linear`, `boosting`, or `package.module:function`.
        folder: where `package.module` is looked for besides the installed packages.
        seed: of everything random in the training.
        recalibrate: how its confidences are set right afterwards.
        replay: how many of the latest base rows are learned beside the reviewed ones; None: all of them.
        until: rows of this time and later only measure; None: none do for their time.
    """

    name: str = LINEAR
    folder: Path | None = None
    seed: int = 0
    recalibrate: Recalibration = Recalibration.NONE
    replay: int | None = None
    until: datetime | None = None

    @property
    def own(self) -> bool:
        """It is a function of the user's own."""
        return ":" in self.name

    def fingerprint(self) -> str:
        """The name with a hash of what changes the learning: seed, edition, library, own source.

        Of an own recipe, the module's file is hashed; what that file imports is not.
        """
        facts: dict[str, Any] = {"seed": self.seed, "scikit-learn": version("scikit-learn")}
        if self.own:
            facts["source"] = sha256_hex(Path(_own_module(self).__file__ or "").read_bytes())
        else:
            facts["edition"] = EDITION
        beside = "" if self.recalibrate is Recalibration.NONE else f"+{self.recalibrate.value}"
        facts |= {"recalibrate": self.recalibrate.value} if beside else {}
        beside += "" if self.replay is None else f"+replay{self.replay}"
        facts |= {} if self.replay is None else {"replay": self.replay}
        facts |= {} if self.until is None else {"until": self.until}
        return f"{self.name}{beside}@{sha256_hex(canonical_json(facts))[:12]}"


def build_estimator(recipe: Recipe, task: Task, found: Sequence[FoundColumn]) -> Any:
    """An unfitted estimator that reads a frame of the task's inputs, whatever its dtypes.

    A function of the user's own gets the frame of inputs (table, image), or a one-dimensional array of
    strings (text): its estimator is put behind our reading of the column.

    Raises:
        ConfigurationError: the recipe does not exist, or its function gives no estimator.
        InputError: the recipe cannot read these inputs, or every column was dropped.
    """
    if recipe.own:
        return _own_estimator(recipe, task)
    if recipe.name not in {LINEAR, BOOSTING}:
        raise ConfigurationError(
            f"There is no recipe {recipe.name!r}.",
            remedy="Set model.recipe in hitl.yaml to linear, boosting or package.module:function.",
            recipe=recipe.name,
        )
    if recipe.name == BOOSTING and len(task.classes) > MOST_BOOSTED_CLASSES[task.kind]:
        raise InputError(
            f"Boosting is too slow for {len(task.classes)} classes of {task.kind.value}; "
            f"it takes up to {MOST_BOOSTED_CLASSES[task.kind]}.",
            remedy="Set model.recipe in hitl.yaml to linear.",
            classes=len(task.classes),
        )
    if task.kind is InputKind.TEXT:
        return _text(recipe, len(task.classes))
    if task.kind is InputKind.IMAGE:
        return _pixels(recipe, task, found)
    return _table(recipe, len(task.classes), found)


def _classifier(recipe: Recipe, classes: int, *, strength: float = 1.0, categories: Any = None) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    if recipe.name == LINEAR:
        return LogisticRegression(C=strength, max_iter=300, tol=1e-3, random_state=recipe.seed)
    # With many classes fewer rounds keep the time in bounds. No early stopping: its inner split fails on a
    # class with one example.
    rounds = 200 if classes <= 20 else max(10, 4000 // classes)  # noqa: PLR2004
    return HistGradientBoostingClassifier(
        max_iter=rounds,
        learning_rate=0.1,
        early_stopping=False,
        categorical_features=categories,
        random_state=recipe.seed,
    )


def _text(recipe: Recipe, classes: int) -> Any:
    from sklearn.pipeline import Pipeline

    return Pipeline([*_text_steps(recipe), ("model", _classifier(recipe, classes, strength=10.0))])


def _text_steps(recipe: Recipe) -> list[tuple[str, Any]]:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer, TfidfVectorizer
    from sklearn.preprocessing import FunctionTransformer

    read = ("texts", FunctionTransformer(as_texts))
    if recipe.name == LINEAR:
        return [read, ("tfidf", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True))]
    return [
        read,
        ("hashing", HashingVectorizer(n_features=2**13, alternate_sign=False)),
        ("tfidf", TfidfTransformer(sublinear_tf=True)),
        ("svd", TruncatedSVD(n_components=64, random_state=recipe.seed)),
    ]


def _pixels(recipe: Recipe, task: Task, found: Sequence[FoundColumn]) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    if any(column.why.startswith("cells hold") for column in found) or (
        len(found) == 1 and found[0].type is not ColumnType.NUMBER
    ):
        raise InputError(
            f"The recipe {recipe.name!r} reads images as pixel columns; {task.inputs[0]!r} holds no numbers.",
            remedy="Spread the pixels over columns, or set model.recipe to package.module:function.",
        )
    # Constant pixels, as in the corners of scanned digits, stay: imputation keeps the grid's shape.
    return Pipeline(
        [
            ("numbers", FunctionTransformer(as_numbers)),
            ("impute", SimpleImputer(strategy="constant", fill_value=0.0)),
            ("scale", StandardScaler()),
            ("model", _classifier(recipe, len(task.classes), strength=0.1)),
        ]
    )


def _table(recipe: Recipe, classes: int, found: Sequence[FoundColumn]) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    of_type = {kind: [column.column for column in found if column.type is kind] for kind in ColumnType}
    of_type[ColumnType.NUMBER] += of_type.pop(ColumnType.BOOLEAN)
    dropped = of_type.pop(ColumnType.DROPPED)
    texts = of_type.pop(ColumnType.TEXT)
    if len(dropped) == len(found):
        reasons = "; ".join(f"{column.column}: {column.why}" for column in found)
        raise InputError(
            f"No column is left to learn from ({reasons}).", remedy="Name other columns in task.inputs."
        )
    boosting = recipe.name == BOOSTING
    parts: list[tuple[str, Any, list[str]]] = [
        (kind.value, _cells(kind, boosting=boosting), columns) for kind, columns in of_type.items() if columns
    ]
    parts += [(f"text_{place}", Pipeline(_text_steps(recipe)), [name]) for place, name in enumerate(texts)]
    # Categories come first, so that boosting knows them by their place.
    parts.sort(key=lambda part: part[0] != ColumnType.CATEGORY)
    read = ColumnTransformer(parts, sparse_threshold=0.0 if boosting else 0.3)
    categories = list(range(len(of_type[ColumnType.CATEGORY]))) or None
    return Pipeline([("columns", read), ("model", _classifier(recipe, classes, categories=categories))])


def _cells(kind: ColumnType, *, boosting: bool) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

    if kind is ColumnType.CATEGORY:
        encode = (
            OrdinalEncoder(
                handle_unknown="use_encoded_value", unknown_value=-1, max_categories=250, dtype=float
            )
            if boosting
            else OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=250)
        )
        return Pipeline([("words", FunctionTransformer(as_words)), ("encode", encode)])
    read = FunctionTransformer(as_dates if kind is ColumnType.DATE else as_numbers)
    if boosting:  # trees read NaN as a value of its own
        return Pipeline([("numbers", read)])
    return Pipeline(
        [
            ("numbers", read),
            ("impute", SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)),
            ("scale", StandardScaler()),
        ]
    )


def _own_estimator(recipe: Recipe, task: Task) -> Any:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    function = load_function(recipe.name, recipe.folder, key=_KEY, remedy=_REMEDY)
    try:
        estimator = function()
    except Exception as error:
        raise _own_error(recipe, f"raised {type(error).__name__}: {error}") from error
    lacking = [method for method in ("fit", "predict_proba") if not hasattr(estimator, method)]
    if isinstance(estimator, type) or lacking:
        what = (
            f"the class {estimator.__name__}"
            if isinstance(estimator, type)
            else repr(type(estimator).__name__)
        )
        raise _own_error(recipe, f"gave {what}, not an estimator with fit and predict_proba")
    if task.kind is InputKind.TEXT:
        return Pipeline([("texts", FunctionTransformer(as_texts)), ("model", estimator)])
    return estimator


def _own_module(recipe: Recipe) -> ModuleType:
    return load_module(recipe.name, recipe.folder, key=_KEY, remedy=_REMEDY)


def _own_error(recipe: Recipe, what: str) -> ConfigurationError:
    return ConfigurationError(f"The recipe {recipe.name} {what}.", remedy=_REMEDY, recipe=recipe.name)
