"""When to learn anew, to pause a slice, or to roll back: what speaks for it, and what is done."""
