from __future__ import annotations

import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.audit.trace import Direction, Stop, trace
from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.errors import NotFoundError
from tests.audit_room import an_event


@pytest.fixture
def trail() -> InMemoryTrail:
    """Two decisions by model 1, overruled; dataset 2 and model 7 came of it."""
    history = [
        (Kind.DECISIONS_RECORDED, {"decision": ["d1", "d2"], "model": ["1"], "policy": ["p"]}),
        (Kind.TICKETS_OPENED, {"ticket": ["t1", "t2"], "decision": ["d1", "d2"]}),
        (
            Kind.ANSWERS_COLLECTED,
            {"answer": ["a1", "a2", "a3"], "ticket": ["t1", "t2", "t2"], "person": ["ann", "bob", "cy"]},
        ),
        (Kind.RESOLUTIONS_MADE, {"resolution": ["r1", "r2", "r2"], "answer": ["a1", "a2", "a3"]}),
        (Kind.DATASET_COMMITTED, {"dataset": ["ds2"], "resolution": ["r1", "r2"]}),
        (Kind.MODEL_REGISTERED, {"model": ["7"], "dataset": ["ds2"], "policy": ["p"]}),
        (Kind.GATES_JUDGED, {"gates": ["g"], "model": ["7"], "dataset": ["ds2"]}),
        (Kind.APPROVAL_RECORDED, {"approval": ["ok"], "model": ["7"], "gates": ["g"]}),
        (Kind.DECISIONS_RECORDED, {"decision": ["d3"], "model": ["7"], "policy": ["p"]}),
        (Kind.MODEL_PROMOTED, {"model": ["7"], "approval": ["ok"]}),
    ]
    found = InMemoryTrail()
    found.append([an_event(kind=kind, refs=refs) for kind, refs in history])
    return found


def lines(stop: Stop) -> list[str]:
    return ["  " * depth + f"{one.role} {one.ref}" for depth, one in stop.walk()]


def test_a_model_version_leads_back_to_the_answers_and_decisions_it_learned_from(trail):
    assert lines(trace("7", trail.about)) == [
        "model 7",
        "  dataset ds2",
        "    resolution r1",
        "      answer a1",
        "        ticket t1",
        "          decision d1",
        "    resolution r2",
        "      answer a2",
        "        ticket t2",
        "          decision d2",
        "      answer a3",
    ]


def test_each_stop_tells_what_happened_to_it_and_who_stands_beside(trail):
    found = {stop.ref: stop for _, stop in trace("7", trail.about).walk()}

    kinds = [step.kind for step in found["7"].steps]
    assert kinds == ["model.registered", "gates.judged", "approval.recorded", "model.promoted"]
    assert found["a2"].steps[0].beside["person"] == ["bob"]


def test_a_decision_leads_on_to_the_model_that_learned_from_it(trail):
    found = trace("d1", trail.about, towards=Direction.EFFECTS)

    assert lines(found) == [
        "decision d1",
        "  ticket t1",
        "    answer a1",
        "      resolution r1",
        "        dataset ds2",
        "          model 7",
        "            gates g",
        "              approval ok",
    ]


def test_a_wide_road_is_counted_and_not_followed_to_its_end(trail):
    found = trace("ds2", trail.about, widest=1)

    assert [stop.ref for stop in found.branches] == ["r1"]
    assert found.more == {"resolution": 1}


def test_an_id_in_two_roles_can_be_told_apart(trail):
    trail.append([an_event(kind=Kind.DATASET_COMMITTED, refs={"dataset": ["7"], "resolution": ["r1"]})])

    assert trace("7", trail.about).role == "model"
    assert trace("7", trail.about, role="dataset").branches[0].ref == "r1"


def test_an_id_that_no_entry_names_is_answered_with_what_can_be_asked(trail):
    with pytest.raises(NotFoundError, match="does not know 'never seen'") as caught:
        trace("never seen", trail.about)
    assert "a decision (d_…)" in caught.value.fact
    assert "hitl dataset list" in caught.value.remedy


def test_an_id_in_another_role_is_answered_with_its_own(trail):
    with pytest.raises(NotFoundError, match="knows '7' as model, not as a ticket"):
        trace("7", trail.about, role="ticket")
