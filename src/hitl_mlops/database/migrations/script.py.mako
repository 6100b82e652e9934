# ruff: noqa: PLR0915, INP001  # written by Alembic
"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """The tables stand as after this change."""
    ${upgrades if upgrades else "pass"}
