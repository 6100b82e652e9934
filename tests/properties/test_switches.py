"""With a switch on everything no row is automatic, whatever the policy and the values."""

from __future__ import annotations

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_mlops.routing.route import Routes, route
from hitl_mlops.routing.sampling import draws
from hitl_mlops.routing.switches import Scope, Switch
from tests.builders import NOW
from tests.properties.test_routing import KEY, ROWS, policies

NAMES = ["confidence", "margin", "label", "amount", "channel"]
SCOPES = st.one_of(
    st.builds(
        Scope,
        st.sampled_from(["model", "label", "route", "channel", "amount", "gone"]),
        st.sampled_from(["1", "2", "a", "b", "auto", "senior", "instant", "slow", "0.0"]),
    ),
    st.just(Scope()),
)


def routed(policy, rows, scopes):
    columns = pd.DataFrame(rows, columns=NAMES)
    switches = (
        None
        if scopes is None
        else [Switch(f"s{place}", scope, "r1", "r", NOW) for place, scope in enumerate(scopes)]
    )
    versions = ["12"[place % 2] for place in range(len(rows))]
    return route(
        policy, columns, draws(KEY, [f"d{n}" for n in range(len(rows))]), switches=switches, versions=versions
    )


def frozen(answer: Routes) -> list[bool]:
    return [any(one.startswith("frozen: ") for one in reasons) for reasons in answer.reasons]


@settings(deadline=None, max_examples=150)
@given(
    policies(), ROWS, st.one_of(st.none(), st.lists(SCOPES, max_size=3).map(lambda those: [*those, Scope()]))
)
def test_frozen_whole_no_row_is_automatic(policy, rows, scopes):
    answer = routed(policy, rows, scopes)

    assert not any(policy.plan(name).automatic for name in answer.route)
    assert frozen(answer) == [True] * len(rows)
    assert (answer.pi == 1).all()
    assert not answer.spot_check.any()
    assert (answer.signatures >= 1).all()


@settings(deadline=None, max_examples=150)
@given(policies(), ROWS, st.lists(SCOPES, max_size=3))
def test_a_switch_makes_no_route_milder_and_leaves_alone_what_it_does_not_cover(policy, rows, scopes):
    before, after = routed(policy, rows, []), routed(policy, rows, scopes)
    closed = policy.level(policy.closed_route)

    for place, is_frozen in enumerate(frozen(after)):
        was, now = policy.level(before.route[place]), policy.level(after.route[place])
        assert now == (max(was, closed) if is_frozen else was)


@settings(deadline=None, max_examples=100)
@given(policies(), ROWS, st.lists(SCOPES, max_size=3))
def test_one_row_is_frozen_as_among_many(policy, rows, scopes):
    together = routed(policy, rows, scopes)
    for place, row in enumerate(rows):
        alone = route(
            policy,
            pd.DataFrame([row], columns=NAMES),
            draws(KEY, [f"d{place}"]),
            switches=[Switch(f"s{n}", scope, "r1", "r", NOW) for n, scope in enumerate(scopes)],
            versions=["12"[place % 2]],
        )
        assert alone.route[0] == together.route[place]
        assert set(alone.reasons[0]) == set(together.reasons[place])
