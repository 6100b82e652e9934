"""The one place that builds adapters, each when it is first asked for, so that small commands start fast."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from hitl_mlops.errors import ServiceDownError
from hitl_mlops.ids import keyed_id
from hitl_mlops.own_files import OwnFiles

if TYPE_CHECKING:
    from hitl_mlops.audit.keys import Verifier
    from hitl_mlops.audit.trail_sql import SqlTrail
    from hitl_mlops.callbacks.book import CallbackBook
    from hitl_mlops.database.connect import Database
    from hitl_mlops.dataset.store import DatasetStore
    from hitl_mlops.decisions.explainer import Explainer
    from hitl_mlops.decisions.log import DecisionLog
    from hitl_mlops.decisions.timed import TimedModels
    from hitl_mlops.gates.book import GateBook
    from hitl_mlops.gates.measures import Measures
    from hitl_mlops.overrides.book import AnswerBook
    from hitl_mlops.overrides.past import PastCases
    from hitl_mlops.overrides.screen import Screen
    from hitl_mlops.oversight.answered import AnsweredQuestions
    from hitl_mlops.oversight.book import ExerciseBook
    from hitl_mlops.oversight.notice_book import NoticeBook
    from hitl_mlops.recourse.book import RecourseBook
    from hitl_mlops.review.claims import ClaimBook
    from hitl_mlops.review.desk import Desk
    from hitl_mlops.review.moves import MoveBook
    from hitl_mlops.review.tickets import TicketBook
    from hitl_mlops.rollout.book import RolloutBook
    from hitl_mlops.rollout.watch import RolloutWatch
    from hitl_mlops.routing.breaker_board import BreakerBoard
    from hitl_mlops.routing.guard_board import GuardBoard
    from hitl_mlops.routing.switch_board import SwitchBoard
    from hitl_mlops.servers.mlflow_webhook import MlflowWebhooks
    from hitl_mlops.training.mlflow_login import Login
    from hitl_mlops.training.registry import ModelRegistry
    from hitl_mlops.trials.book import TrialBook
    from hitl_mlops.webhooks.book import HeardBook


class Parts(OwnFiles):
    """The adapters of one project, by its settings."""

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
    def explainer(self) -> Explainer:
        """Why models answer as they do."""
        from hitl_mlops.decisions.explainer import ExplainBy, Explainer

        review = self.settings.review
        by = ExplainBy(review.explain)
        return Explainer(self.task, by, lambda: self.baseline, review.explain_within_s)

    @cached_property
    def past(self) -> PastCases:
        """Similar cases that people resolved."""
        from hitl_mlops.overrides.past import PastCases

        return PastCases(self.answers, self.log, lambda: self._yardstick, self.clock)

    @cached_property
    def tickets(self) -> TicketBook:
        """Questions put to people."""
        from hitl_mlops.review.tickets import TicketBook

        return TicketBook(self.database)

    @cached_property
    def claims(self) -> ClaimBook:
        """Who has which sheet."""
        from hitl_mlops.review.claims import ClaimBook

        return ClaimBook(self.database)

    @cached_property
    def moves(self) -> MoveBook:
        """How tickets climbed the escalation ladder."""
        from hitl_mlops.review.moves import MoveBook

        return MoveBook(self.database)

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
    def exercises(self) -> ExerciseBook:
        """What is asked though it is known."""
        from hitl_mlops.oversight.book import ExerciseBook

        return ExerciseBook(self.database)

    @cached_property
    def questions(self) -> AnsweredQuestions:
        """What people answered, with what they were asked."""
        from hitl_mlops.oversight.answered import AnsweredQuestions

        return AnsweredQuestions(self.database)

    @cached_property
    def notices(self) -> NoticeBook:
        """What oversight brings before a person."""
        from hitl_mlops.oversight.notice_book import NoticeBook

        return NoticeBook(self.database)

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
    def heard(self) -> HeardBook:
        """What MLflow told, so that it counts once."""
        from hitl_mlops.webhooks.book_sql import SqlHeardBook

        return SqlHeardBook(self.database)

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
    def registry(self) -> ModelRegistry:
        """Model versions, in MLflow."""
        return self.registry_of(self.mlflow_login)

    @cached_property
    def own_registry(self) -> ModelRegistry:
        """The same, asked under the account that whoever runs this put into the environment, if they did."""
        from hitl_mlops.training.mlflow_login import own_login

        return self.registry if own_login() is None else self.registry_of(None)

    def registry_of(self, login: Login | None) -> ModelRegistry:
        """The registry asked under that account; None: the environment's."""
        from hitl_mlops.training.registry_mlflow import MlflowRegistry

        name, cache = self.settings.model.name, self.settings.state / "models"
        return MlflowRegistry(lambda: self.mlflow_address, name, cache=cache, trust=self.trust, login=login)

    @cached_property
    def timed(self) -> TimedModels:
        """The live models, waited for so long and no longer; shadows of a service have less time."""
        from hitl_mlops.decisions.timed import Patience, TimedModels

        model = self.settings.model
        shadow_s = model.shadow_within_s if self.serves else model.answer_within_s
        return TimedModels(Patience(model.answer_within_s, shadow_s))

    @cached_property
    def trials(self) -> TrialBook:
        """Policies on trial."""
        from hitl_mlops.trials.book import TrialBook

        return TrialBook(self.database)

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
    def rollout_watch(self) -> RolloutWatch:
        """What keeps a challenger from more, beside the evidence."""
        from hitl_mlops.rollout.watch import RolloutWatch

        return RolloutWatch(self.switches, self.breakers, self.tickets)

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
    def mlflow_login(self) -> Login | None:
        """The project's account in the MLflow that `hitl up` starts; None for one of the user's."""
        from hitl_mlops.servers.mlflow_accounts import pipeline_login
        from hitl_mlops.training.mlflow_login import Login

        found = None if self.settings.services.mlflow is not None else pipeline_login(self.settings.state)
        return None if found is None else Login(*found)

    @cached_property
    def app_key(self) -> Verifier | None:
        """The key with which MLflow's app signs; None where MLflow runs without it."""
        from hitl_mlops.audit.keys import read_verifier
        from hitl_mlops.servers.mlflow_accounts import has_people, public_key_file

        given, ours = self.settings.services.mlflow, public_key_file(self.settings.state)
        if given is not None:
            return None if given.app_key is None else read_verifier(self.settings.path(given.app_key))
        return read_verifier(ours) if has_people(self.settings.state) else None

    @property
    def webhook_secret(self) -> str | None:
        """What MLflow signs its webhook to us with; None where it shares no secret with the project."""
        from hitl_mlops.servers.mlflow_accounts import has_people, read_accounts

        given, state = self.settings.services.mlflow, self.settings.state
        if given is not None:
            return given.webhook_secret.get_secret_value() if given.webhook_secret else None
        accounts = read_accounts(state) if has_people(state) else None
        return accounts.webhook_secret if accounts else None

    @property
    def mlflow_webhooks(self) -> MlflowWebhooks:
        """Whom MLflow calls for this project; asked as our administrator, or as the environment's account."""
        from hitl_mlops.servers.mlflow_accounts import ADMIN, read_accounts
        from hitl_mlops.servers.mlflow_webhook import MlflowWebhooks, name_of
        from hitl_mlops.training.mlflow_login import own_login

        is_yours, name = self.settings.services.mlflow is not None, self.settings.project
        own, accounts = own_login(), None if is_yours else read_accounts(self.settings.state)
        account = accounts.login(ADMIN) if accounts else (own.account, own.password) if own else None
        owner = keyed_id("project", self.policy_key, name)
        return MlflowWebhooks(self.mlflow_address, name_of(name, owner), account, by_proxy=is_yours)

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
        for name in ("timed", "explainer"):
            if name in vars(self):
                vars(self)[name].close()
        for function in vars(self).get("functions", {}).values():
            function.close()
        if "trail" in vars(self):
            self.trail.close()
        if "database" in vars(self):
            self.database.close()
