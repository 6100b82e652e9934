"""Callbacks: an application is told at its own address when a decision of its stands otherwise."""
