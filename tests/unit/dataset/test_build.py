from __future__ import annotations

import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.dataset.assemble import Additions, from_resolutions
from hitl_mlops.dataset.build import build_version
from hitl_mlops.dataset.diff import diff
from hitl_mlops.dataset.store_in_memory import InMemoryDatasetStore
from hitl_mlops.errors import InputError
from tests.builders import a_case, a_decision
from tests.dataset_room import LINEAGE, NOW, a_resolution, base_labels, some_examples


class StoppedTrail(InMemoryTrail):
    def append(self, events):  # noqa: ARG002 - the port names it
        raise ConnectionError


BASE = Additions(some_examples("case-0", "case-9"), base_labels(("case-0", "yes"), ("case-9", "no")), LINEAGE)


def built(additions, store, trail):
    return build_version(additions, store, trail, actor="cli", now=NOW)


def answered(version, resolutions, withdrawn=()):
    decisions = {"d_case-1": a_decision(), "d_case-0": a_decision(case_id="case-0")}
    cases = {"case-1": a_case(), "case-0": a_case(case_id="case-0")}
    return from_resolutions(resolutions, withdrawn, decisions, cases, columns=version.columns, now=NOW)


def test_a_version_is_in_the_store_and_once_in_the_trail():
    store, trail = InMemoryDatasetStore(), InMemoryTrail()
    first = built(BASE, store, trail)
    second = built(answered(first, [a_resolution()]), store, trail)
    assert built(answered(first, [a_resolution()]), store, trail) == second
    bodies = [entry.read() for entry in trail.entries()]
    assert [body["kind"] for body in bodies] == [Kind.DATASET_COMMITTED] * 2
    refs = {"dataset": [second.digest], "parent": [first.digest], "resolution": ["res_1"]}
    assert bodies[1]["refs"] == refs
    assert (bodies[1]["facts"]["number"], bodies[1]["facts"]["resolutions"]) == (2, 1)
    assert bodies[1]["facts"]["lineage_digest"] == second.lineage.digest()
    assert "case-1" not in str(bodies)
    assert "ann" not in str(bodies)


def test_lineage_tells_only_what_is_new():
    store, trail = InMemoryDatasetStore(), InMemoryTrail()
    first = built(BASE, store, trail)
    built(answered(first, [a_resolution()]), store, trail)
    more = a_resolution(resolution_id="res_2", decision_id="d_case-0")
    assert built(answered(first, [a_resolution(), more]), store, trail).lineage.resolutions == 1


def test_a_build_killed_before_the_trail_is_finished_by_the_next():
    store, trail = InMemoryDatasetStore(), InMemoryTrail()
    with pytest.raises(ConnectionError):
        built(BASE, store, StoppedTrail())
    version = built(BASE, store, trail)
    assert len(store.versions()) == 1
    assert len(trail.about(version.digest)) == 1


def test_a_diff_tells_added_changed_and_withdrawn_by_class_and_reviewer():
    store, trail = InMemoryDatasetStore(), InMemoryTrail()
    first = built(BASE, store, trail)
    change = a_resolution(resolution_id="res_2", decision_id="d_case-0", reviewers=("ann", "bob"))
    second = built(answered(first, [a_resolution(), change]), store, trail)
    told = diff(store, first, second)
    assert (told.added, told.changed, told.withdrawn) == (("case-1",), ("case-0",), ())
    assert told.by_class == {(None, "no"): 1, ("yes", "no"): 1}
    assert told.by_reviewer == {"ann": 2, "bob": 1}
    third = built(answered(first, [], [a_resolution(), change]), store, trail)
    told = diff(store, second, third)
    assert (told.changed, told.withdrawn) == (("case-0",), ("case-1",))
    assert diff(store, first, third).by_class == {}
    with pytest.raises(InputError, match=r"older.*hitl dataset diff 1 3"):
        diff(store, third, first)
