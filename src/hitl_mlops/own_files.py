"""What the project's own files say, each read when it is first asked for."""

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

from hitl_mlops.settings import Settings, task_of

if TYPE_CHECKING:
    import pandas as pd

    from hitl_mlops.decisions.explain_occlusion import Baseline
    from hitl_mlops.decisions.odd import OddGuard
    from hitl_mlops.decisions.schema import InputSchema
    from hitl_mlops.decisions.task import Task
    from hitl_mlops.decisions.timed_functions import TimedFunction
    from hitl_mlops.gates.labelled_file import LabelledFile
    from hitl_mlops.redaction.finding import Finder
    from hitl_mlops.review.roster import Roster
    from hitl_mlops.routing.likeness import Yardstick
    from hitl_mlops.routing.policy import Policy
    from hitl_mlops.routing.policy_keeper import PolicyKeeper
    from hitl_mlops.routing.user_functions import Check
    from hitl_mlops.training.artifact import Trust
    from hitl_mlops.training.recipe import Recipe

KEY_BYTES = 32


def utc_now() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


class OwnFiles:
    """hitl.yaml and what it names: policy, reviewers, base data, functions; and the project's keys."""

    def __init__(self, settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        self.serves = False
        self._tasks: dict[tuple[str, ...], Task] = {}
        self._schemas: dict[Task, InputSchema] = {}

    @cached_property
    def policies(self) -> PolicyKeeper:
        """Follows the policy file, for who runs on while it is changed."""
        from hitl_mlops.routing.policy_keeper import PolicyKeeper

        return PolicyKeeper(
            self.settings.path(self.settings.policy),
            self.settings.state / "policy_in_force.json",
            read=self.reads_policy,
            fresh_for=timedelta(seconds=self.settings.serve.keep_policy_s),
        )

    @cached_property
    def reads_policy(self) -> Callable[[str, str], Policy]:
        """Text and name of a policy file → what it says for this project; raises as `sound_policy`."""
        from hitl_mlops.routing.policy_keeper import sound_policy

        columns = [str(name) for name in self.base.columns]
        return partial(sound_policy, columns=columns, classes=self.classes, functions=self.functions)

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
        """The user's functions by name, loaded and timed, and `find_pii` where none of them is called so.

        Raises:
            ConfigurationError: one cannot be loaded.
        """
        from hitl_mlops.decisions.timed_functions import TimedFunction
        from hitl_mlops.own_code import load_functions
        from hitl_mlops.redaction.holding import FIND_PII, holds_some
        from hitl_mlops.redaction.patterns import Patterns

        loaded = load_functions(self.settings.functions, self.settings.folder)
        within_s = self.settings.functions_within_s
        brought: dict[str, Check] = {FIND_PII: partial(holds_some, finder=Patterns()), **loaded}
        return {name: TimedFunction(name, function, within_s) for name, function in brought.items()}

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
    def golden(self) -> LabelledFile | None:
        """What every challenger is asked beside the held-back data; None where no file is named."""
        return self._labelled(self.settings.model.golden)

    @property
    def stress(self) -> LabelledFile | None:
        """Hard cases that every challenger is asked; None where no file is named."""
        return self._labelled(self.settings.model.stress)

    def _labelled(self, file: Path | None) -> LabelledFile | None:
        from hitl_mlops.gates.labelled_file import read_labelled_file

        return None if file is None else read_labelled_file(self.settings.path(file), self.task)

    @property
    def task(self) -> Task:
        """The shape of a case, every `auto` filled in; it has the attributes that the policy goes by."""
        policy = self.policy
        attributes = self.policies.attributes if self.serves else policy.kept
        if attributes not in self._tasks:
            self._tasks = {attributes: self._task_with(attributes)}
        return self._tasks[attributes]

    def _task_with(self, attributes: tuple[str, ...]) -> Task:
        columns = list(self.base.columns)
        return task_of(self.settings, columns, self._labels, attributes, finder=self._own_finder)

    @cached_property
    def _own_finder(self) -> Finder | None:
        """What finds personal data beside our patterns; raises ConfigurationError if it cannot be loaded."""
        from hitl_mlops.own_code import load_function
        from hitl_mlops.redaction.own_finder import OwnFinder
        from hitl_mlops.redaction.presidio import names_presidio, presidio_function

        address = self.settings.review.mask_with
        if address is None:
            return None
        if names_presidio(address):
            return OwnFinder(presidio_function(address))
        remedy = "Let it name package.module:function: text → (start, end, type) of each thing found."
        folder = self.settings.folder
        return OwnFinder(load_function(address, folder, key="review.mask_with", remedy=remedy))

    @property
    def classes(self) -> list[str]:
        """What the model may say: as written, or as the base data have it."""
        written = self.settings.task.classes
        return self._labels if isinstance(written, str) else list(written)

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
    def _yardstick(self) -> Yardstick:
        from hitl_mlops.decisions.yardstick import yardstick_of

        return yardstick_of(self.base, self.schema, self.task.kind)

    @cached_property
    def baseline(self) -> Baseline:
        """What stands for a column out of sight, where an answer is explained."""
        from hitl_mlops.decisions.explain_occlusion import baseline_of

        return baseline_of(self.base, self.task.inputs)

    @cached_property
    def recipe(self) -> Recipe:
        """What learns."""
        from hitl_mlops.training.recalibrate import Recalibration
        from hitl_mlops.training.recipe import Recipe

        model = self.settings.model
        recalibrate = Recalibration(model.recalibrate)
        return Recipe(model.recipe, folder=self.settings.folder, recalibrate=recalibrate, replay=model.replay)

    @cached_property
    def trust(self) -> Trust:
        """Which code a stored model may name."""
        from hitl_mlops.training.artifact import Trust

        model = self.settings.model
        return Trust(tuple(model.trust_types), pickle=model.trust_pickle, folder=self.settings.folder)

    @cached_property
    def policy_key(self) -> bytes:
        """What draws spot checks and makes our ids; made once, mode 0600."""
        return _kept_key(self._keys / "policy.key")

    @cached_property
    def callback_key(self) -> bytes:
        """What the secrets of callbacks are made of; made once, mode 0600."""
        return _kept_key(self._keys / "callback.key")

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
