"""Who may ask the service, and for what: tokens of which only the hash is kept."""

from __future__ import annotations

import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from hitl_mlops.errors import ConfigurationError, CredentialsError, InputError, NotFoundError, RefusedError
from hitl_mlops.ids import instant, sha256_hex

FILE = "tokens.json"
PREFIX = "hitl_"


class Scope(StrEnum):
    """What a token allows."""

    DECIDE = "decide"
    """Have cases decided."""
    READ = "read"
    """Ask what became of a decision."""
    INTERVENE = "intervene"
    """Halt and reverse decisions."""
    OUTCOME = "outcome"
    """Tell what really happened."""
    COMPLAIN = "complain"
    """Bring complaints."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is kept.

    Attributes:
        name: of the application that holds it.
        scopes: what it allows.
        digest: SHA-256 of the token, hex; the token itself is shown once and not kept.
        made_at: when, ISO 8601 in UTC.
    """

    name: str
    scopes: tuple[Scope, ...]
    digest: str
    made_at: str


class TokenFile:
    """A project's tokens in `folder/tokens.json`, mode 0600; a change holds from the next request on."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._read_at: tuple[int, int] | None = None
        self._tokens: tuple[Token, ...] = ()

    def all(self) -> tuple[Token, ...]:
        """Every token, oldest first.

        Raises:
            ConfigurationError: the file is damaged.
        """
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return ()
        if self._read_at != (stat.st_mtime_ns, stat.st_ino):
            self._tokens = _parse(self._path)
            self._read_at = (stat.st_mtime_ns, stat.st_ino)
        return self._tokens

    def make(self, name: str, scopes: Sequence[Scope], now: datetime) -> str:
        """A new token for the application; it is told here and never again.

        Raises:
            InputError: no name or no scope.
            RefusedError: one of that name is there.
        """
        if not name.strip() or not scopes:
            raise InputError("A token needs a name and a scope.", remedy="hitl token new APP --scope decide")
        if any(one.name == name for one in self.all()):
            raise RefusedError(
                f"There is a token named {name!r} already.",
                remedy=f"Choose another, or: hitl token drop {name}",
            )
        secret = PREFIX + secrets.token_urlsafe(32)
        kept = Token(name, tuple(dict.fromkeys(scopes)), sha256_hex(secret.encode()), instant(now))
        self._write((*self.all(), kept))
        return secret

    def drop(self, name: str) -> None:
        """The token of that name is refused from now on.

        Raises:
            NotFoundError: there is none.
        """
        left = tuple(one for one in self.all() if one.name != name)
        if len(left) == len(self.all()):
            raise NotFoundError(f"There is no token named {name!r}.", remedy="hitl token list")
        self._write(left)

    def holder(self, secret: str | None, scope: Scope) -> str:
        """Name of the application that holds the token.

        Raises:
            CredentialsError: there is no such token; `data["status"]` 401, or 403 where it lacks the scope.
        """
        given = sha256_hex((secret or "").encode("utf-8", "surrogateescape"))
        for one in self.all():
            if hmac.compare_digest(one.digest, given):
                if scope in one.scopes:
                    return one.name
                raise CredentialsError(
                    f"The token of {one.name} does not allow {scope.value!r}.",
                    remedy=f"Make one that does: hitl token new APP --scope {scope.value}",
                    status=403,
                )
        raise CredentialsError(
            "No such token." if secret else "A token is needed.",
            remedy="Send the header Authorization: Bearer TOKEN, made by: hitl token new APP --scope decide",
            status=401,
        )

    def _write(self, tokens: Sequence[Token]) -> None:
        """The file is replaced whole."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=self._path.parent, prefix=".tokens-")  # mode 0600 from birth
        with os.fdopen(handle, "w") as file:
            json.dump([asdict(one) for one in tokens], file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(self._path)


def _parse(path: Path) -> tuple[Token, ...]:
    try:
        rows = json.loads(path.read_text())
        return tuple(
            Token(row["name"], tuple(Scope(one) for one in row["scopes"]), row["digest"], row["made_at"])
            for row in rows
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{path} is damaged, so that nobody's token is known.",
            remedy="Remove it and make the tokens anew: hitl token new APP --scope decide",
        ) from error
