"""`hitl.yaml`: what a project says about itself, checked whole before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from hitl_mlops.callbacks.address import prefix_of
from hitl_mlops.decisions.task import InputKind, Task
from hitl_mlops.documents import Piece, did_you_mean, read_yaml, with_environment
from hitl_mlops.errors import ConfigurationError, InputError
from hitl_mlops.redaction.finding import TYPES, Finder
from hitl_mlops.redaction.masking import ALL, GROUP, NONE, Masking, types_named
from hitl_mlops.redaction.patterns import Patterns

PROJECT_FILE = "hitl.yaml"
STATE_FOLDER = ".hitl"
MOST_GUIDELINE = 600
"""Characters that say what a class means: more is not read while a case is decided."""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) and value != "auto" else value


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): " ".join(str(said or "").split()) for name, said in value.items()}
    return [str(item) for item in value] if isinstance(value, list) else value


def _as_prefixes(values: list[str]) -> list[str]:
    for value in values:
        try:
            prefix_of(value)
        except ConfigurationError as error:
            raise ValueError(error.fact.rstrip(".")) from error
    return values


def _as_types(values: list[str]) -> list[str]:
    known = (ALL, NONE, GROUP, *TYPES)
    for value in values:
        if value not in known:
            raise ValueError(f"{value!r} is not known here. {did_you_mean(value, known)}")
        if value in (ALL, NONE) and len(values) > 1:
            raise ValueError(f"{value} stands alone, or not at all")
    return values


Columns = Annotated[list[str], BeforeValidator(_as_list)]
Description = Annotated[str, Field(max_length=MOST_GUIDELINE)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OddInputsSettings(_Section):
    """Which inputs are too unlike the base data for a model; they go to the data's owners."""

    rate: float = Field(default=0.001, ge=0, lt=0.5)
    """Share of rows like the base data that may be refused; 0: none is refused for being odd."""
    margin: float = Field(default=0.25, ge=0)
    """How much further off than the rate asks a row must lie, as a share: room for slow change."""


class TaskSettings(_Section):
    """Section `task`: the shape of a case, as written; `auto` is filled in from the base data."""

    kind: InputKind
    """text, table or image."""
    inputs: Annotated[list[str] | str, BeforeValidator(_as_list)] = "auto"
    """Columns the model sees; `pixel_*` names several; `auto`: all that nothing else claims."""
    id: str | None = None
    """Column of the case id, unique."""
    subject: str | None = None
    """Column of the person or account."""
    time: str | None = None
    """Column of the event time."""
    label: str = "label"
    """Column of the truth in base data."""
    classes: Annotated[list[str] | dict[str, Description] | str, BeforeValidator(_as_text)] = "auto"
    """The labels; `auto`: those of the base data; `name: description` makes them the reviewers' guideline."""
    show: Columns = []
    """Columns a reviewer sees beside the input; nothing else leaves."""
    show_images: Columns = []
    """Columns of paths, relative to this file, whose pictures a reviewer sees beside the input."""
    slices: Columns = []
    """Columns for whose values figures are also given apart."""
    protected: Columns = []
    """Columns whose groups the fairness gate compares; no input of the model unless named there."""
    odd_inputs: OddInputsSettings = OddInputsSettings()


class ModelSettings(_Section):
    """Section `model`: what is trained and from what."""

    name: str
    """Name of the registered model."""
    base: Path
    """What the first champion learns from: CSV, Parquet or JSON Lines."""
    golden: Path | None = None
    """Labelled cases that no model learns from, for the gate `golden`; left out: the base data held back."""
    stress: Path | None = None
    """Labelled hard cases that no model learns from, for the gate `stress`; left out: those that reviewers
    called ambiguous or could not agree on."""
    recipe: str = "linear"
    """`linear`, `boosting`, or `package.module:function` that returns a scikit-learn estimator."""
    recalibrate: Literal["none", "temperature", "isotonic"] = "none"
    """Set confidences right on rows held out of the training, by subject: `temperature` (from 30 such rows)
    or `isotonic` (from 200); the answers stay the same."""
    replay: int | None = Field(default=None, ge=0)
    """How many of the latest rows of the base data are learned beside what people reviewed; left out: all.
    The gates judge what it brings: `hitl train --replay 2000`, then `hitl gate`."""
    trust_types: list[str] = []
    """Types beyond scikit-learn's that a stored model may hold."""
    trust_pickle: bool = False
    """Load models stored as pickle: they can run any code."""
    answer_within_s: float = Field(default=5.0, gt=0, le=600)
    """Seconds for a model's answers to up to 1,000 cases; what is not answered by then goes to people."""
    shadow_within_s: float = Field(default=0.1, gt=0, le=600)
    """Seconds that a shadow may take in the service for up to 1,000 cases, elsewhere as long as an answer.
    What it has not said by then is no evidence."""


class LabelStudioSettings(_Section):
    """A Label Studio of yours; left out, `hitl up` starts one."""

    url: str
    """Address, `http://host:port`."""
    token: SecretStr
    """An API token, best written as `${LABEL_STUDIO_TOKEN}`."""


class MlflowSettings(_Section):
    """An MLflow of yours; left out, `hitl up` starts one."""

    uri: str
    """Tracking address."""
    app_key: Path | None = None
    """Public key (`.pub`) of its app that proves approvals; left out, approvals are claimed."""
    webhook_secret: SecretStr | None = None
    """What it signs its webhook to `hitl serve` with, best written as `${HITL_WEBHOOK_SECRET}`; left out, the
    service does not hear it."""


class PrefectSettings(_Section):
    """A Prefect of yours; left out, `hitl up` starts one."""

    api: str
    """API address, ends in /api."""


class ServiceSettings(_Section):
    """Section `services`: every line optional, embedded defaults under `.hitl/`."""

    database: str = f"sqlite:///{STATE_FOLDER}/hitl.db"
    """SQLAlchemy address; relative SQLite paths start at the project's folder."""
    datasets: str = f"{STATE_FOLDER}/datasets"
    """Folder of the dataset versions."""
    checkpoints: str = f"{STATE_FOLDER}/checkpoints"
    """Folder of the trail's signed checkpoints, outside the database; best on another disk."""
    label_studio: LabelStudioSettings | None = None
    mlflow: MlflowSettings | None = None
    prefect: PrefectSettings | None = None


class ScreenSettings(_Section):
    """Section `screen`: what an answer must be to count."""

    min_seconds: float = 0.5
    """Faster than a person can read."""
    max_seconds: float = 8 * 3600.0
    """Longer than a person stays on one case."""
    min_rationale_chars: int = 3
    """Shortest written reason that counts."""


class ReviewSettings(_Section):
    """Section `review`: how much people may be asked, and what they may see."""

    most_waiting: int = Field(default=50_000, ge=1)
    """Tickets that may wait for the desk; while there are more, no case is decided."""
    mask: Annotated[list[str], BeforeValidator(_as_list), AfterValidator(_as_types)] = [ALL]
    """Personal data that is masked in what reviewers see: `all`, `none`, or types such as `card`, `e-mail`,
    `national-id`."""
    mask_with: str | None = None
    """Finds more: `presidio`, or `package.module:function` of yours, which takes a text and gives
    (start, end, type) of each thing found."""
    mask_except: Columns = []
    """Columns whose values reviewers see unmasked."""
    explain: Literal["auto", "occlusion", "shap", "none"] = "auto"
    """How answers are explained to reviewers: `auto` reads the coefficients of a linear model and asks any
    other again with each part out of sight (`occlusion`); `shap` asks eight times as often (an extra)."""
    explain_within_s: float = Field(default=5.0, gt=0, le=600)
    """Seconds for the explanations of up to 100 cases; what is not explained by then has none."""


class ServeSettings(_Section):
    """Section `serve`: the decision service."""

    keep_policy_s: float = Field(default=3600.0, ge=0, le=7 * 86_400)
    """Seconds that the last good policy holds while the file is wrong; then everything goes to people."""
    most_wait_s: float = Field(default=0.1, gt=0, le=600)
    """Seconds that the cases ahead of a request may be expected to take; beyond it the answer is 503."""
    callbacks: Annotated[list[str], AfterValidator(_as_prefixes)] = []
    """Beginnings of the addresses that callbacks may call, `https://host/path`."""


class Settings(_Section):
    """The whole of `hitl.yaml`."""

    project: str = Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9 _-]*$")
    """Name of the project."""
    task: TaskSettings
    model: ModelSettings
    policy: Path = Path("policy.yaml")
    """The policy file."""
    functions: dict[str, str] = {}
    """Functions of yours that the policy names: name → `package.module:function`, beside this file."""
    functions_within_s: float = Field(default=5.0, gt=0, le=600)
    """Seconds for what each function says of up to 1,000 cases; what is not said by then goes to people."""
    reviewers: Path | None = None
    """The roster; left out, every account of the desk may answer."""
    screen: ScreenSettings = ScreenSettings()
    review: ReviewSettings = ReviewSettings()
    serve: ServeSettings = ServeSettings()
    services: ServiceSettings = ServiceSettings()
    folder: Path = Field(default=Path(), exclude=True)
    """The project's folder; not written in the file."""

    def path(self, relative: Path | str) -> Path:
        """A path of the file, as seen from here."""
        return self.folder / relative

    @property
    def state(self) -> Path:
        """Where the project keeps what it makes."""
        return self.folder / STATE_FOLDER

    @property
    def database_url(self) -> str:
        """The database's address, with a relative SQLite path made absolute."""
        prefix = "sqlite:///"
        url = self.services.database
        if url.startswith(prefix) and not url.startswith(prefix + "/"):
            return prefix + str((self.folder / url.removeprefix(prefix)).resolve())
        return url


def read_settings(path: Path) -> Settings:
    """The settings of a project file, or of the folder that holds one.

    Raises:
        ConfigurationError: no file, or any key is wrong; every wrong key is named with its line.
    """
    file = path / PROJECT_FILE if path.is_dir() else path
    document = read_yaml(file)
    fields = document.fields()
    if "folder" in fields:
        raise fields["folder"].wrong("the folder is where the file stands.", "Leave the line out.")
    values = with_environment(document.plain())
    try:
        return Settings.model_validate({**values, "folder": file.parent.resolve()})
    except ValidationError as error:
        raise ConfigurationError(_told(error, document), remedy="Correct the lines named.") from error


def task_of(
    settings: Settings,
    columns: Sequence[str],
    labels: Iterable[str],
    attributes: Iterable[str] = (),
    *,
    finder: Finder | None = None,
) -> Task:
    """The task with every `auto` and pattern filled in.

    Args:
        settings: the project file.
        columns: columns of the base data, in order.
        labels: labels that occur in the base data.
        attributes: columns that the policy reads.
        finder: what finds personal data beside our patterns, by `review.mask_with`.

    Raises:
        InputError: a column the file names is not in the data, or a pattern names none.
    """
    written = settings.task
    inputs = _inputs(settings, columns)
    named = (written.id, written.subject, written.time, written.label)
    wanted = [*(name for name in named if name), *inputs, *written.show, *written.slices]
    wanted += [*written.show_images, *written.protected, *attributes, *settings.review.mask_except]
    missing = [name for name in dict.fromkeys(wanted) if name not in columns]
    if missing:
        raise InputError(
            f"{settings.model.base} has no column {', '.join(missing)}.",
            remedy=f"It has {', '.join(columns[:20])}. Correct {PROJECT_FILE}.",
            missing=missing,
        )
    classes = sorted(set(labels)) if isinstance(written.classes, str) else written.classes
    return Task(
        project=settings.project,
        kind=written.kind,
        inputs=inputs,
        classes=tuple(classes),
        guideline=_guideline(written),
        show_images=tuple(written.show_images),
        id=written.id,
        subject=written.subject,
        time=written.time,
        label=written.label,
        show=tuple(written.show),
        slices=tuple(written.slices),
        protected=tuple(written.protected),
        attributes=tuple(attributes),
        masking=_masking(settings.review, finder),
    )


def _masking(review: ReviewSettings, finder: Finder | None) -> Masking:
    types = types_named(review.mask)
    return Masking(types, Patterns(types), finder, frozenset(review.mask_except))


def _guideline(written: TaskSettings) -> tuple[tuple[str, str], ...]:
    described = written.classes if isinstance(written.classes, dict) else {}
    return tuple((name, said) for name, said in described.items() if said)


def _inputs(settings: Settings, columns: Sequence[str]) -> tuple[str, ...]:
    written = settings.task
    if isinstance(written.inputs, str):
        claimed = {written.id, written.subject, written.time, written.label, *written.protected}
        if settings.task.kind is not InputKind.TABLE:
            raise ConfigurationError(
                f"task.inputs is auto, which only a table can be, and this is {written.kind.value}.",
                remedy="Name the column, or the pixel columns by a pattern such as pixel_*.",
            )
        return tuple(name for name in columns if name not in claimed)
    chosen = []
    for pattern in written.inputs:
        exact = pattern in columns  # a column may itself be named like a pattern
        matching = [pattern] if exact else [name for name in columns if fnmatchcase(name, pattern)]
        if not matching:
            raise InputError(
                f"{settings.model.base} has no column {pattern}.",
                remedy=f"It has {', '.join(columns[:20])}. Correct task.inputs of {PROJECT_FILE}.",
                missing=[pattern],
            )
        chosen += matching
    return tuple(dict.fromkeys(chosen))


def _told(error: ValidationError, document: Piece) -> str:
    wrongs: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False):
        piece = document.at(*one["loc"])
        message = one["msg"].removeprefix("Value error, ")
        if one["type"] == "extra_forbidden":
            section = document.at(*one["loc"][:-1])
            message = f"nobody reads this key. {did_you_mean(str(one['loc'][-1]), _keys_beside(section))}"
        elif one["type"] == "missing":
            message = f"the key {one['loc'][-1]} is missing"
        wrongs.setdefault(f"{piece.file}, line {piece.line}, {piece.path or 'the whole file'}", message)
    return "; ".join(f"{where}: {message}" for where, message in wrongs.items()).rstrip(".") + "."


def _keys_beside(section: Piece) -> list[str]:
    """The keys that the section may hold."""
    known: dict[str, type[BaseModel]] = {
        "": Settings,
        "task": TaskSettings,
        "task.odd_inputs": OddInputsSettings,
        "model": ModelSettings,
        "services": ServiceSettings,
        "screen": ScreenSettings,
        "review": ReviewSettings,
        "serve": ServeSettings,
        "services.label_studio": LabelStudioSettings,
        "services.mlflow": MlflowSettings,
        "services.prefect": PrefectSettings,
    }
    model = known.get(section.path)
    return [name for name in model.model_fields if name != "folder"] if model else []
