# ruff: noqa: PT012  # what is raised inside a transaction is the point
from __future__ import annotations

import sqlite3
import threading
import time

import pytest
import sqlalchemy as sa

from hitl_mlops.database.connect import Database
from hitl_mlops.database.engine import CHECKPOINT_PAGES
from hitl_mlops.database.tables import trail_refs
from hitl_mlops.errors import (
    BusyError,
    ConfigurationError,
    CredentialsError,
    IntegrityError,
    ServiceDownError,
)


def a_row(ref: str) -> dict[str, object]:
    return {"sequence": 1, "ref": ref}


@pytest.fixture(params=["memory", "file", pytest.param("postgres", marks=pytest.mark.real)])
def database(request: pytest.FixtureRequest, tmp_path):
    urls = {"memory": "sqlite://", "file": f"sqlite:///{tmp_path}/new/folder/a.db"}
    url = urls.get(request.param) or request.getfixturevalue("postgres_url")
    opened = Database(url, lock_wait_s=0.3)
    opened.create()
    yield opened
    opened.close()


def refs(database: Database) -> list[str]:
    with database.reading() as connection:
        return sorted(connection.execute(sa.select(trail_refs.c.ref)).scalars())


def test_what_joins_a_transaction_is_kept_with_it(database):
    with database.transaction() as outer:
        outer.execute(trail_refs.insert(), a_row("a"))
        with database.transaction() as inner:
            inner.execute(trail_refs.insert(), a_row("b"))

    assert refs(database) == ["a", "b"]


def test_who_joins_writes_with_the_open_transaction_or_alone(database):
    with pytest.raises(ZeroDivisionError), database.transaction():
        with database.joined() as inner:
            inner.execute(trail_refs.insert(), a_row("a"))
        raise ZeroDivisionError
    with database.joined() as alone:
        alone.execute(trail_refs.insert(), a_row("b"))

    assert refs(database) == ["b"]


def test_what_is_written_in_a_bulk_is_in_the_file_afterwards(tmp_path):
    database, file = Database(f"sqlite:///{tmp_path}/a.db"), tmp_path / "a.db"
    database.create()
    with database.writing_much():
        within = file.stat().st_size
        for start in (0, 30_000):
            with database.transaction() as connection:
                rows = [a_row(f"r{n:0200}") for n in range(start, start + 30_000)]
                connection.execute(trail_refs.insert(), rows)
        assert file.stat().st_size == within
    assert file.stat().st_size > within + 10_000_000
    with database.transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar() == CHECKPOINT_PAGES
    database.close()


def test_an_exception_undoes_the_whole_transaction(database):
    with pytest.raises(ZeroDivisionError), database.transaction() as outer:
        outer.execute(trail_refs.insert(), a_row("a"))
        with database.transaction() as inner:
            inner.execute(trail_refs.insert(), a_row("b"))
        raise ZeroDivisionError

    assert refs(database) == []


def test_an_exception_caught_in_between_undoes_the_inner_block_only(database):
    with database.transaction() as outer:
        outer.execute(trail_refs.insert(), a_row("a"))
        with pytest.raises(sa.exc.IntegrityError), database.transaction() as inner:
            inner.execute(trail_refs.insert(), a_row("b"))
            inner.execute(trail_refs.insert(), a_row("a"))
        outer.execute(trail_refs.insert(), a_row("c"))

    assert refs(database) == ["a", "c"]


def test_an_action_after_the_commit_sees_what_was_kept(database):
    seen: list[list[str]] = []
    with database.transaction() as connection:
        database.after_commit("key", lambda: seen.append(refs(database)))
        connection.execute(trail_refs.insert(), a_row("a"))
        assert seen == []

    assert seen == [["a"]]


def test_no_action_runs_after_a_rollback(database):
    ran: list[str] = []
    with pytest.raises(ZeroDivisionError), database.transaction():
        database.after_commit("key", lambda: ran.append("never"))
        raise ZeroDivisionError
    with database.transaction():
        pass

    assert ran == []


def test_an_action_of_an_undone_inner_block_does_not_run(database):
    ran: list[str] = []
    with database.transaction():
        database.after_commit("outer", lambda: ran.append("outer"))
        with pytest.raises(ZeroDivisionError), database.transaction():
            database.after_commit("inner", lambda: ran.append("inner"))
            raise ZeroDivisionError

    assert ran == ["outer"]


def test_a_later_action_under_the_same_key_takes_the_place_of_the_earlier(database):
    ran: list[int] = []
    with database.transaction():
        database.after_commit("key", lambda: ran.append(1))
        database.after_commit("key", lambda: ran.append(2))
    database.after_commit("key", lambda: ran.append(3))

    assert ran == [2, 3]


def test_many_threads_write_and_nothing_is_lost(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/a.db")
    database.create()

    def write(number: int) -> None:
        for turn in range(10):
            with database.transaction() as connection:
                connection.execute(trail_refs.insert(), a_row(f"{number}-{turn}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refs(database)) == 80
    database.close()


def test_threads_share_an_in_memory_database_in_turn():
    database = Database("sqlite://")
    database.create()

    def write(number: int) -> None:
        with database.transaction() as connection:
            connection.execute(trail_refs.insert(), a_row(str(number)))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refs(database)) == 8
    database.close()


@pytest.fixture
def file_database(tmp_path):
    opened = Database(f"sqlite:///{tmp_path}/a.db", lock_wait_s=0.1)
    opened.create()
    yield opened
    opened.close()


def test_another_writer_is_waited_for_and_then_named(file_database, tmp_path):
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(BusyError, match="locked by another writer"), file_database.transaction():
        pass

    other.close()
    with file_database.transaction():
        pass


def test_who_is_to_be_first_waits_for_the_writer_too_and_then_names_it(file_database, tmp_path):
    other = Database(f"sqlite:///{tmp_path}/a.db", lock_wait_s=0.2)
    with (
        file_database.transaction(),
        pytest.raises(BusyError, match="locked by another writer"),
        other.transaction(first=True),
    ):
        pass

    with other.transaction(first=True) as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 200
        with other.transaction(first=True) as inner:
            assert inner is connection
    other.close()


def test_who_is_to_be_first_begins_as_soon_as_the_writer_has_ended(file_database, tmp_path):
    other, began = Database(f"sqlite:///{tmp_path}/a.db"), threading.Event()

    def write():
        with other.transaction(first=True) as connection:
            connection.execute(trail_refs.insert(), {"sequence": 7, "ref": "first"})
        began.set()

    thread = threading.Thread(target=write)
    with file_database.transaction():
        thread.start()
        assert not began.wait(0.3)
    thread.join(30)

    with file_database.reading() as connection:
        assert connection.execute(sa.select(trail_refs.c.ref)).scalars().all() == ["first"]
    other.close()


def test_who_is_to_be_first_hears_at_once_of_what_is_no_lock(tmp_path):
    database, began = Database(f"sqlite:///{tmp_path}/a.db"), time.monotonic()
    sa.event.listen(database.engine, "connect", lambda driver, _: driver.execute("BEGIN"))  # left open

    with pytest.raises(ServiceDownError, match="within a transaction"), database.transaction(first=True):
        pass

    assert time.monotonic() - began < 5
    database.close()


def test_readers_see_one_state_and_hold_up_no_writer(file_database):
    with file_database.reading() as reader:
        before = reader.execute(sa.select(trail_refs.c.ref)).scalars().all()
        with file_database.transaction() as writer:
            writer.execute(trail_refs.insert(), a_row("a"))
        after = reader.execute(sa.select(trail_refs.c.ref)).scalars().all()

    assert before == after == []
    assert refs(file_database) == ["a"]


def test_a_full_disk_is_said_plainly_and_nothing_is_half_done(file_database):
    with file_database.transaction() as connection:
        connection.execute(trail_refs.insert(), a_row("a"))
    with file_database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(ServiceDownError, match="is full"), file_database.transaction() as connection:
        for number in range(2_000):
            connection.execute(trail_refs.insert(), a_row(f"{number} {'x' * 70}"))

    assert refs(file_database) == ["a"]


def test_a_read_only_database_is_said_plainly(file_database):
    with (
        pytest.raises(ConfigurationError, match="may not be written"),
        file_database.transaction() as connection,
    ):
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.execute(trail_refs.insert(), a_row("a"))


def test_a_file_that_is_no_database_is_said_plainly(tmp_path):
    (tmp_path / "a.db").write_bytes(b"not a database at all" * 100)
    database = Database(f"sqlite:///{tmp_path}/a.db")

    with pytest.raises(IntegrityError, match="damaged"):
        database.create()
    database.close()


def test_a_folder_in_place_of_the_file_is_said_plainly(tmp_path):
    (tmp_path / "a.db").mkdir()
    database = Database(f"sqlite:///{tmp_path}/a.db")

    with pytest.raises(ConfigurationError, match="cannot be opened"):
        database.create()


def test_a_folder_that_cannot_be_made_is_said_plainly(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match="cannot be made"):
        Database(f"sqlite:///{tmp_path}/file/a.db")


@pytest.mark.parametrize("url", ["nonsense", "nosuch://user:hunter2@host/name", ""])
def test_an_address_that_is_none_is_refused_without_showing_a_password(url):
    with pytest.raises(ConfigurationError) as refused:
        Database(url)

    assert "hunter2" not in str(refused.value)


def test_a_server_that_does_not_answer_is_said_plainly_without_its_password():
    database = Database("postgresql://user:hunter2@127.0.0.1:1/name")

    with pytest.raises(ServiceDownError, match="does not answer") as down:
        database.create()

    assert "hunter2" not in str(down.value)
    database.close()


@pytest.mark.real
def test_an_unknown_role_is_refused_as_credentials(postgres_url):
    url = sa.make_url(postgres_url).set(username="nobody_we_know", password="hunter2")
    database = Database(url.render_as_string(hide_password=False))

    with pytest.raises(CredentialsError):
        database.create()
    database.close()


@pytest.mark.real
def test_a_lock_held_on_a_server_is_waited_for_and_then_named(postgres_url):
    database, other = (Database(postgres_url, lock_wait_s=0.2) for _ in range(2))
    database.create()
    with other.engine.begin() as holder:
        holder.execute(sa.text("LOCK TABLE trail_refs IN ACCESS EXCLUSIVE MODE"))

        with pytest.raises(BusyError), database.transaction() as connection:
            connection.execute(trail_refs.insert(), a_row("a"))
    database.close()
    other.close()
