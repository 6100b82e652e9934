"""The cheque reader's data: scikit-learn's 1,797 handwritten digits as fields of cheques.

The digits are real (E. Alpaydin & C. Kaynak, UCI 1998). Amount, branch, account and time are made up, from a
seed. The new scanner is a fixed function of the image: it smears ink to the right, prints paler, and one
column of its sensor is half blind.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

SIDE, INK = 8, 16.0
SMEAR, CONTRAST, BLIND_COLUMN, BLIND_SHARE = 0.4, 0.9, 3, 0.5
BRANCHES = ("north", "harbour", "market")
START = datetime(2026, 3, 2, 8, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cheques:
    """What the demo works with.

    Attributes:
        base: cheques whose digit is known, read by the old scanner: the first champion learns from them.
        stream: cheques to decide, in order of arrival, without the digit.
        truth: field id → digit, known to the simulated reviewers only.
        new_scanner_from: how many of the stream the old scanner read.
    """

    base: pd.DataFrame
    stream: pd.DataFrame
    truth: dict[str, str]
    new_scanner_from: int


def new_scanner(pixels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The images as the new scanner reads them; shape (n, 64), values 0…16, whole numbers.

    >>> new_scanner(np.full((1, 64), 16.0))[0, :5]
    array([ 9., 14., 14.,  7., 14.])
    """
    images = pixels.reshape(-1, SIDE, SIDE)
    moved = np.roll(images, 1, axis=2)
    moved[:, :, 0] = 0
    read = CONTRAST * ((1 - SMEAR) * images + SMEAR * moved)
    read[:, :, BLIND_COLUMN] *= BLIND_SHARE
    return np.asarray(np.clip(np.round(read), 0, INK).reshape(-1, SIDE * SIDE))


def cheques(*, base: int = 500, before_scanner: int = 150, seed: int = 7) -> Cheques:
    """All 1,797 digits, each once: `base` known ones, then the stream with the scanner changed on the way."""
    from sklearn.datasets import load_digits

    pixels, digits = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(digits))
    pixels, digits = pixels[order], digits[order]
    changed = base + before_scanner
    pixels[changed:] = new_scanner(pixels[changed:])
    frame = pd.DataFrame(pixels, columns=[f"pixel_{place:02}" for place in range(SIDE * SIDE)])
    count = len(frame)
    frame.insert(0, "field_id", [f"cheque-{number:04}" for number in range(count)])
    frame.insert(1, "account_id", [f"account-{rng.integers(100_000):05}" for _ in range(count)])
    frame.insert(2, "arrived_at", [START + timedelta(minutes=number) for number in range(count)])
    frame.insert(3, "amount", np.round(np.exp(rng.normal(4.6, 1.6, count)), 2))
    frame.insert(4, "branch", rng.choice(BRANCHES, count))
    truth = {field: str(digit) for field, digit in zip(frame["field_id"], digits, strict=True)}
    known = frame.iloc[:base].assign(digit=[truth[field] for field in frame["field_id"].iloc[:base]])
    return Cheques(known, frame.iloc[base:].reset_index(drop=True), truth, before_scanner)
