"""Names of things: canonical bytes, content hashes, keyed ids. Nothing here reads a clock or a file."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from hitl_mlops.errors import InputError

_AS_THEY_ARE = frozenset({str, int, bool, type(None)})
_spell = json.JSONEncoder(  # made once: `json.dumps` makes one for every call
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


def canonical_json(value: Any) -> bytes:
    r"""The one UTF-8 spelling of a JSON value: keys sorted, no spaces, no NaN, times in UTC.

    Raises:
        InputError: a float is NaN or infinite, or a datetime has no zone.

    >>> canonical_json({"b": 1, "a": [True, None, "é"]})
    b'{"a":[true,null,"\xc3\xa9"],"b":1}'
    """
    return _spell(plain(value)).encode("utf-8", "surrogatepass")


def plain(value: Any) -> Any:
    """The value as JSON values: records as objects of their fields, times as `instant` writes them.

    Raises:
        InputError: a float is NaN or infinite, or a datetime has no zone.

    >>> plain((datetime(2026, 1, 2, tzinfo=UTC), {1: None}))
    ['2026-01-02T00:00:00.000000+00:00', {'1': None}]
    """
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is dict or isinstance(value, Mapping):
        return {
            key if type(key) is str else str(key): item if type(item) in _AS_THEY_ARE else plain(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [item if type(item) in _AS_THEY_ARE else plain(item) for item in value]
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise InputError(
            f"The number {value} has no canonical form.", remedy="Replace NaN and infinity by null."
        )
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return value


def instant(moment: datetime) -> str:
    """An aware moment as ISO 8601 in UTC with microseconds, so that text order is time order.

    >>> instant(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05.000000+00:00'
    """
    if moment.tzinfo is None:
        raise InputError(f"The time {moment} has no zone.", remedy="Give times with an offset, e.g. +00:00.")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def parse_instant(text: str) -> datetime:
    """The moment that `instant` wrote."""
    return datetime.fromisoformat(text).astimezone(UTC)


def sha256_hex(data: bytes) -> str:
    """SHA-256 of the bytes, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def content_id(prefix: str, value: Any) -> str:
    """An id that two people who hold the same value both compute.

    >>> content_id("res", {"a": 1}) == content_id("res", {"a": 1})
    True
    """
    return f"{prefix}_{sha256_hex(canonical_json(value))[:24]}"


def digest_of_reason(reason: str) -> str:
    """What the trail holds of a reason."""
    return "sha256:" + sha256_hex(canonical_json(reason))


def keyed_id(prefix: str, key: bytes, *parts: str) -> str:
    """An id that is stable for whoever holds the key, and tells others nothing of its parts."""
    return f"{prefix}_{keyed_digest(key, *parts).hex()[:24]}"


def keyed_digest(key: bytes, *parts: str) -> bytes:
    """Keyed BLAKE2b (RFC 7693) over the parts, each with its length so that no lists collide; 32 bytes."""
    keyed = keyed_hash(key)
    keyed.update(b"".join(len(raw).to_bytes(8, "big") + raw for raw in (part.encode() for part in parts)))
    return keyed.digest()


def keyed_hash(key: bytes) -> hashlib.blake2b:
    """What `keyed_digest` goes on from; a key of more than 64 bytes is hashed first."""
    whole = hashlib.blake2b(key).digest() if len(key) > hashlib.blake2b.MAX_KEY_SIZE else key
    return hashlib.blake2b(key=whole, digest_size=32)


def keyed_fraction(key: bytes, *parts: str) -> float:
    """A number in [0, 1), uniform over parts, reproducible with the key, unpredictable without.

    >>> 0 <= keyed_fraction(b"k", "decision-1") < 1
    True
    """
    return int.from_bytes(keyed_digest(key, *parts)[:7], "big") / 2**56
