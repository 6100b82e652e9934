"""Each type is found in the forms in which people write it, and what only looks like it is left alone."""

from __future__ import annotations

import pytest

from hitl_mlops.redaction.finding import TYPES, Finding, settled
from hitl_mlops.redaction.masking import Masking
from hitl_mlops.redaction.patterns import Patterns

FOUND = {
    "card": [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111 1111\n1111 1111",
        "41111111\r\n11111111",
        "4111\u200b1111\u200b1111\u200b1111",
        "\uff14\uff11\uff11\uff11 1111 1111 1111",
        "\u0664\u0661\u0661\u0661 " + "\u0661" * 12,
        "3782 822463 10005",
        "30569309025904",
        "2223 0031 2200 3222",
        "6011000990139424",
        "3530111333300000",
        "4222222222222",
    ],
    "iban": [
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "de89 3704 0044 0532 0130 00",
        "GB82-WEST-1234-5698-7654-32",
        "NL91 ABNA 0417 1643 00",
        "FR14 2004 1010 0505 0001 3M02 606",
        "CH93 0076 2011 6238 5295 7",
        "NO93 8601 1117 947",
        "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
        "DE89 3704 0044\n0532 0130 00",
    ],
    "e-mail": [
        "ann@example.org",
        "Ann.O'Neil+bank@mail.example.co.uk",
        "ann@müller.example",
        "ann_b@sub-domain.example.museum",
        "ann [at] example [dot] org",
        "ann(at)example.org",
        "ann\uff20example.org",
        '"ann b"@example.org',
    ],
    "ip": ["192.168.1.17", "8.8.8.8", "2001:db8::8a2e:370:7334", "fe80::1", "2001:0db8:0:0:0:ff00:0042:8329"],
    "phone": [
        "+49 171 2345678",
        "+49 (0)30 1234-567",
        "+1 (212) 555-0123",
        "0049 30 901820",
        "(212) 555-0123",
        "212-555-0123",
        "1-800-555-0199",
        "020 7946 0958",
        "07911 123456",
        "0171/2345678",
        "06 12 34 56 78",
        "06.12.34.56.78",
        "+33612345678",
        "+44 20 7946 0958",
        "03-1234-5678",
    ],
    "us-ssn": ["123-45-6789", "123 45 6789", "SSN 123456789", "social security number: 123456789"],
    "de-steuer-id": ["86095742719", "86 095 742 719"],
    "es-dni": ["12345678Z", "12.345.678-Z", "12345678-z", "X1234567L", "Y-1234567-X"],
    "fr-nir": ["255081416802538", "2 55 08 14 168 025 38", "2550814168025 38", "1 85 05 2A 006 084 35"],
    "it-codice-fiscale": ["RSSMRA85T10A562S", "RSS MRA 85T10 A562S", "rssmra85t10a562s"],
    "nl-bsn": ["BSN 111222333", "burgerservicenummer: 1112.22.333", "1112.22.333"],
    "pl-pesel": ["44051401359"],
    "uk-nino": ["AB123456C", "AB 12 34 56 C", "ab123456c"],
    "se-personnummer": ["811228-9874", "19811228-9874", "8112289874", "198112289874", "811228+9874"],
    "ch-ahv": ["756.9217.0769.85", "7569217076985", "756 9217 0769 85"],
    "be-national-number": ["85.07.30-033.28", "85073003328", "850730-033-28", "17.07.30-033.84"],
}  # fmt: skip

ALONE = [
    "4111 1111 1111 1112",
    "order 1234567890123456",
    "DE88 3704 0044 0532 0130 00",
    "version 1.2.3.4",
    "v10.0.19.1",
    "300.1.2.3",
    "1.3.6.1.4.1.311",
    "at 12:30:45",
    "std::vector and a :: b",
    "2026-02-01 10:30:00",
    "01.02.2026 10:30",
    "550e8400-e29b-41d4-a716-446655440000",
    "sha 4111111111111111aa",
    "0.4111111111111111",
    "€ 1,234,567.89",
    "000-12-3456",
    "666-12-3456",
    "900-12-3456",
    "078-05-1120",
    "86095742710",
    "12345678A",
    "44051401358",
    "AB123456E",
    "QQ123456C",
    "811228-9873",
    "756.9217.0769.84",
    "85.07.30-033.27",
    "RSSMRA85T10A562T",
    "the number 123456789 is not told",
    "the number 111222333 is not told",
    "invoice no. 0612345678",
    "me @ home",
    "a@b",
    "page 12 of 300, 45 lines",
]


def test_every_type_has_examples() -> None:
    assert set(FOUND) == set(TYPES)


@pytest.mark.parametrize(("kind", "written"), [(kind, one) for kind, all_ in FOUND.items() for one in all_])
def test_a_form_in_which_people_write_it_is_masked_by_its_type(kind: str, written: str) -> None:
    masked = Masking().text(f"Please note {written}, thank you.")
    words = masked.removeprefix("Please note ").removesuffix(", thank you.")
    assert words.endswith(f"[{kind}]")
    assert not any(sign.isdigit() for sign in words)


@pytest.mark.parametrize("written", ALONE)
def test_what_only_looks_like_it_is_left_alone(written: str) -> None:
    assert Masking().text(f"Please note {written} today") == f"Please note {written} today"


def test_names_in_free_text_are_not_claimed() -> None:
    assert Masking().text("Ann Smith of Elm Street 5 is my aunt.") == "Ann Smith of Elm Street 5 is my aunt."


def test_a_column_name_says_what_its_bare_numbers_are() -> None:
    assert Masking().text("123456789") == "123456789"
    assert Masking().text("123456789", "applicant_ssn") == "[us-ssn]"
    assert Masking().text("612345678", "mobile") == "[phone]"


def test_only_the_types_asked_for_are_found() -> None:
    text = "ann@example.org pays by 4111111111111111"
    assert Masking(finder=Patterns(frozenset({"card"}))).text(text) == "ann@example.org pays by [card]"
    assert Masking(types=frozenset()).text(text) == text


def test_a_column_that_reviewers_need_leaves_as_it_is() -> None:
    masking = Masking(except_columns=frozenset({"account"}))
    assert masking.text("DE89370400440532013000", "account") == "DE89370400440532013000"
    assert masking.text("DE89370400440532013000", "other") == "[iban]"


def test_places_are_those_of_the_text_as_it_was_written() -> None:
    text = "\u200bcard: 4111\u200b 1111 1111 1111\u200b!"
    (found,) = Patterns().find(text)
    assert text[found.start : found.end] == "4111\u200b 1111 1111 1111"


def test_findings_that_overlap_are_one_of_the_longest_type() -> None:
    found = [Finding(5, 9, "phone"), Finding(0, 6, "card"), Finding(8, 20, "iban"), Finding(30, 31, "ip")]
    assert settled(found) == settled(reversed(found)) == [Finding(0, 20, "iban"), Finding(30, 31, "ip")]
