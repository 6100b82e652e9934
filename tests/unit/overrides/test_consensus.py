from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.overrides.consensus import Asked, Outcome, Standing, Vote, resolution_of, still_stands, weigh
from hitl_mlops.overrides.record import Method
from hitl_mlops.review.answer import Answer, Verdict
from hitl_mlops.review.ticket import TicketKind

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def asked(signatures: int = 1, kind: TicketKind = TicketKind.REVIEW) -> Asked:
    return Asked("t", "d", kind, signatures, "1")


def a_vote(person: str, label: str | None, minute: int = 0, **changes: object) -> Vote:
    answer = Answer(
        desk="desk:1",
        annotation_id=f"{person}{minute}",
        revision="r",
        task_id="1",
        ticket_id="t",
        reviewer=f"{person}@x.org",
        edited_by=f"{person}@x.org",
        label=label,
        verdict=None,
        rationale="so",
        reason_code=None,
        seconds=1.0,
        answered_at=NOW + timedelta(minutes=minute),
        skipped=False,
        payload_hash="h",
    )
    answer = replace(answer, **changes)  # type: ignore[arg-type]
    return Vote(answer.key, person, answer)


def of(*labels: str) -> list[Vote]:
    return [a_vote(f"r{place}", label, place) for place, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("signatures", "labels", "standing", "label", "method"),
    [
        (1, "", Standing.WAITING, None, None),
        (1, "2", Standing.RESOLVED, "2", Method.SINGLE),
        (1, "22", Standing.RESOLVED, "2", Method.UNANIMOUS),
        (1, "12", Standing.DISAGREED, None, None),
        (1, "122", Standing.RESOLVED, "2", Method.MAJORITY),
        (1, "123", Standing.TIED, None, None),
        (1, "1122", Standing.TIED, None, None),
        (1, "11122", Standing.RESOLVED, "1", Method.MAJORITY),
        (2, "2", Standing.WAITING, None, None),
        (2, "22", Standing.RESOLVED, "2", Method.UNANIMOUS),
        (2, "12", Standing.DISAGREED, None, None),
        (2, "121", Standing.RESOLVED, "1", Method.MAJORITY),
        (2, "123", Standing.TIED, None, None),
        (3, "11", Standing.WAITING, None, None),
        (3, "112", Standing.DISAGREED, None, None),
        (3, "1121", Standing.RESOLVED, "1", Method.MAJORITY),
        (3, "1122", Standing.TIED, None, None),
        (3, "123", Standing.TIED, None, None),
    ],
)
def test_so_many_agree_as_the_ticket_needs_and_more_than_half(signatures, labels, standing, label, method):
    outcome = weigh(asked(signatures), of(*labels))
    assert (outcome.standing, outcome.label, outcome.method) == (standing, label, method)


def test_one_person_counts_once_by_the_earliest_answer():
    votes = [a_vote("r0", "1", 5), a_vote("r0", "2", 1), a_vote("r0", "2", 7)]
    assert weigh(asked(2), votes).standing is Standing.WAITING
    assert weigh(asked(1), votes).label == "2"


def test_a_person_who_skipped_first_still_counts_later():
    skipped = a_vote("r0", None, 0, skipped=True)
    assert weigh(asked(), [skipped]).standing is Standing.WAITING
    assert weigh(asked(), [skipped, a_vote("r0", "2", 1)]).label == "2"


def test_an_escalation_waits_for_an_adjudicator_even_against_agreement():
    votes = [*of("1", "1"), a_vote("r9", None, 9, verdict=Verdict.ESCALATE)]
    assert weigh(asked(2), votes).standing is Standing.TIED


def test_an_adjudicator_s_answer_is_called_so():
    assert weigh(asked(kind=TicketKind.ADJUDICATION), of("3")).method is Method.ADJUDICATED


def test_only_those_who_gave_the_label_stand_behind_it():
    outcome = weigh(asked(), of("1", "2", "2"))
    resolution = resolution_of(asked(), outcome, 0, NOW)
    assert resolution is not None
    assert (resolution.reviewers, resolution.override) == (("r1", "r2"), True)
    assert still_stands(resolution, outcome)


def test_no_resolution_comes_of_what_is_not_resolved():
    assert resolution_of(asked(), Outcome(Standing.TIED), 0, NOW) is None


def test_a_resolution_made_again_has_another_name():
    outcome = weigh(asked(), of("1"))
    first, again = (resolution_of(asked(), outcome, earlier, NOW) for earlier in (0, 1))
    assert first is not None
    assert again is not None
    assert first.resolution_id != again.resolution_id


people = st.integers(0, 4).map("r{}".format)
votes = st.builds(
    a_vote,
    people,
    st.sampled_from("123"),
    st.integers(0, 9),
    skipped=st.booleans(),
    verdict=st.sampled_from([None, None, None, Verdict.ESCALATE]),
)
ballots = st.lists(votes, max_size=8, unique_by=lambda vote: vote.key)


@given(ballots, st.integers(1, 3), st.randoms())
def test_the_order_of_arrival_does_not_matter(cast, signatures, random):
    shuffled = random.sample(cast, len(cast))
    assert weigh(asked(signatures), shuffled) == weigh(asked(signatures), cast)


@given(ballots, st.integers(1, 3))
def test_answers_that_come_twice_count_once(cast, signatures):
    assert weigh(asked(signatures), [*cast, *cast]) == weigh(asked(signatures), cast)


@given(ballots, st.integers(1, 3))
def test_a_resolution_has_its_signatures_of_distinct_people(cast, signatures):
    outcome = weigh(asked(signatures), cast)
    if outcome.standing is Standing.RESOLVED:
        names = [vote.person for vote in outcome.supporters]
        assert len(names) == len(set(names)) >= signatures
        assert {vote.answer.label for vote in outcome.supporters} == {outcome.label}
    else:
        assert outcome.answer_keys == ()


@pytest.mark.parametrize("verdict", [Verdict.REJECT, Verdict.ESCALATE])
def test_a_case_that_somebody_handed_up_waits_for_an_adjudicator(verdict):
    handed_up = a_vote("r9", None, verdict=verdict, stated=verdict)
    assert weigh(asked(), [*of("11"), handed_up]).standing is Standing.TIED


@pytest.mark.parametrize(("said", "learned"), [((True, True), True), ((True, False), False)])
def test_one_of_those_who_gave_the_label_can_keep_it_out_of_the_training_data(said, learned):
    votes = [a_vote(f"r{place}", "2", place, for_training=one) for place, one in enumerate(said)]
    resolution = resolution_of(asked(2), weigh(asked(2), votes), 0, NOW)
    assert resolution is not None
    assert resolution.for_training is learned
