"""The mathematics, on arrays, knowing nothing of the rest."""
