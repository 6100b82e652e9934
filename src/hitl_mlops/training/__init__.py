"""A challenger learns from a dataset version and is registered."""
