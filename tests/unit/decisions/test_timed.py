"""A model that hangs costs its time once, and no shadow holds up or changes an answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest

from hitl_mlops.decisions.predict import ask, ask_live
from hitl_mlops.decisions.serving import Serving
from hitl_mlops.decisions.timed import Line, Patience, TimedModel, TimedModels
from tests.flow_room import until

PATIENCE = Patience(answer_s=0.3, shadow_s=0.3)
FRAME = pd.DataFrame({"x": [0.1, 0.9, 0.6]})
NOBODY = np.zeros(3, dtype=bool)
AT_ONCE_S = 0.15


@dataclass
class Held:
    """Says "yes" with the probability in column x, but only once its gate is open."""

    version: str = "1"
    digest: str = "sha256:1"
    classes: tuple[str, ...] = ("no", "yes")
    gate: threading.Event = field(default_factory=threading.Event)
    calls: int = 0
    threads: set[int] = field(default_factory=set)

    def probabilities(self, inputs):
        self.calls += 1
        self.threads.add(threading.get_ident())
        assert self.gate.wait(60)
        x = inputs["x"].to_numpy(dtype=float)
        return np.column_stack([1 - x, x])


class Exits(Held):
    """A model that ends the thread that asks it."""

    def probabilities(self, inputs):
        raise SystemExit(len(inputs))


def opened(model: Held) -> Held:
    model.gate.set()
    return model


@pytest.fixture
def held() -> Iterator[Held]:
    model = Held()
    yield model
    model.gate.set()


def timed(model: Held, patience: Patience = PATIENCE) -> TimedModel:
    return TimedModel(model, patience)


def took(work) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def confidences(answers) -> list[float]:
    return answers.confidence.tolist()


def test_a_model_in_time_answers_as_one_that_is_not_timed():
    model = opened(Held())
    assert confidences(ask(timed(model), FRAME)) == confidences(ask(model, FRAME))
    assert len(ask(timed(model), FRAME[:0]).confidence) == 0


def test_a_model_that_hangs_leaves_its_rows_unanswered_and_later_ones_at_once(held):
    model = timed(held)
    assert 0.3 <= took(lambda: ask(model, FRAME)) < 5
    before = threading.active_count()
    for _ in range(20):
        assert took(lambda: ask(model, FRAME)) < AT_ONCE_S
    assert np.isnan(ask(model, FRAME).confidence).all()
    assert (held.calls, len(held.threads), model.answers.too_late) == (1, 1, 22)
    assert threading.active_count() == before


def test_a_model_that_comes_back_is_heard_again(held):
    model = timed(held)
    ask(model, FRAME)
    held.gate.set()
    until(lambda: not model.answers.busy(), deadline_s=10)
    assert np.isfinite(ask(model, FRAME).confidence).all()
    assert len(held.threads) == 1


def test_who_waits_behind_a_call_in_its_time_is_answered():
    line, gate = Line("one"), threading.Event()
    first = threading.Thread(target=line.ask, args=(gate.wait, 10.0))
    first.start()
    until(line.busy, deadline_s=10)
    threading.Timer(0.2, gate.set).start()
    assert line.ask(lambda: "heard", 10.0) == "heard"
    first.join(10)


def test_what_nobody_waits_for_any_more_is_not_begun():
    line, gate, begun = Line("one"), threading.Event(), []
    threading.Thread(target=line.ask, args=(gate.wait, 10.0)).start()
    until(line.busy, deadline_s=10)
    assert line.ask(lambda: begun.append(1), 0.1) is None
    gate.set()
    assert line.ask(lambda: "heard", 10.0) == "heard"
    assert begun == []


def test_a_model_that_ends_its_thread_is_no_answer_and_asked_again():
    model = timed(Exits())
    for _ in range(3):
        assert np.isnan(ask(model, FRAME).confidence).all()


def test_a_longer_batch_has_as_many_times_as_long(held):
    model = timed(held, Patience(answer_s=0.05))
    assert took(lambda: ask(model, pd.DataFrame({"x": [0.5] * 4_001}))) >= 0.25


def test_a_shadow_that_hangs_holds_up_one_batch_and_no_other(held):
    champion = opened(Held("1"))
    serving = Serving(timed(champion), timed(held), 0.0, "ro")
    alone = confidences(ask(champion, FRAME))

    assert took(lambda: ask_live(serving, FRAME, NOBODY)) < 5
    for _ in range(20):
        assert took(lambda: ask_live(serving, FRAME, NOBODY)) < AT_ONCE_S
    answers, shadow = ask_live(serving, FRAME, NOBODY)

    assert confidences(answers) == alone
    assert np.isnan(shadow.confidence).all()
    assert held.calls == 1


def test_a_shadow_that_was_late_is_not_waited_for_until_it_is_in_time_again():
    champion, slow = opened(Held("1")), Held("2")
    challenger = timed(slow, Patience(shadow_s=0.1))
    serving = Serving(timed(champion), challenger, 0.0, "ro")
    for _ in range(3):  # late each time, waited for only the first
        slow.gate.clear()
        ask_live(serving, FRAME, NOBODY)
        threading.Event().wait(0.15)
        slow.gate.set()
        until(lambda: not challenger.shadow.busy(), deadline_s=10)
    assert challenger.shadow.was_late
    assert slow.calls == 3
    ask_live(serving, FRAME, NOBODY)  # in time, and nobody waited
    until(lambda: not challenger.shadow.busy(), deadline_s=10)
    assert np.isfinite(ask_live(serving, FRAME, NOBODY)[1].confidence).all()


def test_a_shadow_that_hangs_keeps_its_model_from_no_answer(held):
    swapped = np.array([False, True, False])
    serving = Serving(timed(opened(Held("1"))), timed(held), 50.0, "ro")
    serving.challenger.shadow.ask(held.gate.wait, 0.01)  # a call in the shadow that hangs
    threading.Timer(0.05, held.gate.set).start()

    champion, challenger = ask_live(serving, FRAME, swapped)

    assert np.isfinite(champion.confidence[~swapped]).all()
    assert np.isfinite(challenger.confidence[swapped]).all()


@pytest.mark.parametrize("swapped", [[False] * 3, [True] * 3, [False, True, False]])
def test_both_models_are_heard_of_every_row_whoever_answers(swapped):
    champion, challenger = opened(Held("1")), opened(Held("2"))
    for serving in (
        Serving(champion, challenger, 50.0, "ro"),
        Serving(timed(champion), timed(challenger), 50.0, "ro"),
    ):
        said = ask_live(serving, FRAME, np.array(swapped))
        assert [confidences(one) for one in said] == [confidences(ask(champion, FRAME))] * 2
    assert ask_live(replace(serving, challenger=None), FRAME, NOBODY)[1] is None


def test_a_model_that_is_live_no_more_is_let_go():
    models, first, second = TimedModels(PATIENCE), opened(Held("1")), opened(Held("gone"))
    [kept, gone] = models.live(first, second)
    ask(gone, FRAME)
    assert models.live(first) == [kept]
    until(lambda: not any(one.name == "model-gone" for one in threading.enumerate()), deadline_s=10)
    models.close()
    assert models.all() == []
