"""MLflow tells that something changed: believed where it is signed, once, and only as a reason to look."""
