"""Run by Alembic: takes the open connection it is given and changes the tables inside its transaction."""

from __future__ import annotations

from alembic import context

from hitl_mlops.database.migrate import VERSION_TABLE
from hitl_mlops.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite changes a column by making the table anew
    transaction_per_migration=False,
)
context.run_migrations()
