"""Which addresses may be called. Pure: an address is compared part by part, never as a piece of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from hitl_mlops.errors import ConfigurationError, InputError, RefusedError

LONGEST_URL = 500
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Prefix:
    """What an address must begin with: scheme, host and port exactly, and the first steps of its path."""

    scheme: str
    host: str
    port: int
    steps: tuple[str, ...]


def prefix_of(text: str) -> Prefix:
    """The prefix that hitl.yaml names.

    Raises:
        ConfigurationError: it is no address that could be allowed.
    """
    try:
        parts = _split(text)
        found = _prefix(parts)
    except InputError as error:
        raise ConfigurationError(
            f"{text!r} is no address that could be called: {error.data['why']}.",
            remedy="Write https://host or https://host/path.",
        ) from error
    if parts.query:
        raise ConfigurationError(
            f"{text!r} has a query, which no prefix has.", remedy="Leave out what follows ?."
        )
    return found


def check_address(url: str, allowed: Sequence[str]) -> None:
    """The address may be called.

    Raises:
        InputError: it is no plain address.
        RefusedError: it lies under none of the prefixes that hitl.yaml allows.
        ConfigurationError: one of the prefixes is none.
    """
    prefixes = [prefix_of(one) for one in allowed]
    found = _prefix(_split(url))
    for one in prefixes:
        same = (one.scheme, one.host, one.port) == (found.scheme, found.host, found.port)
        if same and found.steps[: len(one.steps)] == one.steps:
            return
    raise RefusedError(
        "This address may not be called.",
        remedy="Name its beginning in hitl.yaml: serve: {callbacks: [https://host/path]}.",
    )


def _split(url: str) -> SplitResult:
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _no_address("it holds signs that no address has, or is longer than 500 signs")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _no_address("it cannot be read") from error
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise _no_address("it is not https://host…")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc or "%" in parts.netloc:
        raise _no_address("it names a user, or hides its host")
    if parts.fragment or url.endswith("#"):
        raise _no_address("it has a fragment")
    return parts


def _prefix(parts: SplitResult) -> Prefix:
    steps = parts.path.strip("/").split("/") if parts.path.strip("/") else []
    if any(map(_leads_elsewhere, steps)):
        raise _no_address("its path leads upwards, or holds an empty step")
    host = (parts.hostname or "").rstrip(".")
    return Prefix(parts.scheme, host, parts.port or _PORTS[parts.scheme], tuple(steps))


def _leads_elsewhere(step: str) -> bool:
    """Whether some server could read the step, decoded once or twice, as another one than it looks like."""
    plain = unquote(unquote(step))
    return plain.partition(";")[0] in ("", ".", "..") or "/" in plain or "\\" in plain


def _no_address(why: str) -> InputError:
    return InputError(f"This is no address to call: {why}.", remedy="Send https://host/path.", why=why)
