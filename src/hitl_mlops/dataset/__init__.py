"""Versions of what was learned: append-only examples and label events, named by a content hash."""
