"""Figures for all decisions from those that were reviewed."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from hitl_mlops.decisions.record import Arm, Decision
from hitl_mlops.kpis.charts import drift_by_column, evidence_over_labels, intervals, override_rate_over_time
from hitl_mlops.kpis.definitions import loop_figures, rates_over_time
from hitl_mlops.kpis.report import Section, Tile, render, told
from hitl_mlops.overrides.record import Method, Resolution

START = datetime(2026, 3, 1, tzinfo=UTC)


def a_decision(number, *, route="auto", pi=0.05, spot_check=False, version="1"):
    signatures = 1 if route not in {"auto", "check"} or spot_check else 0
    return Decision(
        f"d_{number:05}", f"c{number}", f"s{number}", START + timedelta(seconds=number), version,
        "sha256:m",
        Arm.CHAMPION, "a", 0.95, {"a": 0.95, "b": 0.05}, route, (), "sha256:p", pi, spot_check, signatures, {},  # noqa: E501
    )  # fmt: skip


def a_resolution(decision, label, kind="review"):
    return Resolution(
        f"r_{decision.decision_id}", decision.decision_id, "t", kind, label, decision.label, Method.SINGLE,
        ("k",), ("r1",), (None,), START,
    )  # fmt: skip


def test_each_spot_check_speaks_for_the_many_that_were_not_looked_at():
    doubtful = [a_decision(i, route="standard", pi=1.0) for i in range(100)]
    checked = [a_decision(100 + i, spot_check=True) for i in range(50)]
    unseen = [a_decision(1000 + i) for i in range(950)]
    said = [a_resolution(one, "b" if i < 40 else "a") for i, one in enumerate(doubtful)]
    said += [a_resolution(one, "b" if i == 0 else "a", "spot_check") for i, one in enumerate(checked)]
    figures = loop_figures([*doubtful, *checked, *unseen], said)
    assert figures.overridden / figures.reviewed == pytest.approx(41 / 150)
    assert figures.override_rate.value == pytest.approx((40 + 20) / (100 + 1000))
    assert figures.automatic == pytest.approx(1000 / 1100)


def test_shadow_tickets_are_chosen_by_outcome_and_do_not_enter_the_rate():
    decisions = [a_decision(i, route="standard", pi=1.0) for i in range(10)]
    said = [a_resolution(decisions[0], "b", "shadow"), a_resolution(decisions[1], "a")]
    figures = loop_figures(decisions, said)
    assert (figures.reviewed, figures.overridden) == (1, 0)


def test_nothing_decided_has_no_rate():
    figures = loop_figures([], [])
    assert (figures.decisions, figures.automatic, figures.override_rate.value) == (0, 0.0, None)


def test_stretches_follow_the_order_of_decisions():
    decisions = [a_decision(i, route="standard", pi=1.0) for i in range(25)]
    said = [a_resolution(one, "b" if i >= 10 else "a") for i, one in enumerate(decisions)]
    stretches = rates_over_time(list(reversed(decisions)), said, per_window=10)
    assert [one.rate.value for one in stretches] == [0.0, 1.0, 1.0]
    assert stretches[0].start == decisions[0].at
    assert stretches[2].rate.decisions == 5


def test_the_page_escapes_what_people_wrote_and_stands_alone():
    drawing = intervals([("before", 0.79, 0.74, 0.84), ("after", 0.92, 0.89, 0.95)], "accuracy")
    page = render(
        "<script>x</script>",
        START,
        [Tile("Decisions", "1,297")],
        [Section("Why", drawing=drawing, columns=("reason",), rows=(("<img src=x onerror=y>",),))],
    )
    assert "<script>" not in page
    assert "<img" not in page
    assert not re.search(r"""(src|href)\s*=\s*["'](?!#)""", page), "nothing is fetched from elsewhere"
    assert "<svg" in page


def test_every_drawing_copes_with_nothing_and_with_much():
    assert "<svg" in override_rate_over_time({})
    assert "<svg" in drift_by_column([], "")
    assert "<svg" in evidence_over_labels([(0, 1.0, 1.0)], promote_at=20, rollback_at=100)
    many = [(f"pixel_{i}", i / 64, i % 2 == 0) for i in range(64)]
    assert drift_by_column(many, "p-value").count("pixel_") >= 40


def test_a_rate_without_reviews_is_a_dash():
    assert told(loop_figures([], []).override_rate) == "-"
