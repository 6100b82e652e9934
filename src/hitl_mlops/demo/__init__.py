"""The cheque reader: real digits, a scanner that fails half-way, and simulated reviewers."""
