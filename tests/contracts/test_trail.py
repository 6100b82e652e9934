"""What every trail and every checkpoint store does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime

import pytest

from hitl_mlops.audit.checkpoint_file import FileCheckpoints
from hitl_mlops.audit.checkpoint_in_memory import InMemoryCheckpoints
from hitl_mlops.audit.entry import Kind
from hitl_mlops.audit.merkle import EMPTY_ROOT, tree_root
from hitl_mlops.audit.proof import holds, prove
from hitl_mlops.audit.sealing import SealingPolicy
from hitl_mlops.audit.verify import verify
from hitl_mlops.errors import InputError, IntegrityError
from tests.audit_room import NOON, SIGNER, OpenTrail, a_memory_trail, a_sql_trail, an_event


@pytest.fixture(
    params=[
        "memory",
        pytest.param("sqlite", marks=pytest.mark.real),
        pytest.param("postgres", marks=pytest.mark.real),
    ]
)
def opened(request: pytest.FixtureRequest, tmp_path) -> Iterator[OpenTrail]:
    policy = SealingPolicy(entries=10)
    if request.param == "memory":
        yield a_memory_trail(policy)
        return
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/hitl.db" if is_file else request.getfixturevalue("postgres_url")
    found = a_sql_trail(url, tmp_path, policy)
    yield found
    found.trail.database.close()


def test_an_empty_trail_has_the_root_of_nothing_and_verifies(opened):
    assert (opened.trail.size(), opened.trail.root()) == (0, EMPTY_ROOT)
    assert verify(opened.trail, opened.store, SIGNER.verifier).sound


def test_entries_come_back_in_order_and_byte_for_byte(opened):
    added = opened.trail.append([an_event(facts={"n": n, "text": "é 𝄞 \u2028"}) for n in range(25)])

    assert list(opened.trail.entries()) == added
    assert [entry.read()["seq"] for entry in opened.trail.entries(5, 9)] == [5, 6, 7, 8]
    assert list(opened.trail.entries(24, 99)) == added[24:]
    assert opened.trail.root() == tree_root(entry.leaf_hash for entry in added)


def test_appending_nothing_does_nothing(opened):
    assert opened.trail.append([]) == []
    assert opened.store.notes() == []


def test_entries_are_found_by_what_they_are_about(opened):
    first, _, third = opened.trail.append(
        [
            an_event(refs={"model": ["7"], "dataset": ["ds_1", "ds_1"]}),
            an_event(refs={"model": ["77"]}),
            an_event(refs={"bytes": ["7"]}),
        ]
    )

    assert opened.trail.about("7") == [first, third]
    assert opened.trail.about("ds_1") == [first]
    assert opened.trail.about("never seen") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"facts": {"n": math.nan}},
        {"facts": {"n": object()}},
        {"at": datetime(2026, 1, 1)},  # noqa: DTZ001  # the missing zone is the point
        {"refs": {"model": [""]}},
        {"refs": {"model": ["x" * 201]}},
        {"refs": {"model": ["nul\x00"]}},
        {"refs": {"model": ["\ud800"]}},
        {"refs": {"model": [7]}},
    ],
    ids=lambda wrong: ascii(wrong)[:40],
)
def test_all_or_none_of_the_events_are_kept(opened, wrong):
    with pytest.raises(InputError):
        opened.trail.append([an_event(), an_event(**wrong)])

    assert opened.trail.size() == 0
    assert list(opened.trail.entries()) == []


def test_a_checkpoint_is_written_when_enough_entries_are_unsigned(opened):
    for _ in range(9):
        opened.trail.append([an_event()])
    assert opened.store.latest().size == 0

    opened.trail.append([an_event()])

    assert opened.store.latest().size == 10


def test_a_checkpoint_is_written_with_the_first_append_after_a_minute(opened):
    opened.trail.append([an_event()])
    opened.clock.forward(60)
    opened.trail.append([an_event()])

    assert opened.store.latest().size == 2


@pytest.mark.parametrize("kind", [Kind.APPROVAL_RECORDED, Kind.MODEL_PROMOTED, Kind.MODEL_ROLLED_BACK])
def test_what_changes_the_serving_model_is_signed_at_once(opened, kind):
    opened.trail.append([an_event(), an_event(kind=kind)])

    assert opened.store.latest().size == 2


def test_sealing_twice_writes_one_checkpoint(opened):
    opened.trail.append([an_event()])

    assert opened.trail.seal() == opened.trail.seal()
    assert [note.split("\n")[1] for note in opened.store.notes()] == ["0", "1"]


def test_verification_tells_what_is_not_signed_yet(opened):
    opened.trail.append([an_event() for _ in range(12)])
    opened.trail.append([an_event() for _ in range(3)])

    found = verify(opened.trail, opened.store, SIGNER.verifier)

    assert (found.sound, found.size, found.sealed, found.unsealed) == (True, 15, 12, 3)


def test_an_entry_can_be_proven_to_someone_who_has_only_the_public_key(opened):
    opened.trail.append([an_event(facts={"n": n}) for n in range(13)])

    proofs = [prove(opened.trail, place) for place in range(13)]

    assert all(holds(proof, SIGNER.verifier) for proof in proofs)


def test_a_database_older_than_its_checkpoints_takes_no_entries(opened, tmp_path):
    opened.trail.append([an_event() for _ in range(5)])
    opened.trail.seal()
    older = a_memory_trail()
    older.trail.sealer.store = opened.store

    with pytest.raises(IntegrityError, match="older than its checkpoints"):
        older.trail.append([an_event()])


@pytest.fixture(params=["memory", pytest.param("file", marks=pytest.mark.real)])
def store(request: pytest.FixtureRequest, tmp_path):
    return (
        InMemoryCheckpoints() if request.param == "memory" else FileCheckpoints(tmp_path / "new" / "points")
    )


def test_checkpoints_come_back_in_the_order_written(store):
    points = [SIGNER.sign(size, bytes([size] * 32), NOON) for size in (0, 3, 9, 5)]
    for point in points:
        store.write(point, lambda start, stop: bytes(32 * (stop - start)))

    assert store.notes() == [point.note() for point in points]
    assert store.latest() == points[2]
    assert store.leaf_hashes(0, 9) == bytes(32 * 9)
    assert store.leaf_hashes(7, 20) == bytes(32 * 2)


def test_a_store_that_was_never_written_is_empty(store):
    assert (store.notes(), store.latest(), store.leaf_hashes(0, 5)) == ([], None, b"")


def test_writing_the_same_checkpoint_again_does_nothing(store):
    point = SIGNER.sign(1, bytes(32), NOON)
    for _ in range(2):
        store.write(point, lambda _start, _stop: bytes(32))

    assert store.notes() == [point.note()]
