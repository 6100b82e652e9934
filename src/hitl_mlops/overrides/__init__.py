"""Answers come back: collected exactly once, screened, resolved into agreements and overrides."""
