"""Schedules of what people, servers and other collectors do to a desk, against a book and a dictionary."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial, wraps
from random import Random

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hitl_mlops.database.connect import Database
from hitl_mlops.database.tables import metadata
from hitl_mlops.errors import RefusedError, ServiceDownError
from hitl_mlops.overrides.quarantine import Ruling
from hitl_mlops.overrides.record import AnswerState
from tests.collection_room import CLASSES, Room
from tests.fake_desk import nothing

PEOPLE = ("ann@x.org", "bob@x.org", "cid@x.org")
accounts = st.sampled_from((*PEOPLE, "eve@x.org"))
labels = st.sampled_from(("1", "2", "3", "1", "2", "9"))
rationales = st.sampled_from(("because", "because", "because", ""))
places = st.integers(0, 1_000)
REPLIES = st.tuples(places, accounts, labels, rationales, st.sampled_from((False,) * 5 + (True,)))
WAYS = (
    "undisturbed",
    "while the server dies",
    "killed in a transaction",
    "two at once while people edit",
    "a page arrives late and twice",
    "pages arrive out of order",
    "another collects while this one screens",
)
"""Of collecting."""


class KilledError(BaseException):
    """The process is gone: nothing catches this."""


class KilledTrail:
    """Dies in the middle of a transaction, when rows are written and the commit is not."""

    def append(self, _events):
        raise KilledError


@dataclass
class Seen:
    """What the schedules came to.

    Attributes:
        schedules: how many were run to their end.
        steps: what was done → how often.
        compared: resolutions that a dictionary and the book were both asked for.
        lost: of them, those that the dictionary has and the book has not, or with another class.
        doubled: resolutions of a ticket that has one already, or that the dictionary has not.
    """

    schedules: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    lost: int = 0
    doubled: int = 0


def run_schedules(database: Database, count: int, *, steps: int = 25) -> Seen:
    """So many schedules, always the same ones, on the database, which is emptied for each.

    Raises:
        AssertionError: on one of them something was lost, doubled or told otherwise; the shortest is told.
    """
    seen = Seen()
    run_state_machine_as_test(
        partial(Collection, database, seen),
        settings=settings(
            max_examples=count,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return seen


HOW = st.tuples(st.sampled_from((None, *WAYS)), st.integers(1, 4), places, labels, st.integers(0, 9))
"""Whether answers are collected after a step, in which way, and what that takes; drawn with each step, as
Hypothesis leaves whole rules out of many schedules."""


def step(**arguments):
    """A rule of the machine whose uses are counted in `Seen.steps`, with a collection after it, or none."""

    def made(method):
        @wraps(method)
        def counted(self, then, **given):
            self.seen.steps[method.__name__.replace("_", " ")] += 1
            method(self, **given)
            if then[0] is not None:
                self.collect(*then)

        return rule(then=HOW, **arguments)(counted)

    return made


class Collection(RuleBasedStateMachine):
    """The desk and its people against a book; the model is the desk itself, read with a dictionary."""

    def __init__(self, database, seen):
        super().__init__()
        self.database, self.seen = database, seen

    @initialize(page_tasks=st.integers(1, 3), signatures=st.lists(st.integers(1, 3), min_size=1, max_size=4))
    def begin(self, page_tasks, signatures):
        with self.database.transaction() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(sa.delete(table))
        self.room = Room(self.database)
        self.room.desk.page_tasks = page_tasks
        self.signatures: dict[str, int] = {}
        self.task_of: dict[str, int] = {}
        self.released: set[tuple[str, str]] = set()
        self.dropped: set[tuple[str, str]] = set()
        for count in signatures:
            self.ask(count)

    def teardown(self):
        if not hasattr(self, "room"):
            return
        self.room.desk.before_page = nothing
        self.room.collector.collect()
        self.room.collector.sweep()
        self._check_against(self.expected())
        trail = self.room.trail.size()
        again = self.room.collector.sweep()
        assert (again.new, again.superseded, again.resolved, again.withdrawn) == (0, 0, (), ())
        assert self.room.trail.size() == trail
        self.seen.schedules += 1

    @step(signatures=st.integers(1, 3))
    def one_more_is_asked(self, signatures):
        self.ask(signatures)

    @precondition(lambda self: self._tasks())
    @step(given=st.lists(REPLIES, min_size=1, max_size=5))
    def people_answer(self, given):
        for place, account, label, rationale, skipped in given:
            self.room.desk.answer(
                _pick(self._tasks(), place), account, label, rationale=rationale, skipped=skipped
            )

    @precondition(lambda self: self._tasks())
    @step(place=places, label=st.sampled_from(("1", "2", "3")), rationale=rationales)
    def all_agree(self, place, label, rationale):
        for account in PEOPLE:
            self.room.desk.answer(_pick(self._tasks(), place), account, label, rationale=rationale)

    @precondition(lambda self: self._annotations())
    @step(place=places, label=labels, rationale=rationales)
    def edit(self, place, label, rationale):
        self.room.desk.edit(_pick(self._annotations(), place), label=label, rationale=rationale)

    @precondition(lambda self: self._annotations())
    @step(place=places)
    def delete(self, place):
        self.room.desk.delete(_pick(self._annotations(), place))

    @precondition(lambda self: self._tasks())
    @step(place=places)
    def delete_task(self, place):
        self.room.desk.delete_task(_pick(self._tasks(), place))

    @step(place=places)
    def release_from_quarantine(self, place):
        if one := self._quarantined(place):
            try:
                self.room.quarantine.release(one.key, Ruling("r9", "read twice", self.room.desk.now))
            except RefusedError:
                self.seen.steps["a release that is refused"] += 1
            else:
                self.seen.steps["a release that is kept"] += 1
                self.released.add((one.answer.annotation_id, one.answer.revision))

    @step(place=places)
    def drop_from_quarantine(self, place):
        if one := self._quarantined(place):
            self.room.quarantine.drop(one.key, Ruling("r9", "by accident", self.room.desk.now))
            self.dropped.add((one.answer.annotation_id, one.answer.revision))

    @step(minutes=st.sampled_from((1, 4, 30, 2_000)))
    def wait(self, minutes):
        self.room.desk.now += timedelta(minutes=minutes)

    def collect(self, way, page, place, label, mixed):
        self.seen.steps[f"collect: {way}"] += 1
        getattr(self, "_" + way.replace(" ", "_"))(page, place, label, Random(mixed))

    def _undisturbed(self, _page, _place, _label, _mixed):
        self.room.collector.collect()
        self._check_against(self.expected(), but_deleted=True)

    def _while_the_server_dies(self, page, _place, _label, _mixed):
        self.room.desk.dies_before_page(page)
        with contextlib.suppress(ServiceDownError):
            self.room.collector.collect()
        self.room.desk.before_page = nothing

    def _killed_in_a_transaction(self, page, _place, _label, _mixed):
        whole, room, left = self.room.trail, self.room, [page]

        def turn_deadly():
            left[0] -= 1
            if left[0] <= 0:
                room.trail = KilledTrail()

        collector = room.collector
        room.desk.before_page = turn_deadly
        with contextlib.suppress(KilledError):
            Killable(collector, room).collect()
        room.desk.before_page, room.trail = nothing, whole

    def _two_at_once_while_people_edit(self, page, place, label, _mixed):
        left = [page]

        def other():
            left[0] -= 1
            if left[0] == 0:
                self.room.collector.collect()
                if self._annotations():
                    self.room.desk.edit(_pick(self._annotations(), place), label=label)
                self.room.collector.collect()

        self.room.desk.before_page = other
        self.room.collector.collect()
        self.room.desk.before_page = nothing
        self._check_against(self.expected(), but_deleted=True)

    def _a_page_arrives_late_and_twice(self, _page, place, label, _mixed):
        desk, changes = self.room.desk, self.room.desk.changes

        def overtaken(since=None):
            for at, page in enumerate(changes(since)):
                if at == 0:
                    desk.changes = changes
                    if self._annotations():
                        desk.edit(_pick(self._annotations(), place), label=label)
                    self.room.collector.collect()
                yield page
                yield page
                raise ServiceDownError("The server dies right after the late page.")

        desk.changes = overtaken
        with contextlib.suppress(ServiceDownError):
            self.room.collector.collect()
        desk.changes = changes
        self._check_against(self.expected(), but_deleted=True)

    def _pages_arrive_out_of_order(self, _page, _place, _label, mixed):
        desk, changes = self.room.desk, self.room.desk.changes

        def reordered(since=None):
            pages = list(changes(since))
            mixed.shuffle(pages)
            return iter(pages)

        desk.changes = reordered
        self.room.collector.collect()
        desk.changes = changes
        self._check_against(self.expected(), but_deleted=True)

    def _another_collects_while_this_one_screens(self, _page, _place, _label, _mixed):
        room, collector = self.room, self.room.collector

        class SlowScreen:
            def screen(self, answers, known):
                room.collector.collect()
                return collector.screen.screen(answers, known)

        replace(collector, screen=SlowScreen()).collect()
        self._check_against(self.expected(), but_deleted=True)

    @invariant()
    def at_most_one_revision_of_an_answer_counts(self):
        if not hasattr(self, "room"):
            return
        tasks = [str(task) for task in range(self.room.desk._next + 1)]
        counting = [
            one
            for one in self.room.book.answers_of(self.room.desk.name, tasks).values()
            if one.state is AnswerState.ACCEPTED
        ]
        by_annotation = Counter(one.answer.annotation_id for one in counting)
        by_person = Counter((one.answer.ticket_id, one.person) for one in counting if not one.answer.skipped)
        assert max(by_annotation.values(), default=1) == max(by_person.values(), default=1) == 1
        keys = {one.key for one in counting}
        assert all(set(one.answer_keys) <= keys for one in self.room.book.resolutions())

    @invariant()
    def the_trail_tells_which_resolutions_stand(self):
        if not hasattr(self, "room"):
            return
        standing: set[str] = set()
        for entry in self.room.trail.entries():
            told = entry.read()
            named = set(told["refs"].get("resolution", ()))
            if told["kind"] == "resolutions.made":
                assert not named & standing
                standing |= named
            elif told["kind"] == "resolutions.withdrawn":
                assert named <= standing
                standing -= named
        assert standing == {one.resolution_id for one in self.room.book.resolutions()}

    def expected(self) -> dict[str, str]:
        """Ticket → label, computed from the desk as it is now and from nothing else."""
        found = {}
        for ticket, signatures in self.signatures.items():
            votes: dict[str, str] = {}
            for one in sorted(
                self.room.desk.answers.get(self.task_of[ticket], {}).values(), key=lambda one: one.answered_at
            ):
                revision = (one.annotation_id, one.revision)
                told = (one.rationale or revision in self.released) and revision not in self.dropped
                good = one.label in CLASSES and told and one.reviewer in PEOPLE
                if good and not one.skipped:
                    votes.setdefault(one.reviewer, str(one.label))
            counts = Counter(votes.values())
            for label, count in counts.items():
                if count >= signatures and 2 * count > len(votes):
                    found[ticket] = label
        return found

    def _check_against(self, expected, *, but_deleted=False):
        there = {
            ticket
            for ticket, task in self.task_of.items()
            if not but_deleted or task in self.room.desk.answers
        }
        resolutions = self.room.book.resolutions()
        kept = {one.ticket_id: one.label for one in resolutions if one.ticket_id in there}
        lost = [ticket for ticket, label in expected.items() if kept.get(ticket) != label]
        once = {one.ticket_id for one in resolutions}
        doubled = len(resolutions) - len(once) + len(kept.keys() - expected.keys())
        self.seen.compared += len(expected)
        self.seen.lost += len(lost)
        self.seen.doubled += doubled
        assert kept == expected
        assert not doubled

    def _tasks(self):
        return sorted(self.room.desk.answers)

    def ask(self, signatures):
        name = str(len(self.signatures))
        self.task_of[f"t_{name}"] = self.room.ask(name, signatures)
        self.signatures[f"t_{name}"] = signatures

    def _quarantined(self, place):
        waiting = self.room.quarantine.waiting()
        return _pick(waiting, place) if waiting else None

    def _annotations(self):
        return [annotation for held in self.room.desk.answers.values() for annotation in held]


class Killable:
    """A collector whose trail is looked up anew at each page, so that it can die in the middle."""

    def __init__(self, collector, room):
        class Trail:
            def append(self, events):
                return room.trail.append(events)

        self.collect = replace(collector, trail=Trail()).collect


def _pick(choices, place):
    return choices[place % len(choices)]
