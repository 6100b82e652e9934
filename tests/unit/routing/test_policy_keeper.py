"""The policy file is changed, broken and removed under a running service."""

from __future__ import annotations

import os
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.database.connect import Database
from hitl_mlops.errors import ConfigurationError
from hitl_mlops.routing.adopt import adopt
from hitl_mlops.routing.policy import CLOSED, Policy
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.policy_keeper import PolicyKeeper, sound_policy
from tests.builders import NOW

GOOD = 'version: 1\nroutes:\n  auto: {confidence: ">= 0.9"}\n  senior: {confidence: "< 0.9"}\n'
OTHER = GOOD.replace("version: 1", "version: 2")
BROKEN = "routes: [\n"
UNSOUND = GOOD + "rules: [{name: far, when: {nowhere: 1}, route: senior}]\n"
S, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


class File:
    """The policy file, a keeper that follows it, and the time."""

    def __init__(self, folder: Path) -> None:
        self.path, self.kept = folder / "policy.yaml", folder / "state" / "kept.json"
        self.now = NOW
        self.written = 0
        self.restart()

    def restart(self) -> None:
        """Another process follows the file."""
        read = partial(sound_policy, columns=["amount"])
        self.keeper = PolicyKeeper(self.path, self.kept, read=read, fresh_for=HOUR)

    def write(self, text: str) -> None:
        self.path.write_text(text)
        self.written += 1
        os.utime(self.path, (self.written, self.written))

    def after(self, time: timedelta) -> Policy:
        """What is in force, asked once a minute until that much later."""
        until = self.now + time
        while self.now < until:
            self.now = min(until, self.now + MINUTE)
            self.keeper.current(self.now)
        return self.keeper.current(self.now).policy

    @property
    def wrong(self) -> str:
        return str(self.keeper.current(self.now).wrong or "")


@pytest.fixture
def file(tmp_path: Path) -> File:
    made = File(tmp_path)
    made.write(GOOD)
    return made


def test_a_changed_file_is_in_force_once_it_has_looked_the_same_twice(file: File) -> None:
    assert file.after(S).version == 1
    file.write(OTHER)
    assert file.keeper.current(file.now + S / 2).policy.version == 1
    assert file.after(S).version == 1
    assert file.after(S).version == 2
    assert file.wrong == ""


def test_a_file_that_is_being_written_is_not_read(file: File) -> None:
    file.after(S)
    for length in range(10, len(OTHER), 10):  # each look finds more of it
        file.write(OTHER[:length])
        assert file.after(S).version == 1
        assert file.wrong == ""


@pytest.mark.parametrize("wrong", [BROKEN, UNSOUND, "", "\x00", "a: " * 400_000])
def test_the_last_good_one_holds_for_an_hour_and_then_all_goes_to_people(file: File, wrong: str) -> None:
    good = file.after(MINUTE)
    file.write(wrong)
    assert file.after(HOUR) is good
    assert file.wrong
    assert file.after(2 * MINUTE) is CLOSED
    assert file.keeper.attributes == good.attributes
    file.write(GOOD)
    assert file.after(2 * MINUTE) == good
    assert file.wrong == ""


def test_a_file_that_is_gone_or_a_folder_is_wrong_too(file: File) -> None:
    good = file.after(MINUTE)
    file.path.unlink()
    assert file.after(2 * MINUTE) is good
    assert "cannot be read" in file.wrong
    file.path.mkdir()
    assert file.after(2 * MINUTE) is good
    assert file.after(HOUR) is CLOSED


def test_a_restart_with_a_broken_file_goes_on_with_the_last_good_one_while_it_is_fresh(file: File) -> None:
    good = file.after(5 * MINUTE)
    file.write(BROKEN)
    file.now += HOUR / 2
    file.restart()
    assert file.after(S) == good
    assert "not YAML" in file.wrong
    file.restart()
    assert file.after(HOUR / 2 + MINUTE) is CLOSED
    file.restart()
    assert file.after(S) is CLOSED
    assert file.keeper.knows_a_good_one


def test_without_any_good_one_all_goes_to_people(file: File) -> None:
    file.write(BROKEN)
    assert file.after(S) is CLOSED
    assert not file.keeper.knows_a_good_one
    file.write(GOOD)
    file.after(S)
    assert file.after(S).version == 1


@pytest.mark.parametrize("kept", ["", "[]", "{}", '{"text": "routes: [", "seen_at": "2026-01-01"}', "\x00"])
def test_what_was_kept_and_cannot_be_read_is_none(file: File, kept: str) -> None:
    file.after(S)
    file.kept.write_text(kept)
    file.write(BROKEN)
    file.restart()
    assert file.after(S) is CLOSED


def test_a_clock_that_was_set_back_makes_nothing_fresh(file: File) -> None:
    file.after(S)
    file.write(BROKEN)
    file.now -= 24 * HOUR
    file.restart()
    assert file.after(S) is CLOSED


def test_where_nothing_can_be_kept_the_file_still_decides(file: File) -> None:
    file.kept.parent.write_text("a file where the folder should be")
    assert file.after(S).version == 1


def test_an_error_that_the_check_finds_is_told_with_its_line() -> None:
    with pytest.raises(ConfigurationError, match=r"policy.yaml, line 5: The policy reads 'nowhere'"):
        sound_policy(UNSOUND, "policy.yaml", ["amount"])
    assert sound_policy(UNSOUND, "policy.yaml").version == 1


def test_the_trail_tells_each_time_that_another_policy_comes_into_force() -> None:
    trail, database = InMemoryTrail(), Database("sqlite://")
    first, second = parse_policy(GOOD), parse_policy(OTHER)
    told = [
        adopt(policy, trail, database.transaction, actor="gateway", now=NOW)
        for policy in (first, first, second, second, CLOSED, first)
    ]
    entries = [entry.read() for entry in trail.entries()]
    database.close()

    assert told == [True, False, True, False, True, True]
    assert {entry["kind"] for entry in entries} == {Kind.POLICY_ADOPTED}
    hashes = [entry["facts"]["policy_hash"] for entry in entries]
    assert hashes == [first.hash, second.hash, CLOSED.hash, first.hash]
    assert [entry["facts"]["before"] for entry in entries] == [None, *hashes[:-1]]
