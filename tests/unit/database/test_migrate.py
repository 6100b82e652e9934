from __future__ import annotations

import subprocess
import sys
import time

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hitl_mlops.database.connect import Database
from hitl_mlops.database.migrate import VERSION_TABLE, upgrade, version_of, versions
from hitl_mlops.database.tables import metadata
from hitl_mlops.errors import ConfigurationError


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.real)])
def database(request: pytest.FixtureRequest, tmp_path):
    is_file = request.param == "file"
    opened = Database(f"sqlite:///{tmp_path}/a.db" if is_file else request.getfixturevalue("postgres_url"))
    yield opened
    opened.close()


def differences(connection: sa.Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE, "compare_type": True}
    )
    return list(compare_metadata(context, metadata))


def test_the_migrations_end_at_the_tables_of_this_program(database):
    """If not, type: python -m hitl_mlops.database.migrate "what changed"."""
    with database.transaction() as connection:
        upgrade(connection)
        found = differences(connection)

    assert found == []


def test_an_empty_database_gets_the_tables_and_the_newest_version(database):
    database.create()

    with database.transaction() as connection:
        assert differences(connection) == []
        assert version_of(connection) == versions()[-1]


def test_creating_again_changes_nothing(database):
    database.create()
    database.create()

    with database.reading() as connection:
        assert version_of(connection) == versions()[-1]


def test_a_migrated_database_is_at_the_newest_version(database):
    with database.transaction() as connection:
        upgrade(connection)
    database.create()

    with database.reading() as connection:
        assert version_of(connection) == versions()[-1]


def test_a_newer_database_is_refused_with_a_remedy(database):
    database.create()
    with database.transaction() as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))

    with pytest.raises(ConfigurationError, match="newer than this program") as refused:
        database.create()

    assert "pip install --upgrade" in refused.value.remedy


def test_tables_of_ours_without_a_version_are_left_alone(database):
    metadata.tables["trail_head"].create(database.engine)

    with pytest.raises(ConfigurationError, match="no version"):
        database.create()

    assert sa.inspect(database.engine).get_table_names() == ["trail_head"]


def test_tables_of_others_are_no_hindrance(database):
    with database.transaction() as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))

    database.create()

    with database.reading() as connection:
        assert version_of(connection) == versions()[-1]


def test_an_empty_file_is_ready_in_less_than_a_third_of_a_second(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/a.db")
    start = time.perf_counter()
    database.create()

    assert time.perf_counter() - start < 0.3
    database.close()


def test_processes_that_come_first_together_agree(tmp_path):
    program = (
        f"from hitl_mlops.database.connect import Database; Database('sqlite:///{tmp_path}/a.db').create()"
    )
    started = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(4)]

    assert [process.wait(60) for process in started] == [0, 0, 0, 0]
