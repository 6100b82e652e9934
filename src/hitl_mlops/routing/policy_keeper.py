"""Which policy holds while its file is changed under a running service: never none, and never a wrong one."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from hitl_mlops.errors import ConfigurationError, HitlError
from hitl_mlops.ids import instant, parse_instant
from hitl_mlops.routing.check import check
from hitl_mlops.routing.finding import Severity
from hitl_mlops.routing.policy import CLOSED, Policy
from hitl_mlops.routing.policy_file import parse_policy

LOOKS_EVERY = timedelta(seconds=1)
KEEPS_EVERY = timedelta(minutes=1)
"""How often it is noted that the policy still holds: by so much it may seem older after a restart."""
_CLOCK_TOLERANCE = timedelta(minutes=1)
_Stamp = tuple[int, int, int]
_told = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InForce:
    """What decides now.

    Attributes:
        policy: the file's, the last good one, or `CLOSED`.
        wrong: why the file does not decide, with its line and the remedy; None where it does.
    """

    policy: Policy
    wrong: HitlError | None = None

    @property
    def closed(self) -> bool:
        """Every case goes to senior review, as there is no good policy that is fresh."""
        return self.policy is CLOSED


def sound_policy(
    text: str,
    file: str,
    columns: Collection[str] | None = None,
    *,
    classes: Collection[str] | None = None,
    functions: Collection[str] | None = None,
) -> Policy:
    """The policy that the text says, in which nothing is plainly wrong.

    Args:
        text: of the file.
        file: its name, for messages.
        columns: names of the columns that cases have; None where they are not known.
        classes: what the model may say; None where that is not known.
        functions: names of the functions that `hitl.yaml` brings; None where they are not known.

    Raises:
        ConfigurationError: it cannot be read, or `hitl policy check` finds an error in it.
    """
    policy = parse_policy(text, file)
    errors = [
        one
        for one in check(policy, columns, classes=classes, functions=functions)
        if one.severity is Severity.ERROR
    ]
    if errors:
        first = errors[0]
        raise ConfigurationError(
            f"{file}, line {first.line}: {first.fact}", remedy=first.remedy, line=first.line
        )
    return policy


class PolicyKeeper:
    """Follows the policy file. A wrong or missing one changes nothing at first: the last good one holds.

    That one is fresh for a stated time after the file was last good, also across a restart, since it is kept
    in a file of its own; then everything goes to senior review. A changed file counts once it has looked the
    same twice, so that one that is being written is not read in its middle.
    """

    def __init__(
        self, file: Path, kept: Path, *, read: Callable[[str, str], Policy], fresh_for: timedelta
    ) -> None:
        """Nothing is read yet.

        Args:
            file: the policy file.
            kept: where the last good policy is kept.
            read: text and name of the file → the policy, or a HitlError; `sound_policy`.
            fresh_for: how long the last good policy holds while the file is wrong.
        """
        self.file, self.kept = file, kept
        self._read, self._fresh_for = read, fresh_for
        self._good: Policy | None = None
        self._text = ""
        self._seen_at: datetime | None = None
        self._kept_at: datetime | None = None
        self._looked_at: datetime | None = None
        self._last_stamp: _Stamp | None = None
        self._judged_stamp: _Stamp | None = None
        self._wrong: HitlError | None = None
        self._held: InForce | None = None
        self._lock = Lock()

    def current(self, now: datetime) -> InForce:
        """What decides from now on; looks at the file at most once a second, and raises nothing."""
        with self._lock:
            self._held = self._current(now)
            return self._held

    def held(self, now: datetime) -> InForce:
        """What decided when `current` was last asked, so that the steps of a batch go by one policy."""
        return self._held or self.current(now)

    @property
    def knows_a_good_one(self) -> bool:
        """There is a good policy, if not a fresh one."""
        return self._good is not None

    @property
    def attributes(self) -> tuple[str, ...]:
        """Columns that the last good policy goes by, so that cases are kept alike while there is none."""
        return self._good.kept if self._good is not None else ()

    def _current(self, now: datetime) -> InForce:
        if self._looked_at is None or not timedelta(0) <= now - self._looked_at < LOOKS_EVERY:
            self._look(now)
            self._looked_at = now
        if self._good is not None and (self._wrong is None or self._fresh(now)):
            return InForce(self._good, self._wrong)
        return InForce(CLOSED, self._wrong)

    def _look(self, now: datetime) -> None:
        stamp, first = _stamp(self.file), self._looked_at is None
        if first or (stamp == self._last_stamp and stamp != self._judged_stamp):
            self._judge()
            self._judged_stamp = stamp
        self._last_stamp = stamp
        if self._wrong and self._good is None:
            self._remember()
        elif not self._wrong:
            self._seen_at = now
            if self._kept_at is None or not timedelta(0) <= now - self._kept_at < KEEPS_EVERY:
                self._keep(now)

    def _judge(self) -> None:
        """The file as it stands is good and holds, or is wrong and why is known."""
        try:
            text = self.file.read_text(encoding="utf-8-sig")
            if text != self._text or self._wrong or self._good is None:
                self._good = self._read(text, self.file.name)
                self._text, self._kept_at = text, None
            self._wrong = None
        except HitlError as error:
            self._wrong = error
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the file, what is good holds
            self._wrong = ConfigurationError(
                f"{self.file} cannot be read: {error}.", remedy="Write it, or restore it from a copy."
            )
        if self._wrong:
            _told.warning("the policy file does not decide: %s", self._wrong)

    def _fresh(self, now: datetime) -> bool:
        return self._seen_at is not None and -_CLOCK_TOLERANCE <= now - self._seen_at <= self._fresh_for

    def _remember(self) -> None:
        """The last good policy of an earlier process, if there is one; what cannot be read is none."""
        try:
            kept = json.loads(self.kept.read_bytes())
            self._good, self._seen_at = (
                self._read(kept["text"], self.kept.name),
                parse_instant(kept["seen_at"]),
            )
            self._text = kept["text"]
        except (OSError, ValueError, KeyError, TypeError, HitlError):
            self._good = None

    def _keep(self, now: datetime) -> None:
        """The file of the last good policy is replaced whole; that a disk is full changes no decision."""
        try:
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self.kept.parent, prefix=".policy-")
            with os.fdopen(handle, "w") as file:
                json.dump({"text": self._text, "seen_at": instant(now)}, file)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(self.kept)
            self._kept_at = now
        except OSError as error:
            _told.warning("the last good policy cannot be kept in %s: %s", self.kept, error)


def _stamp(file: Path) -> _Stamp | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
