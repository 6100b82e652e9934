"""Whether people check or stamp, and whether they agree: seeds, calibration, figures, guideline issues."""
