"""Trials as the database keeps them; at most one is live."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import policy_trials
from hitl_mlops.errors import RefusedError
from hitl_mlops.ids import instant
from hitl_mlops.rollout.book import rollout_from_json, rollout_to_json
from hitl_mlops.trials.trial import Trial


class TrialBook:
    """Keeps trials in the table `policy_trials`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, trial: Trial) -> None:
        """The trial is the live one.

        Raises:
            RefusedError: another one is live.
        """
        with self._database.transaction(first=True) as connection:
            live = self.live()
            if live is not None:
                raise RefusedError(
                    f"{live.file} is on trial already ({live.way.stage.value}).",
                    remedy='Wait for it to end, or run `hitl trial abort --reason "…"`.',
                    trial_id=live.way.rollout_id,
                )
            way = trial.way
            connection.execute(
                policy_trials.insert().values(
                    trial_id=way.rollout_id, started_at=instant(way.started_at), state=_to_json(trial)
                )
            )

    def move(self, before: Trial, after: Trial) -> bool:
        """The trial stands as `after`; False, and nothing happened, if it stood otherwise than `before`."""
        this = policy_trials.c.trial_id == before.way.rollout_id
        query = sa.select(policy_trials.c.state).where(this)
        with self._database.transaction() as connection:
            state = connection.execute(query.with_for_update()).scalar_one_or_none()
            if state is None or _from_json(state) != before:
                return False
            connection.execute(policy_trials.update().where(this).values(state=_to_json(after)))
        return True

    def live(self) -> Trial | None:
        """The one that is under way, if any."""
        return next((one for one in self.all() if one.way.live), None)

    def latest(self) -> Trial | None:
        """The one that started last, if any."""
        return next(iter(self.all()), None)

    def all(self) -> list[Trial]:
        """Every trial, the latest first."""
        query = sa.select(policy_trials.c.state).order_by(
            policy_trials.c.started_at.desc(), policy_trials.c.trial_id.desc()
        )
        with self._database.reading() as connection:
            return [_from_json(row.state) for row in connection.execute(query)]


def _to_json(trial: Trial) -> dict[str, Any]:
    return {"way": rollout_to_json(trial.way), "file": trial.file, "text": trial.text}


def _from_json(state: dict[str, Any]) -> Trial:
    return Trial(rollout_from_json(state["way"]), state["file"], state["text"])
