"""What other tools load from us."""
