# ruff: noqa: PT012  # what is raised inside a transaction is the point
from __future__ import annotations

import random
import threading

import pytest

from hitl_mlops.audit.entry import Kind
from hitl_mlops.audit.verify import verify
from hitl_mlops.errors import IntegrityError, RefusedError, ServiceDownError
from tests.audit_room import SIGNER, OpenTrail, a_sql_trail, an_event
from tests.trail_attacks import ATTACKS, Bench


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.real)])
def opened(request: pytest.FixtureRequest, tmp_path):
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/a.db" if is_file else request.getfixturevalue("postgres_url")
    found = a_sql_trail(url, tmp_path)
    yield found
    found.trail.database.close()


def sizes(opened: OpenTrail) -> list[int]:
    return [int(note.split("\n")[1]) for note in opened.store.notes()]


def test_nothing_is_signed_before_the_transaction_is_committed(opened):
    with opened.trail.database.transaction():
        opened.trail.append([an_event(kind=Kind.MODEL_PROMOTED)])
        assert sizes(opened) == [0]

    assert sizes(opened) == [0, 1]


def test_a_transaction_that_is_rolled_back_leaves_no_entry_and_no_checkpoint(opened):
    with pytest.raises(ZeroDivisionError), opened.trail.database.transaction():
        opened.trail.append([an_event(kind=Kind.MODEL_PROMOTED)])
        raise ZeroDivisionError

    opened.trail.append([an_event()])

    assert (opened.trail.size(), sizes(opened)) == (1, [0])
    assert verify(opened.trail, opened.store, SIGNER.verifier).sound


def test_many_appends_in_one_transaction_make_one_checkpoint(opened):
    with opened.trail.database.transaction():
        for _ in range(5):
            opened.trail.append([an_event(kind=Kind.MODEL_PROMOTED)])

    assert sizes(opened) == [0, 5]


def test_sealing_inside_a_transaction_is_refused(opened):
    with pytest.raises(RefusedError), opened.trail.database.transaction():
        opened.trail.seal()


def test_a_crash_between_commit_and_checkpoint_leaves_a_trail_that_verifies_and_goes_on(opened, tmp_path):
    opened.trail.append([an_event()])
    write, opened.store.write = opened.store.write, _full_disk
    with pytest.raises(ServiceDownError):
        opened.trail.append([an_event(kind=Kind.APPROVAL_RECORDED)])
    opened.store.write = write
    found = verify(opened.trail, opened.store, SIGNER.verifier)
    assert (found.sound, found.size, found.sealed) == (True, 2, 0)

    opened.trail.append([an_event(kind=Kind.MODEL_PROMOTED)])

    found = verify(opened.trail, opened.store, SIGNER.verifier)
    assert (found.sound, found.sealed) == (True, 3)


def _full_disk(*_given: object) -> None:
    raise ServiceDownError("The disk is full.")


def test_many_writers_share_one_trail_without_gap_or_fork(opened, tmp_path):
    url = opened.trail.database.url
    trails = [a_sql_trail(url, tmp_path).trail for _ in range(4)]

    def write(number: int) -> None:
        rng = random.Random(number)
        for turn in range(15):
            kind = rng.choice([Kind.DECISIONS_RECORDED, Kind.MODEL_PROMOTED])
            trails[number].append(
                [an_event(kind=kind, facts={"by": number, "turn": turn})] * rng.randint(1, 3)
            )

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for trail in trails:
        trail.database.close()

    found = verify(opened.trail, opened.store, SIGNER.verifier)
    assert found.problems == ()
    assert found.size >= 60


def test_verification_of_a_trail_that_grows_meanwhile_raises_no_alarm(opened):
    opened.trail.append([an_event() for _ in range(500)])
    opened.trail.seal()

    found = verify(
        opened.trail, opened.store, SIGNER.verifier, progress=lambda _place: _append_elsewhere(opened.trail)
    )

    assert found.problems == ()
    assert opened.trail.size() > 500


def _append_elsewhere(trail) -> None:
    thread = threading.Thread(target=trail.append, args=([an_event()],))
    thread.start()
    thread.join()


def test_a_damaged_head_stops_the_writer(opened):
    opened.trail.append([an_event()])
    with opened.trail.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE trail_head SET size = 3")
    with pytest.raises(IntegrityError, match="audit verify"):
        opened.trail.append([an_event()])


def test_a_lost_head_stops_the_writer(opened):
    opened.trail.append([an_event()])
    with opened.trail.database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM trail_head")
    with pytest.raises(IntegrityError, match="audit verify"):
        opened.trail.append([an_event()])


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_each_attack_is_found_in_real_tables_too(opened, attack, tmp_path):
    done = Bench((16,), variants=1).attacked(attack, 0)
    with opened.trail.database.transaction() as connection:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        for row in done.after.rows:
            connection.exec_driver_sql(f"INSERT INTO trail_entries VALUES ({mark}, {mark}, {mark})", row)
        for ref in done.after.refs:
            connection.exec_driver_sql(f"INSERT INTO trail_refs VALUES ({mark}, {mark})", ref)
        connection.exec_driver_sql(f"INSERT INTO trail_head VALUES (1, {mark}, {mark})", done.after.head)
    opened.store.path.write_text("".join(note + "\n" for note in done.after.notes))
    opened.store.leaves_path.write_bytes(done.after.kept)

    found = verify(opened.trail, opened.store, SIGNER.verifier)

    assert found == done.after.verify()
    assert not found.sound
