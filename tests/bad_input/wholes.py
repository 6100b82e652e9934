"""Every kind of bad request, file and policy that is wrong as a whole, and not in one of its values."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.bad_input.room import POLICY, body, good_case, spelled

Bytes: TypeAlias = bytes | Callable[[], bytes]
LARGE = 100_000_000
DEEP = 10_000
CASE = good_case(700_001)
ROW = spelled(CASE)
HEAD = ",".join(CASE).encode()
LINE = ",".join(map(str, CASE.values())).encode()
CSV = HEAD + b"\n" + LINE + b"\n"
YAML = POLICY.encode()


@dataclass(frozen=True, slots=True)
class BadWhole:
    """A kind of input that cannot be used at all.

    Attributes:
        name: what the docs and the tests call it.
        http: a body of the kind; None: there is none.
        files: suffix → content of a file of the kind.
        policy: a policy of the kind; None: there is none.
        status: what the service answers.
        headers: what is sent with the body.
    """

    name: str
    http: Bytes | None = None
    files: Mapping[str, Bytes] = field(default_factory=dict)
    policy: Bytes | None = None
    status: int = 422
    headers: Mapping[str, str] = field(default_factory=dict)


def given(content: Bytes) -> bytes:
    """The content itself; what is large is made when it is needed."""
    return content() if callable(content) else content


def _said(old: str, new: str) -> bytes:
    assert old in POLICY
    return POLICY.replace(old, new, 1).encode("utf-8", "surrogatepass")


def _bomb() -> bytes:
    """Aliases of aliases: ten to the ninth values in a few lines."""
    steps = [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    return ("a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(steps)).encode() + YAML


def _strangers() -> bytes:
    """Lines that share no name: as a table they would be a thousand million cells."""
    return b"\n".join(
        b"{" + b",".join(b'"k%d_%d":1' % (line, one) for one in range(20)) + b"}" for line in range(8_000)
    )


DOUBLED = ROW[:-1] + ', "amount": 3}'
DEEP_JSON = "[" * DEEP + "]" * DEEP
TWICE = {**good_case(700_002), "case_id": CASE["case_id"]}
WHOLES = (
    BadWhole("nothing", b"", {".csv": b"", ".jsonl": b"", ".parquet": b""}, b""),
    BadWhole("nothing but blanks", b" \n ", {".csv": b" \n\n", ".jsonl": b" \n\n"}, b" \n \n"),
    BadWhole(
        "cut off",
        body(ROW)[:-9],
        {".csv": CSV[:-9].rpartition(b",")[0], ".jsonl": ROW[:-9].encode(), ".parquet": b"PAR1 half"},
        YAML[:80],
    ),
    BadWhole("no object but a list", b"[]", {".jsonl": b"[1, 2]"}, b"- a\n- b\n"),
    BadWhole("no object but null", b"null", {".jsonl": b"null"}, b"null"),
    BadWhole("no object but a text", b'"hello"', {".jsonl": b'"hello"', ".csv": b"hello"}, b"hello"),
    BadWhole("without rows", b'{"cases": []}', {".csv": HEAD + b"\n"}, b"routes: {}\n"),
    BadWhole(
        "without a column",
        body('{"case_id": "x"}'),
        {".csv": b"case_id\nx\n", ".jsonl": b'{"case_id": "x"}'},
        _said("routes:", "rules:"),
    ),
    BadWhole("an unknown name", body(ROW)[:-1] + b', "casses": 1}', {}, YAML + b"gatez: 1\n"),
    BadWhole(
        "a name twice",
        body(DOUBLED),
        {".jsonl": DOUBLED.encode(), ".csv": CSV.replace(b"branch", b"amount")},
        YAML + b"version: 1\n",
    ),
    BadWhole(
        "a name twice, once in escapes",
        body(ROW[:-1] + ', "am\\u006funt": 3}'),
        {".jsonl": (ROW[:-1] + ', "am\\u006funt": 3}').encode()},
        YAML + b'"versio\\u006e": 1\n',
    ),
    BadWhole(
        "lists 10,000 deep",
        b'{"cases": ' + DEEP_JSON.encode() + b"}",
        {".jsonl": b'{"a": ' + DEEP_JSON.encode() + b"}"},
        b"routes: " + DEEP_JSON.encode(),
    ),
    BadWhole(
        "objects 10,000 deep",
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        {".jsonl": b'{"a":' * DEEP + b"1" + b"}" * DEEP},
        b"{a: " * DEEP + b"1" + b"}" * DEEP,
    ),
    BadWhole(
        "bytes that are not UTF-8",
        body(ROW).replace(b"note", b"n\xf6te"),
        {".csv": CSV.replace(b"note", b"n\xf6te"), ".jsonl": ROW.encode().replace(b"note", b"n\xf6te")},
        YAML.replace(b"large", b"l\xe4rge"),
    ),
    BadWhole(
        "UTF-16",
        body(ROW).decode().encode("utf-16"),
        {".csv": CSV.decode().encode("utf-16"), ".jsonl": ROW.encode("utf-16")},
        POLICY.encode("utf-16"),
    ),
    BadWhole(
        "100 MB",
        lambda: b'{"cases": [' + b" " * LARGE,
        {".csv": lambda: b"x" * LARGE, ".jsonl": lambda: b"[" * LARGE},
        lambda: b"# " + b"x" * LARGE,
        status=413,
    ),
    BadWhole(
        "a gzip bomb",
        lambda: gzip.compress(b" " * LARGE),
        {
            ".csv": lambda: gzip.compress(CSV * 100_000),
            ".csv.gz": lambda: gzip.compress(CSV),
            ".parquet": lambda: gzip.compress(CSV),
        },
        lambda: gzip.compress(YAML),
        415,
        {"Content-Encoding": "gzip"},
    ),
    BadWhole(
        "packed in a way that nobody knows", body(ROW), status=415, headers={"Content-Encoding": "x-own"}
    ),
    BadWhole(
        "XML",
        b"<?xml version='1.0'?><a/>",
        {".csv": b"<?xml version='1.0'?>\n<a/>", ".jsonl": b"<a/>", ".xml": b"<a/>"},
        b"<?xml version='1.0'?><a/>",
        headers={"Content-Type": "application/xml"},
    ),
    BadWhole(
        "a form",
        b"cases=1&strict=true",
        {},
        b"cases=1&strict=true",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
    BadWhole(
        "a spreadsheet",
        b"PK\x03\x04",
        {".xlsx": b"PK\x03\x04", ".csv": b"PK\x03\x04\xff", ".parquet": b"PK\x03\x04"},
        b"PK\x03\x04",
    ),
    BadWhole(
        "two documents in one",
        body(ROW) + b"\n" + body(ROW),
        {".jsonl": (ROW + ROW).encode()},
        YAML + b"---\n" + YAML,
    ),
    BadWhole(
        "a comment where there are none", b"/* hello */" + body(ROW), {".jsonl": b"// hello\n" + ROW.encode()}
    ),
    BadWhole(
        "text with a bare line end",
        body(ROW).replace(b"note ", b"no\nte "),
        {".jsonl": ROW.encode().replace(b"note ", b"no\nte ")},
        b'version: "1\n',
    ),
    BadWhole("1,001 cases in a request", body(*[ROW] * 1_001)),
    BadWhole("a row with a field too many", None, {".csv": CSV + LINE + b",more\n"}),
    BadWhole("a quote that is never closed", None, {".csv": CSV + b'"' + LINE + b"\n"}, b'version: "1'),
    BadWhole("another separator", None, {".csv": CSV.replace(b",", b";")}),
    BadWhole("a column without a name", None, {".csv": CSV.replace(b"branch", b"")}),
    BadWhole("lines that share no name", None, {".jsonl": _strangers}),
    BadWhole("aliases of aliases", None, {}, _bomb),
    BadWhole("an alias of itself", None, {}, b"routes: &a [*a]\n"),
    BadWhole("an alias of nothing", None, {}, _said("0.01", "*x")),
    BadWhole("a tag that runs code", None, {}, _said("0.01", "!!python/object/apply:os.system [ls]")),
    BadWhole("a merge", None, {}, YAML + b"escalation: {<<: {after: 4h}}\n"),
    BadWhole("a key that is a list", None, {}, _said("  standard:", "  [a, b]:")),
    BadWhole("a key that is true", None, {}, _said("  standard:", "  true:")),
    BadWhole("a key that is half a character", None, {}, _said("  standard:", '  "\\ud800":')),
    BadWhole("a tab before a key", None, {}, _said("  auto", "\tauto")),
    BadWhole("a day that is none, unquoted", None, {}, _said("0.01", "2026-02-30")),
    BadWhole("100,000 values", None, {}, b"rules: [" + b"1," * 100_000 + b"]"),
    BadWhole(
        "a share of 5,000 digits",
        None,
        {},
        YAML + b'escalation: [{after: "' + b"9" * 5_000 + b'%", to: supervisor}]\n',
    ),
    BadWhole(
        "a share in other digits",
        None,
        {},
        YAML + 'escalation: [{after: "\u00b2%", to: supervisor}]\n'.encode(),
    ),
    BadWhole(
        "a span of time in other digits",
        None,
        {},
        YAML + 'escalation: [{after: "\u0661h", to: supervisor}]\n'.encode(),
    ),
    BadWhole("a bound that no number reaches", None, {}, _said(">= 80", ">= " + "8" * 400)),
)
"""All of them; each name once."""
assert json.loads(ROW) == CASE
