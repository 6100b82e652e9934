"""Tickets: questions put to people, on the desk where they answer."""
