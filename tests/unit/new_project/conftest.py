"""Tables as users bring them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def loans() -> pd.DataFrame:
    """300 loans with every role in them, a leak, a constant and an e-mail column."""
    rng, rows = np.random.default_rng(3), 300
    defaulted = rng.integers(0, 2, rows).astype(bool)
    moments = pd.date_range("2026-01-01", periods=rows, freq="h")
    words = np.array(["late", "early", "missed", "paid", "call", "letter", "visit"])
    return pd.DataFrame(
        {
            "loan_id": [f"L{place:04d}" for place in range(rows)],
            "customer_id": rng.integers(0, 90, rows),
            "opened_at": [f"{moment.isoformat()}+00:00" for moment in moments],
            "email": [f"c{place}@example.org" for place in range(rows)],
            "amount": rng.gamma(2, 1000, rows).round(2),
            "age": rng.integers(18, 80, rows),
            "purpose": rng.choice(["car", "house", "boat"], rows),
            "remark": [" ".join(rng.choice(words, 6)) for _ in range(rows)],
            "country": ["DE"] * rows,
            "recovered": np.where(defaulted, rng.gamma(2, 100, rows), 0.0),
            "defaulted": np.where(defaulted, "yes", "no"),
        }
    )


@pytest.fixture
def messages() -> pd.DataFrame:
    """120 messages of two kinds, each another text."""
    topics = {"card": "my card did not arrive yet", "fee": "why was I charged this fee"}
    rows = [(f"{text}, number {place}", topic) for place in range(60) for topic, text in topics.items()]
    return pd.DataFrame(rows, columns=["text", "category"])
