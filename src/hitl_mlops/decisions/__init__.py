"""A case comes in, a model version says what it is, the policy routes it, the log keeps it."""
