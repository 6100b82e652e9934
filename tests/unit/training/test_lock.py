from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import intents
from hitl_mlops.errors import BusyError
from hitl_mlops.training.lock import LOCK_KEY, process_started, training_lock

NOW = datetime(2026, 1, 2, tzinfo=UTC)

HOLDER = """
import sys, time
from datetime import UTC, datetime
from hitl_mlops.database.connect import Database
from hitl_mlops.training.lock import training_lock
with training_lock(Database(sys.argv[1]), datetime.now(UTC)):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path}/hitl.db")
    made.create()
    yield made
    made.close()


def rows(database: Database) -> int:
    with database.transaction() as connection:
        return len(connection.execute(sa.select(intents)).all())


def change(database: Database, **facts: object) -> None:
    """Make the lock that stands look as if another held it."""
    with database.transaction() as connection:
        held = connection.execute(sa.select(intents.c.facts)).scalar_one()
        connection.execute(sa.update(intents).values(facts={**held, **facts}))


def test_a_second_training_is_told_who_trains(database: Database) -> None:
    with (
        training_lock(database, NOW),
        pytest.raises(BusyError, match=f"process {os.getpid()}") as caught,
        training_lock(database, NOW),
    ):
        pass
    assert caught.value.data["pid"] == os.getpid()


def test_the_lock_is_gone_after_the_block_however_it_ends(database: Database) -> None:
    with pytest.raises(RuntimeError), training_lock(database, NOW):
        raise RuntimeError
    assert rows(database) == 0
    with training_lock(database, NOW):
        assert rows(database) == 1


def test_a_lock_whose_holder_was_killed_is_taken_over(database: Database) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, database.url], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match=f"process {holder.pid}"), training_lock(database, NOW):
            pass
        holder.kill()
    with training_lock(database, NOW):
        assert rows(database) == 1


def test_a_process_id_that_was_given_anew_does_not_hold_the_lock(database: Database) -> None:
    with training_lock(database, NOW):
        change(database, started="1")
        with training_lock(database, NOW):
            assert rows(database) == 1, "the dead holder's row was taken over"


def test_a_lock_from_another_machine_counts_for_half_a_day(database: Database) -> None:
    with training_lock(database, NOW):
        change(database, host="elsewhere")
        with pytest.raises(BusyError, match="elsewhere"), training_lock(database, NOW + timedelta(hours=11)):
            pass
        with training_lock(database, NOW + timedelta(hours=13)):
            pass


def test_the_lock_of_another_is_not_released_with_ours(database: Database) -> None:
    with training_lock(database, NOW):
        change(database, token="another")
    assert rows(database) == 1
    with database.transaction() as connection:
        assert connection.execute(sa.select(intents.c.key)).scalar_one() == LOCK_KEY


def test_a_process_that_does_not_run_has_no_start() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert process_started(ended.pid) is None
    assert process_started(os.getpid()) == process_started(os.getpid()) is not None
