"""Bring a database to the tables of this program.

An empty database gets today's tables and today's version at once; an older one runs the Alembic revisions it
lacks (Alembic is imported only then). A test proves that both roads end at the same tables.

After a change of `tables.py`, write the revision with: python -m hitl_mlops.database.migrate "what changed"
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from hitl_mlops.database.tables import metadata
from hitl_mlops.errors import ConfigurationError

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "hitl_version"  # MLflow may keep its own alembic_version in the same database
MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x6869746C  # "hitl"


def versions() -> list[str]:
    """Every version this program knows, oldest first: the first four signs of the file names."""
    return sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


def bring_to_head(connection: sa.Connection) -> None:
    """The tables are those of the newest known version; costs one query when they are so already.

    Raises:
        ConfigurationError: the database is of a version this program does not know, or has our tables but
            no version.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    known, found = versions(), version_of(connection)
    if found is None:
        _make_all(connection, known[-1])
    elif found not in known:
        raise ConfigurationError(
            f"The database is of version {found}, newer than this program, which knows {known[-1]}.",
            remedy="Type: pip install --upgrade hitl-mlops",
            found=found,
        )
    elif found != known[-1]:
        upgrade(connection)


def version_of(connection: sa.Connection) -> str | None:
    """The version the database says it has; None where it was never made."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()
    return None if found is None else str(found)


def upgrade(connection: sa.Connection, target: str = "head") -> None:
    """Every revision up to the target was run on this connection, in its transaction."""
    from alembic import command

    command.upgrade(_alembic(connection), target)


def _make_all(connection: sa.Connection, version: str) -> None:
    ours = set(metadata.tables) & set(sa.inspect(connection).get_table_names())
    if ours:
        raise ConfigurationError(
            f"The database has tables of ours ({', '.join(sorted(ours))}) but no version.",
            remedy="Move it away, or restore a backup that `hitl` made; nothing was changed.",
            tables=sorted(ours),
        )
    metadata.create_all(connection, checkfirst=False)
    connection.execute(
        sa.text(
            f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL, "
            f"CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(
        sa.text(f"INSERT INTO {VERSION_TABLE} (version_num) VALUES (:version)"), {"version": version}
    )


def _alembic(connection: sa.Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _write_revision(message: str) -> None:
    """Writes the difference between the revisions so far and `tables.py` as the next revision."""
    from alembic import command

    number = f"{int(([*versions()] or ['0000'])[-1]) + 1:04d}"
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        config = _alembic(connection)
        config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        command.upgrade(config, "head")
        command.revision(config, message, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    _write_revision(" ".join(sys.argv[1:]))
