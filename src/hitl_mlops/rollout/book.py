"""Rollouts as the database keeps them; at most one is live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import rollouts
from hitl_mlops.errors import RefusedError
from hitl_mlops.ids import instant, parse_instant
from hitl_mlops.rollout.state import Rollout, Stage


class RolloutBook:
    """Keeps rollouts in the table `rollouts`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, rollout: Rollout) -> None:
        """The rollout is the live one.

        Raises:
            RefusedError: another one is live.
        """
        with self._database.transaction() as connection:
            live = self.live()
            if live is not None and live.rollout_id != rollout.rollout_id:
                raise RefusedError(
                    f"Challenger {live.challenger} is on its way already ({live.stage.value}).",
                    remedy='Wait for it to end, or run `hitl rollout abort --reason "…"`.',
                    rollout_id=live.rollout_id,
                )
            if live is None:
                connection.execute(
                    rollouts.insert().values(
                        rollout_id=rollout.rollout_id,
                        started_at=instant(rollout.started_at),
                        state=rollout_to_json(rollout),
                    )
                )

    def keep(self, rollout: Rollout) -> None:
        """The rollout stands as given."""
        with self._database.transaction() as connection:
            connection.execute(
                rollouts.update()
                .where(rollouts.c.rollout_id == rollout.rollout_id)
                .values(state=rollout_to_json(rollout))
            )

    def move(self, before: Rollout, after: Rollout) -> bool:
        """The rollout stands as `after`; False, and nothing happened, if it stood otherwise than `before`."""
        query = sa.select(rollouts.c.state).where(rollouts.c.rollout_id == before.rollout_id)
        with self._database.transaction() as connection:
            state = connection.execute(query.with_for_update()).scalar_one_or_none()
            if state is None or rollout_from_json(state) != before:
                return False
            self.keep(after)
        return True

    def live(self) -> Rollout | None:
        """The one that is in the shadow or the canary, if any."""
        return _live(self.all())

    def champion(self) -> Rollout | None:
        """The one whose challenger serves now: the last that was promoted."""
        return _champion(self.all())

    def standing(self) -> tuple[Rollout | None, Rollout | None]:
        """`champion` and `live`, read at once."""
        kept = self.all()
        return _champion(kept), _live(kept)

    def latest(self) -> Rollout | None:
        """The one that started last, if any."""
        return next(iter(self.all()), None)

    def all(self) -> list[Rollout]:
        """Every rollout, the latest first."""
        query = sa.select(rollouts.c.state).order_by(
            rollouts.c.started_at.desc(), rollouts.c.rollout_id.desc()
        )
        with self._database.reading() as connection:
            return [rollout_from_json(row.state) for row in connection.execute(query)]


def _live(kept: Sequence[Rollout]) -> Rollout | None:
    return next((rollout for rollout in kept if rollout.live), None)


def _champion(kept: Sequence[Rollout]) -> Rollout | None:
    promoted = (rollout for rollout in kept if rollout.stage is Stage.PROMOTED)
    return max(promoted, key=lambda rollout: rollout.stage_at, default=None)


def rollout_to_json(rollout: Rollout) -> dict[str, Any]:
    """The rollout as JSON keeps it."""
    return {
        key: instant(value) if isinstance(value, datetime) else value
        for key, value in asdict(rollout).items()
    }


def rollout_from_json(state: dict[str, Any]) -> Rollout:
    """The rollout that was kept so."""
    times = {key: parse_instant(state[key]) for key in ("started_at", "stage_at")}
    return Rollout(**{**state, **times, "stage": Stage(state["stage"])})
