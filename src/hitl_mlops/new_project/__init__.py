"""A project begins: a user's table is looked at, a project is proposed, its folder is written."""
