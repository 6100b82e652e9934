"""Checks of a challenger: measured, then judged."""
