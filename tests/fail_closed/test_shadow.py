"""A shadow that hangs or raises: the answers leave as if there were none, and it has said nothing."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace

import pandas as pd
import pytest

from tests.fail_closed.room import Gate, Registry, Stand, put_in_place, results, took
from tests.freeze_room import open_again
from tests.gateway_room import Application, cases

PATIENT = {"\n  recipe: linear": "\n  answer_within_s: 5\n  shadow_within_s: 2\n  recipe: boosting"}
pytestmark = pytest.mark.parametrize("app", [PATIENT], indirect=True)


@pytest.fixture
def challenger(app: Application) -> str:
    """Version of a challenger that watches every case in the shadow."""
    parts = app.project.parts
    other = open_again(app.project.settings.folder, parts.given)
    version = other.train().version
    started = other.start_rollout(version, force="to see it at work")
    other.parts.rollouts.keep(replace(started, share_percent=0.0))
    other.close()
    return version


def gave_way(_inputs: object) -> object:
    raise RuntimeError


def test_a_shadow_that_hangs_delays_one_answer_a_little_and_no_other(
    app: Application, challenger: str
) -> None:
    gate = Gate()
    stand = put_in_place(app, challenger, gate)
    told, seconds = took(lambda: results(app.post(cases(0, 3))))
    assert seconds < 20
    for first in range(10, 20):
        more, seconds = took(lambda first=first: results(app.post(cases(first, 1))))
        assert seconds < 2
        told += more
    gate.open()

    assert stand.calls == 1
    assert {one["model_version"] for one in told} == {"1"}
    assert {one["state"] for one in told} == {"released"}
    assert app.project.parts.log.shadows(challenger) == []


def test_a_shadow_that_raises_changes_no_answer(app: Application, challenger: str) -> None:
    put_in_place(app, challenger, gave_way)
    told = results(app.post(cases(0, 10)))
    assert {(one["model_version"], one["state"]) for one in told} == {("1", "released")}
    assert app.project.parts.log.shadows(challenger) == []


def test_a_shadow_in_time_is_heard_of_every_case(app: Application, challenger: str) -> None:
    told = results(app.post(cases(0, 10)))
    assert len(app.project.parts.log.shadows(challenger)) == len(told) == 10


def test_in_a_table_nobody_waits_for_single_answers_and_a_slow_shadow_is_heard(
    app: Application, challenger: str
) -> None:
    registry, pause = app.project.parts.given, threading.Event()
    model = registry.load(challenger)

    def slowly(inputs: object) -> object:
        pause.wait(2.3)
        return model.probabilities(inputs)

    slow = Registry(registry, {challenger: Stand(model, slowly)})
    with closing(open_again(app.project.settings.folder, slow)) as project:
        project.decide(pd.DataFrame(cases(0, 3)))
        assert len(project.parts.log.shadows(challenger)) == 3
