"""Whoever writes the whole database, and even the checkpoint file, changes nothing signed unseen."""

from __future__ import annotations

import pytest

from tests.trail_attacks import ATTACKS, HISTORY_SIZES, Bench, honest_histories

MUTATIONS = 1_000
HONEST = 1_000


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(HISTORY_SIZES)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_every_mutation_of_this_class_is_found_and_its_first_bad_entry_named(bench, attack):
    missed = [seed for seed in range(MUTATIONS) if not bench.found_and_named(attack, seed)]

    assert missed == []


def test_no_honest_history_raises_an_alarm():
    alarms = [
        number for number, verification in enumerate(honest_histories(HONEST)) if not verification.sound
    ]

    assert alarms == []


def test_a_plain_hash_chain_misses_what_checkpoints_find(bench):
    missed = {
        attack.__name__
        for attack in ATTACKS
        if not all(bench.chain_finds(attack, seed) for seed in range(20))
    }

    assert {
        "truncate_tail",
        "truncate_all",
        "rewrite_all",
        "delete_and_rechain",
        "fork",
        "restored_old_backup",
    } <= missed
