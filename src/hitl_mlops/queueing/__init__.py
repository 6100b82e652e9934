"""Who gets which ticket, until when, and what becomes of one that nobody answers."""
