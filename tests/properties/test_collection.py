"""Whatever people, servers and other collectors do, the book ends where the desk stands."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hitl_mlops.database.connect import Database
from hitl_mlops.errors import ServiceDownError
from hitl_mlops.overrides.record import AnswerState
from tests.collection_room import CLASSES, Room
from tests.fake_desk import nothing

PEOPLE = ("ann@x.org", "bob@x.org", "cid@x.org")
accounts = st.sampled_from((*PEOPLE, "eve@x.org"))
labels = st.sampled_from(("1", "2", "3", "1", "2", "9"))
rationales = st.sampled_from(("because", "because", "because", ""))
places = st.integers(0, 1_000)


class KilledError(BaseException):
    """The process is gone: nothing catches this."""


class KilledTrail:
    """Dies in the middle of a transaction, when rows are written and the commit is not."""

    def append(self, _events):
        raise KilledError


class Collection(RuleBasedStateMachine):
    """The desk and its people against a book; the model is the desk itself, read with a dictionary."""

    @initialize(page_tasks=st.integers(1, 3))
    def begin(self, page_tasks):
        database = Database("sqlite://")
        database.create()
        self.room = Room(database)
        self.room.desk.page_tasks = page_tasks
        self.signatures: dict[str, int] = {}
        self.task_of: dict[str, int] = {}

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
        self.room.database.close()

    @rule(signatures=st.integers(1, 3))
    def ask(self, signatures):
        name = str(len(self.signatures))
        self.task_of[f"t_{name}"] = self.room.ask(name, signatures)
        self.signatures[f"t_{name}"] = signatures

    @precondition(lambda self: self._tasks())
    @rule(
        place=places,
        account=accounts,
        label=labels,
        rationale=rationales,
        skipped=st.sampled_from((False,) * 5 + (True,)),
    )
    def answer(self, place, account, label, rationale, skipped):
        self.room.desk.answer(
            _pick(self._tasks(), place), account, label, rationale=rationale, skipped=skipped
        )

    @precondition(lambda self: self._annotations())
    @rule(place=places, label=labels, rationale=rationales)
    def edit(self, place, label, rationale):
        self.room.desk.edit(_pick(self._annotations(), place), label=label, rationale=rationale)

    @precondition(lambda self: self._annotations())
    @rule(place=places)
    def delete(self, place):
        self.room.desk.delete(_pick(self._annotations(), place))

    @precondition(lambda self: self._tasks())
    @rule(place=places)
    def delete_task(self, place):
        self.room.desk.delete_task(_pick(self._tasks(), place))

    @rule(minutes=st.sampled_from((1, 4, 30, 2_000)))
    def wait(self, minutes):
        self.room.desk.now += timedelta(minutes=minutes)

    @rule()
    def collect(self):
        self.room.collector.collect()
        self._check_against(self.expected(), but_deleted=True)

    @rule(page=st.integers(1, 4))
    def collect_while_the_server_dies(self, page):
        self.room.desk.dies_before_page(page)
        with contextlib.suppress(ServiceDownError):
            self.room.collector.collect()
        self.room.desk.before_page = nothing

    @rule(page=st.integers(1, 4))
    def collect_and_be_killed_in_a_transaction(self, page):
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

    @rule(page=st.integers(1, 4), place=places, label=labels)
    def two_collect_at_once_while_people_edit(self, page, place, label):
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

    @rule(place=places, label=labels)
    def a_page_arrives_late_and_twice(self, place, label):
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

    @rule()
    def another_collects_while_this_one_screens(self):
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
                good = one.label in CLASSES and one.rationale and one.reviewer in PEOPLE
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
        kept = {one.ticket_id: one.label for one in self.room.book.resolutions() if one.ticket_id in there}
        assert kept == expected
        assert len(self.room.book.resolutions()) == len(
            {one.ticket_id for one in self.room.book.resolutions()}
        )

    def _tasks(self):
        return sorted(self.room.desk.answers)

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


Collection.TestCase.settings = settings(
    max_examples=250,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestCollection = Collection.TestCase
