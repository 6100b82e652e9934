"""What a column's name suggests. Suggestions only: the cells decide, and the user overrules both."""

from __future__ import annotations

import re

LABEL_NAMES = (
    *("label", "target", "class", "category", "y", "truth", "gold", "outcome", "intent"),
    *("digit", "species", "diagnosis", "sentiment"),
)
"""Names that are said of nothing but the truth, most telling first."""
LABEL_WORDS = frozenset(
    {
        *("label", "target", "class", "category", "outcome", "default", "defaulted", "churn"),
        *("churned", "fraud", "approved", "status", "result", "is", "has"),
    }
)
"""Words that stand in names such as `loan_status` or `is_fraud`."""
TEXT_NAMES = frozenset(
    ("text", "message", "body", "question", "utterance", "comment", "review", "description", "sentence")
)
SUBJECT_WORDS = frozenset(
    {
        *("customer", "account", "user", "client", "person", "patient", "member", "borrower"),
        *("applicant", "subject", "employee", "household", "student"),
    }
)
ID_WORDS = frozenset(("id", "uuid", "guid", "key", "number", "no", "nr", "ref", "reference"))
TIME_WORDS = frozenset(
    ("time", "timestamp", "date", "at", "created", "arrived", "opened", "when", "datetime")
)
PERSONAL_WORDS = frozenset(
    {
        *("email", "mail", "phone", "telephone", "mobile", "surname", "firstname", "lastname"),
        *("fullname", "address", "street", "birthday", "birthdate", "dob", "ssn", "passport"),
        "iban",
    }
)
NAME_OF_WHOM = frozenset(("first", "last", "full", "middle", "given", "family", "maiden", *SUBJECT_WORDS))
PROTECTED_WORDS = frozenset(
    ("gender", "sex", "age", "race", "ethnicity", "religion", "nationality", "disability")
)
PIXEL_WORDS = frozenset(("pixel", "px", "pix"))


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case, whatever the spelling.

    >>> words_of("customerId"), words_of("loan_status 2")
    (('customer', 'id'), ('loan', 'status', '2'))
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return tuple(word.lower() for word in re.split(r"[^0-9A-Za-z]+", spaced) if word)


def label_rank(name: str) -> int | None:
    """How much a name sounds like the truth: 0 most; None: not at all.

    >>> label_rank("Target") < label_rank("loan_status"), label_rank("amount")
    (True, None)
    """
    words = words_of(name)
    if "_".join(words) in LABEL_NAMES:
        return LABEL_NAMES.index("_".join(words))
    ends = {*words[:1], *words[-1:]}
    return len(LABEL_NAMES) if ends & LABEL_WORDS and "id" not in words else None


def names_a_case(name: str) -> bool:
    """It sounds like the id of a row: `id`, `case_id`, `uuid`, `invoice number`; not `customer_id`."""
    words = words_of(name)
    return bool(words) and words[-1] in ID_WORDS and not names_a_subject(name)


def names_a_subject(name: str) -> bool:
    """It sounds like a person or account: `customer`, `account_id`; not `customer_age`."""
    words = words_of(name)
    return bool(words) and words[0] in SUBJECT_WORDS and set(words[1:]) <= ID_WORDS


def names_a_time(name: str) -> bool:
    """It sounds like a moment: `time`, `created_at`, `arrival date`."""
    return bool(set(words_of(name)) & TIME_WORDS)


def is_personal(name: str) -> bool:
    """It sounds like something that tells who a person is: `email`, `first_name`; not `product_name`.

    >>> is_personal("E-Mail"), is_personal("customer_name"), is_personal("product_name")
    (True, True, False)
    """
    words = words_of(name)
    named = words == ("name",) or ("name" in words and bool(set(words) & NAME_OF_WHOM))
    return named or bool(set(words) & PERSONAL_WORDS)


def is_protected(name: str) -> bool:
    """It sounds like a group that decisions should not go by: `gender`, `age`."""
    return bool(set(words_of(name)) & PROTECTED_WORDS)
