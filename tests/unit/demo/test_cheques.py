"""The cheque reader's data."""

import numpy as np
import pytest

from hitl_mlops.demo.cheques import cheques, new_scanner


@pytest.fixture(scope="module")
def data():
    return cheques()


def test_every_digit_comes_once_and_the_stream_does_not_tell_it(data):
    assert len(data.base) + len(data.stream) == len(data.truth) == 1797
    assert set(data.base["field_id"]) & set(data.stream["field_id"]) == set()
    assert "digit" not in data.stream
    assert (data.base["digit"] == data.base["field_id"].map(data.truth)).all()


def test_the_same_seed_gives_the_same_cheques(data):
    assert data.stream.equals(cheques().stream)
    assert not data.stream.equals(cheques(seed=8).stream)


def test_only_cheques_after_the_change_were_read_by_the_new_scanner(data):
    pixels = [name for name in data.stream if name.startswith("pixel_")]
    before = data.stream[pixels].iloc[: data.new_scanner_from].to_numpy()
    after = data.stream[pixels].iloc[data.new_scanner_from :].to_numpy()
    base = data.base[pixels].to_numpy()
    assert before.max() == base.max() == 16
    assert after.max() < 16
    assert abs(before.mean() - base.mean()) < 0.3 < abs(after.mean() - base.mean())


def test_the_new_scanner_keeps_blank_paper_blank_and_ink_within_its_range():
    assert (new_scanner(np.zeros((2, 64))) == 0).all()
    read = new_scanner(np.random.default_rng(0).integers(0, 17, (50, 64)).astype(float))
    assert read.min() >= 0
    assert read.max() <= 16
    assert (read == np.round(read)).all()
