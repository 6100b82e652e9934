"""One thing that is odd about a policy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """The policy does not do what it says."""
    WARNING = "warning"
    """It may not do what its author means."""
    INFO = "info"
    """Good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a policy.

    Attributes:
        severity: how much it matters.
        line: of the policy file, from 1; None where it is about no line.
        fact: what is so, one sentence.
        remedy: what to do, one sentence; empty where there is nothing to do.
    """

    severity: Severity
    line: int | None
    fact: str
    remedy: str
