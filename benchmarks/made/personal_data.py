"""Made-up personal data of every type, valid and as people write it, and near-misses of it.

Written apart from `hitl_mlops.redaction`, whose rules it is to test: nothing is imported from there. Each
maker takes a generator of random numbers and gives the words that stand before the value, and the value.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable

Made = tuple[str, str]
Maker = Callable[[random.Random], Made]


def digits(rng: random.Random, count: int) -> str:
    """So many digits."""
    return "".join(rng.choices(string.digits, k=count))


def grouped(text: str, sizes: tuple[int, ...], sep: str) -> str:
    """The text in groups of those sizes."""
    parts, start = [], 0
    for size in sizes:
        parts.append(text[start : start + size])
        start += size
    return sep.join(parts)


def _sum_of_luhn(number: str) -> int:
    total = 0
    for place, sign in enumerate(number[::-1]):
        value = int(sign) * (2 if place % 2 else 1)
        total += value if value < 10 else value - 9
    return total


def with_luhn(start: str) -> str:
    """The number with the check digit of Luhn at its end."""
    return next(start + last for last in string.digits if _sum_of_luhn(start + last) % 10 == 0)


CARDS = [
    *((prefix, 16, (4, 4, 4, 4)) for prefix in ("4", "51", "52", "53", "54", "55", "2221", "2345", "2720")),
    *((prefix, 16, (4, 4, 4, 4)) for prefix in ("6011", "644", "65", "3528", "3589", "6212", "2202")),
    ("34", 15, (4, 6, 5)),
    ("37", 15, (4, 6, 5)),
    ("36", 14, (4, 6, 4)),
    ("305", 14, (4, 6, 4)),
    ("4", 13, (4, 4, 4, 1)),
    ("4", 19, (4, 4, 4, 4, 3)),
]


def card(rng: random.Random) -> Made:
    """A payment card of one of ten networks."""
    prefix, length, sizes = rng.choice(CARDS)
    number = with_luhn(prefix + digits(rng, length - len(prefix) - 1))
    return "", _parted(rng, number, sizes, (" ", " ", "-", ".", "\u00a0", "\n"))


def _parted(rng: random.Random, number: str, sizes: tuple[int, ...], seps: tuple[str, ...]) -> str:
    """Bare, in groups, broken by the end of a line, with signs that are not seen, or in another script."""
    style = rng.random()
    if style < 0.35:
        return number
    if style < 0.85:
        return grouped(number, sizes, rng.choice(seps))
    if style < 0.90:
        middle = len(number) // 2
        return f"{number[:middle]}\n{number[middle:]}"
    if style < 0.95:
        return grouped(number, sizes, "\u200b")
    zero = rng.choice((0x660, 0x966, 0xFF10))
    return "".join(chr(zero + int(one)) if one.isdigit() else one for one in grouped(number, sizes, " "))


def _as_number(text: str) -> int:
    return int("".join(one if one.isdigit() else str(ord(one) - ord("A") + 10) for one in text))


BANKS = {
    "DE": (18, (4,) * 5 + (2,), False), "GB": (18, (4,) * 5 + (2,), True), "NL": (14, (4,) * 4 + (2,), True),
    "FR": (23, (4,) * 6 + (3,), False), "ES": (20, (4,) * 6, False), "IT": (23, (4,) * 6 + (3,), True),
    "CH": (17, (4,) * 5 + (1,), False), "AT": (16, (4,) * 5, False), "BE": (12, (4,) * 4, False),
    "PL": (24, (4,) * 7, False), "SE": (20, (4,) * 6, False), "NO": (11, (4, 4, 4, 3), False),
    "MT": (27, (4,) * 7 + (3,), True), "PT": (21, (4,) * 6 + (1,), False), "SA": (20, (4,) * 6, False),
}  # fmt: skip


def iban(rng: random.Random) -> Made:
    """An account of a bank in one of fifteen countries."""
    country = rng.choice(list(BANKS))
    length, sizes, letters = BANKS[country]
    body = digits(rng, length)
    if letters:
        body = "".join(rng.choices(string.ascii_uppercase, k=4)) + body[4:]
    check = 98 - _as_number(f"{body}{country}00") % 97
    number = f"{country}{check:02d}{body}"
    written = rng.choice([number, grouped(number, sizes, " "), grouped(number, sizes, " ")])
    return "", rng.choice(
        [written, written, written.lower(), grouped(number, sizes, "-"), grouped(number, sizes, "\u00a0")]
    )


FIRST = (
    "ann",
    "bob",
    "j.smith",
    "maria.garcia",
    "o'neil",
    "li_wei",
    "müller",
    "sales-team",
    "x",
    "Anna-Lena.Koch",
)
HOSTS = (
    "example.org",
    "mail.example.co.uk",
    "sub.domain.example.com",
    "müller.de",
    "a-b.io",
    "bank.museum",
    "x.photography",
)


def email(rng: random.Random) -> Made:
    """An e-mail address."""
    name = rng.choice(FIRST) + rng.choice(["", "", digits(rng, 2), "+news", f".{digits(rng, 4)}"])
    host = rng.choice(HOSTS)
    plain = f"{name}@{host}"
    return "", rng.choice(
        [plain, plain, plain, plain.upper(), f"<{plain}>"[1:-1], plain.replace("@", "\uff20")]
    )


def ip(rng: random.Random) -> Made:
    """An address of version 4 or 6, short or in full."""
    if rng.random() < 0.6:
        return "", ".".join(str(rng.randint(1, 254)) for _ in range(4))
    groups = [f"{rng.randint(1, 0xFFFF):x}" for _ in range(8)]
    short = f"{groups[0]}:{groups[1]}::{groups[2]}:{groups[3]}"
    return "", rng.choice(
        [":".join(groups), short, short.upper(), f"fe80::{groups[0]}", f"2001:db8::{groups[1]}"]
    )


PHONES = (
    "+49 171 #######", "+49 30 ######", "+49 (0)89 ### ## ##", "+4915########1", "+1 (212) 555-####",
    "+1-415-555-####", "+1 646 555 ####", "+44 20 7946 0###", "+44 7911 ######", "+33 6 ## ## ## ##",
    "+336########", "+34 612 ### ###", "+39 347 ### ####", "+31 6 ########", "+48 601 ### ###",
    "+46 70-### ## ##", "+41 79 ### ## ##", "+32 470 ## ## ##", "+61 412 ### ###", "+91 98### #####",
    "+81 90-####-####", "+55 11 9####-####", "+86 138 #### ####", "+7 912 ###-##-##", "+420 601 ### ###",
    "+353 86 ### ####", "+358 40 ### ####", "0049 171 #######", "0044 20 7946 0###", "(212) 555-####",
    "212-555-####", "212.555.####", "1-800-555-####", "0171 #######", "0171/#######", "030 / ### ## ##",
    "089-######1", "07911 ######", "020 7946 0###", "(020) 7946 0###", "06 ## ## ## ##", "06.##.##.##.##",
    "06-########", "070-### ## ##", "079 ### ## ##", "0470 ## ## ##", "0412 ### ###", "090-####-####",
    "0171#######", "07911######",
)  # fmt: skip
PHONES_WITH_A_WORD = (
    "call me at 612 ### ###", "móvil 612######", "Tel.: 91 ### ## ##", "telefono 347 ### ####",
    "tel. 601-###-###", "my mobile is 98### #####", "Phone: 212555####", "WhatsApp 9####-####",
    "fax 7946 0###",
)  # fmt: skip


def phone(rng: random.Random) -> Made:
    """A phone number, international or as dialled in one of some countries."""
    form = rng.choice(PHONES if rng.random() < 0.8 else PHONES_WITH_A_WORD)
    written = "".join(rng.choice(string.digits[1:]) if sign == "#" else sign for sign in form)
    start = next(place for place, sign in enumerate(written) if sign in "+(" or sign.isdigit())
    return written[:start], written[start:] if rng.random() < 0.9 else written[start:].replace(" ", "\u00a0")


def ssn(rng: random.Random) -> Made:
    """A number of the Social Security Administration of the United States."""
    area = rng.choice([*range(1, 666), *range(667, 900)])
    number = f"{area:03d}{rng.randint(1, 99):02d}{rng.randint(1, 9999):04d}"
    if rng.random() < 0.25:
        return rng.choice(["SSN ", "ssn: ", "social security number "]), number
    return "", grouped(number, (3, 2, 4), rng.choice(["-", "-", " ", "\u2011"]))


def steuer_id(rng: random.Random) -> Made:
    """A German tax id: ten digits of which one stands twice, and a check digit."""
    while True:
        signs = rng.sample(string.digits, 9)
        signs.append(rng.choice(signs))
        rng.shuffle(signs)
        if signs[0] != "0":
            break
    carry = 10
    for one in signs:
        carry = (carry + int(one)) % 10
        carry = (10 if carry == 0 else carry) * 2 % 11
    number = "".join(signs) + str((11 - carry) % 10)
    return "", _parted(rng, number, (2, 3, 3, 3), (" ",))


def _letter_of_dni(number: int) -> str:
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]


def dni(rng: random.Random) -> Made:
    """A Spanish DNI or, for foreigners, NIE."""
    if rng.random() < 0.6:
        number = rng.randint(1_000_000, 99_999_999)
        letter, body = _letter_of_dni(number), f"{number:08d}"
        dotted = f"{body[:2]}.{body[2:5]}.{body[5:]}-{letter}"
        return "", rng.choice(
            [body + letter, f"{body}-{letter}", dotted, f"{body} {letter}", (body + letter).lower()]
        )
    first, number = rng.choice("XYZ"), digits(rng, 7)
    letter = _letter_of_dni(int(str("XYZ".find(first)) + number))
    return "", rng.choice(
        [first + number + letter, f"{first}-{number}-{letter}", f"{first}{number}-{letter}"]
    )


def nir(rng: random.Random) -> Made:
    """A French number of social security, with its key."""
    place = rng.choice([f"{rng.randint(1, 95):02d}", "2A", "2B"])
    born = f"{rng.randint(1, 2)}{digits(rng, 2)}{rng.randint(1, 12):02d}"
    body = f"{born}{place}{rng.randint(1, 990):03d}{rng.randint(1, 999):03d}"
    key = 97 - int(body.replace("2A", "19").replace("2B", "18")) % 97
    number = f"{body}{key:02d}"
    sizes = (1, 2, 2, 2, 3, 3, 2)
    return "", rng.choice(
        [number, grouped(number, sizes, " "), grouped(number, sizes, "\u00a0"), f"{body} {key:02d}"]
    )


_ODD_DIGITS = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_ODD_LETTERS = (*_ODD_DIGITS, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
ODD = dict(zip(string.digits + string.ascii_uppercase, (*_ODD_DIGITS, *_ODD_LETTERS), strict=True))


def codice_fiscale(rng: random.Random) -> Made:
    """An Italian tax code."""
    letters = "".join(rng.choices("BCDFGLMNPRSTV", k=6))
    day = rng.randint(1, 28) + rng.choice([0, 40])
    born = f"{digits(rng, 2)}{rng.choice('ABCDEHLMPRST')}{day:02d}"
    body = f"{letters}{born}{rng.choice('ABCDEFGHIL')}{digits(rng, 3)}"
    total = 0
    for place, sign in enumerate(body, start=1):
        total += ODD[sign] if place % 2 else (int(sign) if sign.isdigit() else ord(sign) - 65)
    number = body + string.ascii_uppercase[total % 26]
    return "", rng.choice([number, number, number.lower(), grouped(number, (3, 3, 5, 5), " ")])


def bsn(rng: random.Random) -> Made:
    """A Dutch citizen service number."""
    while True:
        start = digits(rng, 8)
        rest = sum(int(sign) * weight for sign, weight in zip(start, range(9, 1, -1), strict=True)) % 11
        if rest < 10 and start[0] != "0":
            break
    number = f"{start}{rest}"
    if rng.random() < 0.6:
        return rng.choice(["BSN ", "BSN: ", "burgerservicenummer ", "mijn bsn is "]), number
    return "", grouped(number, (4, 2, 3), rng.choice([".", " "]))


def pesel(rng: random.Random) -> Made:
    """A Polish PESEL of the last or this century."""
    month = rng.randint(1, 12) + rng.choice([0, 20])
    year = rng.randint(30, 99) if month < 20 else rng.randint(0, 25)
    start = f"{year:02d}{month:02d}{rng.randint(1, 28):02d}{digits(rng, 4)}"
    total = sum(
        int(sign) * weight for sign, weight in zip(start, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), strict=True)
    )
    return rng.choice(["", "PESEL "]), f"{start}{(10 - total % 10) % 10}"


def nino(rng: random.Random) -> Made:
    """A British number of national insurance."""
    while (prefix := rng.choice("ABCEGHJKLMNOPRSTWXYZ") + rng.choice("ABCEGHJKLMNPRSTWXYZ")) in (
        "BG", "GB", "KN", "NK", "NT", "TN", "ZZ",
    ):  # fmt: skip
        pass
    number = f"{prefix}{digits(rng, 6)}{rng.choice('ABCD')}"
    return "", rng.choice(
        [number, number.lower(), grouped(number, (2, 2, 2, 2, 1), " "), grouped(number, (2, 6, 1), " ")]
    )


def personnummer(rng: random.Random) -> Made:
    """A Swedish personal number."""
    year = rng.randint(1930, 2015)
    start = f"{year % 100:02d}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}{digits(rng, 3)}"
    short = with_luhn(start)
    long = f"{year}{short[2:]}"
    return "", rng.choice(
        [short, f"{short[:6]}-{short[6:]}", f"{short[:6]}-{short[6:]}", long, f"{long[:8]}-{long[8:]}"]
    )


def ahv(rng: random.Random) -> Made:
    """A Swiss number of old-age insurance."""
    start = "756" + digits(rng, 9)
    total = sum(int(sign) * (3 if place % 2 else 1) for place, sign in enumerate(start))
    number = f"{start}{-total % 10}"
    return "", rng.choice([number, grouped(number, (3, 4, 4, 2), "."), grouped(number, (3, 4, 4, 2), " ")])


def belgian(rng: random.Random) -> Made:
    """A Belgian national number."""
    year = rng.randint(1930, 2020)
    start = f"{year % 100:02d}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}{rng.randint(1, 997):03d}"
    whole = int(start) + (2_000_000_000 if year >= 2000 else 0)
    number = f"{start}{97 - whole % 97:02d}"
    pretty = f"{number[:2]}.{number[2:4]}.{number[4:6]}-{number[6:9]}.{number[9:]}"
    return "", rng.choice([number, pretty, pretty, f"{number[:6]}-{number[6:9]}-{number[9:]}"])


MADE: dict[str, Maker] = {
    "card": card,
    "iban": iban,
    "e-mail": email,
    "phone": phone,
    "ip": ip,
    "us-ssn": ssn,
    "de-steuer-id": steuer_id,
    "es-dni": dni,
    "fr-nir": nir,
    "it-codice-fiscale": codice_fiscale,
    "nl-bsn": bsn,
    "pl-pesel": pesel,
    "uk-nino": nino,
    "se-personnummer": personnummer,
    "ch-ahv": ahv,
    "be-national-number": belgian,
}
