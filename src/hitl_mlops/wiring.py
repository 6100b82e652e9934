"""The one place that builds adapters, each when it is first asked for, so that small commands start fast."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from hitl_mlops.errors import ServiceDownError
from hitl_mlops.ids import keyed_id
from hitl_mlops.settings import Settings, task_of

if TYPE_CHECKING:
    import pandas as pd

    from hitl_mlops.audit.keys import Verifier
    from hitl_mlops.audit.trail_sql import SqlTrail
    from hitl_mlops.callbacks.book import CallbackBook
    from hitl_mlops.database.connect import Database
    from hitl_mlops.dataset.store import DatasetStore
    from hitl_mlops.decisions.log import DecisionLog
    from hitl_mlops.decisions.odd import OddGuard
    from hitl_mlops.decisions.schema import InputSchema
    from hitl_mlops.decisions.task import Task
    from hitl_mlops.decisions.timed import TimedModels
    from hitl_mlops.decisions.timed_functions import TimedFunction
    from hitl_mlops.gates.book import GateBook
    from hitl_mlops.gates.measures import Measures
    from hitl_mlops.overrides.book import AnswerBook
    from hitl_mlops.overrides.screen import Screen
    from hitl_mlops.recourse.book import RecourseBook
    from hitl_mlops.review.desk import Desk
    from hitl_mlops.review.roster import Roster
    from hitl_mlops.review.tickets import TicketBook
    from hitl_mlops.rollout.book import RolloutBook
    from hitl_mlops.routing.breaker_board import BreakerBoard
    from hitl_mlops.routing.guard_board import GuardBoard
    from hitl_mlops.routing.likeness import Yardstick
    from hitl_mlops.routing.policy import Policy
    from hitl_mlops.routing.policy_keeper import PolicyKeeper
    from hitl_mlops.routing.switch_board import SwitchBoard
    from hitl_mlops.routing.user_functions import Check
    from hitl_mlops.training.artifact import Trust
    from hitl_mlops.training.recipe import Recipe
    from hitl_mlops.training.registry import ModelRegistry

KEY_BYTES = 32


def utc_now() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


class Parts:
    """The adapters of one project, by its settings."""

    def __init__(self, settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        self.serves = False
        self._tasks: dict[tuple[str, ...], Task] = {}
        self._schemas: dict[Task, InputSchema] = {}

    @cached_property
    def database(self) -> Database:
        """Records, at the newest migration."""
        from hitl_mlops.database.connect import Database

        database = Database(self.settings.database_url)
        database.create()
        return database

    @cached_property
    def trail(self) -> SqlTrail:
        """The audit log, its checkpoints outside the database."""
        from hitl_mlops.audit.checkpoint_file import FileCheckpoints
        from hitl_mlops.audit.keys import open_signer
        from hitl_mlops.audit.sealing import Sealer
        from hitl_mlops.audit.trail_sql import SqlTrail

        folder = self.settings.path(self.settings.services.checkpoints)
        origin = "hitl/" + self.settings.project.replace(" ", "-")
        signer = open_signer(self._keys / "trail.pem", origin)
        sealer = Sealer(signer, FileCheckpoints(folder / "checkpoints.txt"), clock=self.clock)
        return SqlTrail(self.database, sealer)

    @cached_property
    def verifier(self) -> Verifier:
        """Tells our checkpoints from others'."""
        from hitl_mlops.audit.keys import read_verifier

        return read_verifier(self._keys / "trail.pub")

    @cached_property
    def policy_key(self) -> bytes:
        """What draws spot checks and makes our ids; made once, mode 0600."""
        return _kept_key(self._keys / "policy.key")

    @cached_property
    def policies(self) -> PolicyKeeper:
        """Follows the policy file, for who runs on while it is changed."""
        from hitl_mlops.routing.policy_keeper import PolicyKeeper, sound_policy

        columns = [str(name) for name in self.base.columns]
        return PolicyKeeper(
            self.settings.path(self.settings.policy),
            self.settings.state / "policy_in_force.json",
            read=partial(sound_policy, columns=columns, classes=self.classes, functions=self.functions),
            fresh_for=timedelta(seconds=self.settings.serve.keep_policy_s),
        )

    def serve(self) -> PolicyKeeper:
        """Somebody waits for each answer from now on, and nobody for a command to end.

        `policy` is what the keeper held last, so that a wrong file is not raised any more; a shadow has
        little time. Called before the first model is asked for.
        """
        self.serves = True
        return self.policies

    @property
    def policy(self) -> Policy:
        """What decides: the policy file as it was first read, or what its keeper says where it is followed.

        Raises:
            ConfigurationError: the file is wrong and not followed.
        """
        return self.policies.held(self.clock()).policy if self.serves else self._policy

    @cached_property
    def _policy(self) -> Policy:
        from hitl_mlops.routing.policy_file import read_policy

        return read_policy(self.settings.path(self.settings.policy))

    @cached_property
    def functions(self) -> Mapping[str, TimedFunction]:
        """The user's functions by name, loaded and timed; raises ConfigurationError where one cannot be."""
        from hitl_mlops.decisions.timed_functions import TimedFunction
        from hitl_mlops.own_code import load_functions

        loaded = load_functions(self.settings.functions, self.settings.folder)
        within_s = self.settings.functions_within_s
        return {name: TimedFunction(name, function, within_s) for name, function in loaded.items()}

    @property
    def checks(self) -> Mapping[str, Check]:
        """The user's functions, among them each that the policy names.

        Raises:
            ConfigurationError: one cannot be loaded, or the policy names one that is not there.
        """
        from hitl_mlops.routing.policy import check_functions

        check_functions(self.policy, self.functions)
        return self.functions

    @cached_property
    def roster(self) -> Roster:
        """Who may answer."""
        from hitl_mlops.review.roster import Roster, read_roster

        file = self.settings.reviewers
        return Roster() if file is None else read_roster(self.settings.path(file))

    @cached_property
    def base(self) -> pd.DataFrame:
        """What the first champion learns from."""
        from hitl_mlops.decisions.table_file import read_table

        return read_table(self.settings.path(self.settings.model.base))

    @property
    def task(self) -> Task:
        """The shape of a case, every `auto` filled in; it has the attributes that the policy goes by."""
        policy = self.policy
        attributes = self.policies.attributes if self.serves else policy.kept
        if attributes not in self._tasks:
            self._tasks = {attributes: self._task_with(attributes)}
        return self._tasks[attributes]

    def _task_with(self, attributes: tuple[str, ...]) -> Task:
        return task_of(self.settings, list(self.base.columns), self._labels, attributes)

    @property
    def classes(self) -> list[str]:
        """What the model may say: as written, or as the base data have it."""
        written = self.settings.task.classes
        return self._labels if isinstance(written, str) else written

    @cached_property
    def _labels(self) -> list[str]:
        from hitl_mlops.dataset.assemble import label_text

        label = self.settings.task.label
        given = self.base[label].dropna().unique().tolist() if label in self.base else []
        return [text for text in map(label_text, given) if text is not None]

    @property
    def schema(self) -> InputSchema:
        """What inputs look like, learned from the base data."""
        from hitl_mlops.decisions.schema import learn_schema

        task = self.task
        if task not in self._schemas:
            self._schemas = {task: learn_schema(self.base, task)}
        return self._schemas[task]

    @cached_property
    def odd_guard(self) -> OddGuard:
        """Which inputs are too unlike the base data."""
        from hitl_mlops.decisions.odd import OddPolicy, learn_guard

        policy = OddPolicy(**self.settings.task.odd_inputs.model_dump())
        return learn_guard(self.base, self.task, self.schema, policy)

    @cached_property
    def log(self) -> DecisionLog:
        """Every decision."""
        from hitl_mlops.decisions.block_store_sql import SqlBlockStore
        from hitl_mlops.decisions.log import DecisionLog

        return DecisionLog(SqlBlockStore(self.database), self.policy_key)

    @cached_property
    def switches(self) -> SwitchBoard:
        """What people have frozen."""
        from hitl_mlops.routing.switch_board_sql import SqlSwitchBoard

        return SqlSwitchBoard(self.database)

    @cached_property
    def breakers(self) -> BreakerBoard:
        """What has broken."""
        from hitl_mlops.routing.breaker_board_sql import SqlBreakerBoard

        return SqlBreakerBoard(self.database)

    @cached_property
    def guards(self) -> GuardBoard:
        """All that stands against automatic decisions."""
        from hitl_mlops.decisions.yardstick import inputs_of
        from hitl_mlops.routing.guard_board import GuardBoard
        from hitl_mlops.routing.limit_book_sql import SqlLimitBook

        limits = SqlLimitBook(self.database)
        inputs = partial(inputs_of, self.log)
        return GuardBoard(self.switches, self.breakers, limits, inputs, lambda: self._yardstick)

    @cached_property
    def _yardstick(self) -> Yardstick:
        from hitl_mlops.decisions.yardstick import yardstick_of

        return yardstick_of(self.base, self.schema, self.task.kind)

    @cached_property
    def tickets(self) -> TicketBook:
        """Questions put to people."""
        from hitl_mlops.review.tickets import TicketBook

        return TicketBook(self.database)

    @cached_property
    def desk(self) -> Desk:
        """Where they are answered."""
        from hitl_mlops.review.desk_label_studio import LabelStudioDesk

        owner = keyed_id("project", self.policy_key, self.settings.project)
        return LabelStudioDesk(*self.label_studio_address, self.task, owner=owner)

    @cached_property
    def answers(self) -> AnswerBook:
        """What came back."""
        from hitl_mlops.overrides.book import AnswerBook

        return AnswerBook(self.database)

    @cached_property
    def recourse(self) -> RecourseBook:
        """What was said of decisions afterwards."""
        from hitl_mlops.recourse.book_sql import SqlRecourseBook

        return SqlRecourseBook(self.database)

    @cached_property
    def callbacks(self) -> CallbackBook:
        """The outbox of what applications are told."""
        from hitl_mlops.callbacks.book_sql import SqlCallbackBook

        return SqlCallbackBook(self.database)

    @cached_property
    def callback_key(self) -> bytes:
        """What the secrets of callbacks are made of; made once, mode 0600."""
        return _kept_key(self._keys / "callback.key")

    @cached_property
    def screen(self) -> Screen:
        """What an answer must be to count."""
        from hitl_mlops.overrides.screen import ScreenPolicy
        from hitl_mlops.overrides.screen_great_expectations import GreatExpectationsScreen

        return GreatExpectationsScreen(ScreenPolicy(**self.settings.screen.model_dump()))

    @cached_property
    def store(self) -> DatasetStore:
        """Dataset versions."""
        from hitl_mlops.dataset.store_delta import DeltaDatasetStore

        return DeltaDatasetStore(self.settings.path(self.settings.services.datasets))

    @cached_property
    def recipe(self) -> Recipe:
        """What learns."""
        from hitl_mlops.training.recalibrate import Recalibration
        from hitl_mlops.training.recipe import Recipe

        model = self.settings.model
        recalibrate = Recalibration(model.recalibrate)
        return Recipe(model.recipe, folder=self.settings.folder, recalibrate=recalibrate)

    @cached_property
    def trust(self) -> Trust:
        """Which code a stored model may name."""
        from hitl_mlops.training.artifact import Trust

        model = self.settings.model
        return Trust(tuple(model.trust_types), pickle=model.trust_pickle, folder=self.settings.folder)

    @cached_property
    def registry(self) -> ModelRegistry:
        """Model versions, in MLflow."""
        from hitl_mlops.training.registry_mlflow import MlflowRegistry

        name, cache = self.settings.model.name, self.settings.state / "models"
        return MlflowRegistry(self.mlflow_address, name, cache=cache, trust=self.trust)

    @cached_property
    def timed(self) -> TimedModels:
        """The live models, waited for so long and no longer; shadows of a service have less time."""
        from hitl_mlops.decisions.timed import Patience, TimedModels

        model = self.settings.model
        shadow_s = model.shadow_within_s if self.serves else model.answer_within_s
        return TimedModels(Patience(model.answer_within_s, shadow_s))

    @cached_property
    def measures(self) -> Measures:
        """Drift, by Evidently."""
        from hitl_mlops.gates.measures_evidently import EvidentlyMeasures

        return EvidentlyMeasures()

    @cached_property
    def quick_measures(self) -> Measures:
        """Drift by our own measures, for checks that run every few minutes."""
        from hitl_mlops.gates.measures_plain import PlainMeasures

        return PlainMeasures()

    @cached_property
    def gates(self) -> GateBook:
        """Gate reports."""
        from hitl_mlops.gates.book import GateBook

        return GateBook(self.database)

    @cached_property
    def rollouts(self) -> RolloutBook:
        """Rollouts."""
        from hitl_mlops.rollout.book import RolloutBook

        return RolloutBook(self.database)

    @cached_property
    def label_studio_address(self) -> tuple[str, str]:
        """URL and API token: of `hitl.yaml`, else of the server that `hitl up` started."""
        given = self.settings.services.label_studio
        if given is not None:
            return given.url, given.token.get_secret_value()
        from hitl_mlops.servers.credentials import read_or_make

        return self._started("label-studio"), read_or_make(self.settings.state).label_studio_token

    @cached_property
    def mlflow_address(self) -> str:
        """Tracking URI: of `hitl.yaml`, else of the server that `hitl up` started."""
        given = self.settings.services.mlflow
        return given.uri if given is not None else self._started("mlflow")

    @cached_property
    def prefect_address(self) -> str:
        """API address: of `hitl.yaml`, else of the server that `hitl up` started."""
        given = self.settings.services.prefect
        return given.api if given is not None else self._started("prefect") + "/api"

    def _started(self, server: str) -> str:
        from hitl_mlops.servers.stack import Stack

        for running in Stack(self.settings.folder).running():
            if running.name == server:
                return running.url
        raise ServiceDownError(
            f"{server} is not running for {self.settings.folder}.",
            remedy="Run `hitl up`, or name a server of yours in the section services of hitl.yaml.",
            server=server,
        )

    def close(self) -> None:
        """The trail is sealed, and connections are given back; what was not used is not opened."""
        if "timed" in vars(self):
            self.timed.close()
        for function in vars(self).get("functions", {}).values():
            function.close()
        if "trail" in vars(self):
            self.trail.close()
        if "database" in vars(self):
            self.database.close()

    @property
    def _keys(self) -> Path:
        return self.settings.state / "keys"


def _kept_key(path: Path) -> bytes:
    """The key in the file; made once with mode 0600. Of two that come first together, one is kept."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".key-")  # mode 0600 from the first byte
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        Path(draft).unlink()
    return path.read_bytes()
