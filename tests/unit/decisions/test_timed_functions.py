"""A function of the user's that hangs costs its time once, and its cases go to people."""

import threading
import time

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.decisions.timed_functions import TimedFunction
from hitl_mlops.routing.policy_file import parse_policy
from hitl_mlops.routing.route import route

POLICY = parse_policy("""
functions: {flag: [x]}
derive: {flagged: flag}
rules: [{name: flagged, when: {flagged: true}, route: senior}]
routes: {auto: {confidence: ">= 0.5"}, senior: {confidence: "< 0.5"}}
""")
FRAME = pd.DataFrame({"x": np.arange(200), "confidence": 0.9, "label": "a"})


def routed(function):
    return route(POLICY, FRAME, checks={"flag": function})


def test_a_function_that_is_in_time_answers_as_it_is():
    timed = TimedFunction("flag", lambda rows: rows["x"] > 150, 60.0)
    assert routed(timed).route.tolist() == routed(timed.function).route.tolist()
    assert set(routed(timed).route) == {"auto", "senior"}
    timed.close()


def test_a_function_that_hangs_costs_its_time_once_and_its_cases_go_to_people():
    gate, calls = threading.Event(), []

    def hangs(rows):
        calls.append(len(rows))
        assert gate.wait(60)
        return [False] * len(rows)

    timed = TimedFunction("flag", hangs, 0.2)
    began = time.monotonic()
    first, second = routed(timed), routed(timed)
    took = time.monotonic() - began
    assert set(first.route) == set(second.route) == {"senior"}
    assert "flagged is unknown: function flag raised TimeoutError → senior" in first.reasons[0]
    assert took < 5
    assert calls == [200]
    gate.set()
    timed.close()


def test_what_it_raises_is_raised_where_it_was_asked():
    timed = TimedFunction("flag", lambda rows: rows["nothing"], 60.0)
    with pytest.raises(KeyError):
        timed(FRAME)
    assert "raised KeyError" in routed(timed).reasons[0][0]
    timed.close()


def test_a_function_that_ends_its_thread_has_no_answer():
    def exits(rows):
        raise SystemExit(len(rows))

    timed = TimedFunction("flag", exits, 60.0)
    assert set(routed(timed).route) == {"senior"}
    timed.close()
