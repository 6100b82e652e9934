"""Addresses of people and machines on the internet."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from hitl_mlops.redaction.finding import Finding

_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 255
_LOCAL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~\-]+\Z")
_QUOTED = re.compile(r'"[^"\n]{1,62}"\Z')
_DOMAIN = re.compile(
    r"(?:[^\W_](?:[\w\-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9\-]{2,59}|[^\W\d_]{2,24})(?![\w])", re.IGNORECASE
)
_LITERAL = re.compile(r"\[[0-9A-Fa-f:.]{2,45}\]")
_WRITTEN_OUT = re.compile(
    r"(?<![\w.+\-])[\w.+\-]{1,64}\s?[\[(]\s?at\s?[\])]\s?[\w\-]{1,63}(?:\s?(?:[\[(]\s?dot\s?[\])]|\.)\s?[\w\-]{1,63}){1,4}",
    re.IGNORECASE,
)
_IP4 = re.compile(r"(?<![\w.])(?<![\w]-)[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w]|\.[0-9]|-[0-9])")
_IP6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})?(?![\w:]|\.[0-9])")
_VERSION = re.compile(
    r"(?:\bv|\bver|version|release|build|firmware|driver|revision|\brev)[.: =]{0,3}\Z", re.IGNORECASE
)
_LEADING = "!#$%&'*+/=?^`{|}~.-"
_TWO = 2


def emails(text: str) -> Iterator[Finding]:
    """Every e-mail address, also one written out with (at) and (dot)."""
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1, at + 1 + _LONGEST_DOMAIN) or _LITERAL.match(text, at + 1)
        if domain:
            start = max(0, at - _LONGEST_LOCAL)
            before = text[start:at]
            local = _LOCAL.search(before) or _QUOTED.search(before)
            if local and (length := len(local.group().lstrip(_LEADING))):
                yield Finding(at - length, domain.end(), "e-mail")
        at = text.find("@", at + 1)
    for found in _WRITTEN_OUT.finditer(text) if "at" in text.lower() else ():
        yield Finding(found.start(), found.end(), "e-mail")


def ip_addresses(text: str) -> Iterator[Finding]:
    """Every address of the internet protocol, version 4 or 6; no version of a program, no time of day."""
    for found in _IP4.finditer(text):
        if _is_address(found.group()) and not _VERSION.search(
            text[max(0, found.start() - 12) : found.start()]
        ):
            yield Finding(found.start(), found.end(), "ip")
    for found in _IP6.finditer(text) if text.count(":") >= _TWO else ():
        written = found.group()
        trimmed = written if written.endswith("::") else written.rstrip(":")
        if trimmed.count(":") >= _TWO and any(sign != ":" for sign in trimmed) and _is_address(trimmed):
            yield Finding(found.start(), found.start() + len(trimmed), "ip")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
