"""What looks like personal data and is none, type by type; by rules of its own, as `personal_data`."""

from __future__ import annotations

import random
import string

from made.personal_data import MADE, Maker, digits


def with_wrong_check(kind: str) -> Maker:
    """A valid one whose last digit or letter is another: the sum does not hold any more."""

    def make(rng: random.Random) -> tuple[str, str]:
        context, held = MADE[kind](rng)
        last = max(place for place, sign in enumerate(held) if sign.isalnum())
        digit_value = held[last].isdigit()
        others = (
            string.digits
            if digit_value
            else "".join(one for one in string.ascii_uppercase if one != held[last].upper())
        )
        now = int(held[last]) if digit_value else -1
        other = rng.choice([one for one in others if not digit_value or int(one) != now])
        return context, held[:last] + other + held[last + 1 :]

    return make


def no_email(rng: random.Random) -> tuple[str, str]:
    """A handle, a decorator, a price, an address without a top level."""
    word = rng.choice(["ann", "support", "bank", "team"])
    return "", rng.choice(
        [
            f"@{word}",
            f"{word}@localhost",
            f"{digits(rng, 2)} @ {digits(rng, 2)}.50",
            f"@{word}.setter",
            f"{word} @ work",
        ]
    )


def no_phone(rng: random.Random) -> tuple[str, str]:
    """Numbers that are named as something else, or have no such form."""
    number = digits(rng, 8)
    return rng.choice(
        [
            ("order number ", f"0{number}"),
            ("invoice ", number),
            ("", f"{number[:4]}-{number[4:]}"),
            ("", f"{rng.randint(1, 9)}{number}"),
            ("", f"{number[:2]} {number[2:4]} {number[4:6]}"),
            ("customer id ", f"01{number}"),
            ("", f"ABC-{number}-{number[:3]}"),
            ("", f"{number[:5]} {number[5:]} kWh"),
        ]
    )


def no_ip(rng: random.Random) -> tuple[str, str]:
    """Versions, numbers above 255, times, names of C++ and MAC addresses."""
    parts = [rng.randint(0, 255) for _ in range(5)]
    return rng.choice(
        [
            ("version ", ".".join(map(str, parts[:4]))),
            ("", "v" + ".".join(map(str, parts[:4]))),
            ("", ".".join(map(str, parts))),
            ("", f"{parts[0]}.{parts[1]}.{parts[2]}.{rng.randint(256, 999)}"),
            ("", f"{parts[0]}.{parts[1]}.{parts[2]}"),
            ("", f"{parts[0] % 24:02d}:{parts[1] % 60:02d}:{parts[2] % 60:02d}"),
            ("", "std::vector"),
            ("", ":".join(f"{one:02x}" for one in [*parts, 7])),
        ]
    )


def no_ssn(rng: random.Random) -> tuple[str, str]:
    """Areas and serials that were never given, and nine digits that nothing names."""
    middle, last = rng.randint(1, 99), rng.randint(1, 9999)
    return rng.choice(
        [
            ("", f"000-{middle:02d}-{last:04d}"),
            ("", f"666-{middle:02d}-{last:04d}"),
            ("", f"{rng.randint(900, 999)}-{middle:02d}-{last:04d}"),
            ("", f"{rng.randint(100, 665)}-00-{last:04d}"),
            ("", f"{rng.randint(100, 665)}-{middle:02d}-0000"),
            ("", f"{rng.randint(1, 9)}{digits(rng, 8)}"),
        ]
    )


def no_nino(rng: random.Random) -> tuple[str, str]:
    """Letters that no number has."""
    prefix = rng.choice(["BG", "GB", "NK", "KN", "TN", "NT", "ZZ", "DA", "QQ", "AO", "FX"])
    return rng.choice([("", f"{prefix}{digits(rng, 6)}A"), ("", f"AB{digits(rng, 6)}{rng.choice('EFGH')}")])


def no_bsn(rng: random.Random) -> tuple[str, str]:
    """Nine digits that fail the eleven test, and nine that nothing names."""
    return (
        with_wrong_check("nl-bsn")(rng)
        if rng.random() < 0.5
        else ("", f"{rng.randint(1, 9)}{digits(rng, 8)}")
    )


OTHERS: dict[str, Maker] = {
    "e-mail": no_email,
    "phone": no_phone,
    "ip": no_ip,
    "us-ssn": no_ssn,
    "uk-nino": no_nino,
    "nl-bsn": no_bsn,
}
NEAR_MISSES: dict[str, Maker] = {kind: OTHERS.get(kind) or with_wrong_check(kind) for kind in MADE}
