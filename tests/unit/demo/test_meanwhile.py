"""Work beside the story."""

import threading

import pytest

from hitl_mlops.demo.meanwhile import Meanwhile, importing


def test_the_result_is_waited_for():
    go = threading.Event()
    beside = Meanwhile(lambda: go.wait(5) and "done")
    go.set()
    assert beside.result() == "done"


def test_an_error_is_raised_where_the_result_is_asked_for():
    beside = importing(["hitl_mlops.no_such_room"])
    with pytest.raises(ModuleNotFoundError, match="no_such_room"):
        beside.result()
