"""How the tables came to be what they are: one Alembic revision in `versions/` per change, in order."""
