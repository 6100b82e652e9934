"""Whatever people there are and however long they take: no sheet has two owners, and nobody too much."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.queueing.hand_out import ClaimPolicy, Free, hand_out
from hitl_mlops.review.roster import Person, Tier
from tests.builders import NOW

SKILLS = st.sampled_from([None, "senior", "supervisor", "cards"])
TONGUES = st.sampled_from([None, "de", "en"])
NAMES = [f"r{number}" for number in range(6)]
PEOPLE = st.lists(
    st.builds(
        Person,
        st.sampled_from(NAMES),
        st.just("x"),
        skills=st.sampled_from([(), ("senior",), ("cards",)]),
        active=st.booleans(),
        tier=st.sampled_from(Tier),
        languages=st.sampled_from([(), ("de",), ("en", "de")]),
        at_most=st.integers(1, 5),
    ),
    unique_by=lambda one: one.person_id,
    max_size=6,
)
SHEETS = st.lists(
    st.builds(
        Free,
        st.integers(1, 6).map("t_{}".format),
        st.integers(1, 40).map(str),
        st.sampled_from(["standard", "senior"]),
        st.sampled_from(["yes", "no"]),
        st.integers(0, 50).map(lambda hours: NOW + timedelta(hours=hours)),
        risk=st.integers(0, 3),
        skill=SKILLS,
        meant_for=st.none() | st.sampled_from(NAMES),
        language=TONGUES,
        with_=st.frozensets(st.sampled_from(NAMES), max_size=2),
        barred=st.frozensets(st.sampled_from(NAMES), max_size=2),
        lapsed=st.frozensets(st.sampled_from(NAMES), max_size=2),
    ),
    unique_by=lambda one: one.task_id,
    max_size=25,
)
HELD = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 4))


@settings(max_examples=400)
@given(SHEETS, PEOPLE, HELD, st.integers(1, 6))
def test_every_claim_is_one_that_may_be_and_none_is_left_out_that_could_be(sheets, people, held, at_once):
    made = hand_out(sheets, people, held, {}, ClaimPolicy(at_once=at_once), key=b"key", now=NOW)
    of_task = {one.task_id: one for one in sheets}
    of_name = {one.person_id: one for one in people}
    assert len({one.task_id for one in made}) == len(made)
    assert len({(one.ticket_id, one.person) for one in made}) == len(made)
    for one in made:
        sheet, person = of_task[one.task_id], of_name[one.person]
        assert person.active
        assert person.can(sheet.skill)
        assert person.reads(sheet.language)
        assert sheet.meant_for in (None, one.person)
        assert one.person not in sheet.with_ | sheet.barred
    has = Counter(held) + Counter(one.person for one in made)
    new = {one.person for one in made}
    assert all(has[name] <= min(of_name[name].at_most, at_once) for name in new)
    left = {one.task_id for one in sheets} - {one.task_id for one in made}
    for task in left:
        sheet = of_task[task]
        with_ = sheet.with_ | {one.person for one in made if one.ticket_id == sheet.ticket_id}
        for name, person in of_name.items():
            may = person.active and person.can(sheet.skill) and person.reads(sheet.language)
            may = may and sheet.meant_for in (None, name) and name not in with_ | sheet.barred
            assert not may or has[name] >= min(person.at_most, at_once)
