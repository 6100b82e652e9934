"""What can go wrong, told as a fact and a remedy.

Two families decide what a caller does next: a `TransientError` may pass when tried again, a
`PermanentError` will not. Each class carries the exit code that the command line returns for it.
A refused gate or approval is a *result*, not an exception; `RefusedError` is raised only where a caller
asked for something that the policy forbids.
"""

from __future__ import annotations

from typing import Any, ClassVar


class HitlError(Exception):
    """Base of every error this package raises on purpose.

    Attributes:
        fact: what is wrong, one sentence, naming the value and where it stands.
        remedy: what to do next, one sentence, with the command to type where there is one.
        data: the values behind the fact, for programs.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, fact: str, *, remedy: str = "", **data: Any) -> None:
        super().__init__(fact)
        self.fact = fact
        self.remedy = remedy
        self.data = data

    def __str__(self) -> str:
        return f"{self.fact} {self.remedy}".strip()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.fact, self.remedy, self.data))


def _rebuild(kind: type[HitlError], fact: str, remedy: str, data: dict[str, Any]) -> HitlError:
    return kind(fact, remedy=remedy, **data)


class TransientError(HitlError):
    """May pass when tried again: a service is down, busy or slow."""

    exit_code = 3


class PermanentError(HitlError):
    """Will not pass by trying again: something must be changed first."""

    exit_code = 2


class ServiceDownError(TransientError):
    """A server that is needed does not answer, or stopped answering in the middle."""


class BusyError(TransientError):
    """Somebody else holds the lock: a database writer, a port, another retraining."""


class InputError(PermanentError):
    """What the user brought cannot be used: a file, a column, a value."""


class ConfigurationError(PermanentError):
    """`hitl.yaml`, `policy.yaml` or `reviewers.yaml` is wrong; the fact names the key and the line."""


class CredentialsError(PermanentError):
    """A service refused the token or password."""


class NotFoundError(PermanentError):
    """A case, ticket, dataset or model version with that name does not exist."""


class IntegrityError(PermanentError):
    """Bytes are not what was recorded: a digest, a signature or a tree hash differs."""

    exit_code = 1


class RefusedError(PermanentError):
    """The policy forbids what was asked."""

    exit_code = 1
