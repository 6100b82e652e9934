"""Whether the last signs of a number are what the others make them; numbers are texts of digits."""

from __future__ import annotations

from datetime import date

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812: payment cards, Swedish personal numbers.

    >>> luhn("79927398713"), luhn("79927398714")
    (True, False)
    """
    values = [ord(one) - 48 for one in reversed(digits)]
    return (sum(values[::2]) + sum(_DOUBLED[one] for one in values[1::2])) % 10 == 0


def mod_97(text: str) -> bool:
    """ISO 7064 MOD 97-10 as IBAN has it: first four signs last, A = 10 … Z = 35, remainder 1."""
    turned = text[4:] + text[:4]
    return int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1


def mod_11_10(digits: str) -> bool:
    """ISO 7064 MOD 11,10: the German tax id."""
    product = 10
    for one in digits[:-1]:
        product = ((ord(one) - 48 + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == ord(digits[-1]) - 48


def weighed(digits: str, weights: tuple[int, ...]) -> int:
    """The sum of the digits, each times its weight."""
    return sum((ord(one) - 48) * weight for one, weight in zip(digits, weights, strict=True))


def is_day(year: int, month: int, day: int) -> bool:
    """There is such a day."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
