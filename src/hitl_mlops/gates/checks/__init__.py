"""What each gate looks at. Each takes the evidence and the bounds, and says one verdict with its reason."""
