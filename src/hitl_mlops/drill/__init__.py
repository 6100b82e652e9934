"""Rehearsals of what goes wrong, on a copy of the project: what happens, how soon, to how many decisions."""
