from __future__ import annotations

import threading

from hitl_mlops.audit.checkpoint_in_memory import InMemoryCheckpoints
from hitl_mlops.audit.keys import signer_from_seed
from hitl_mlops.audit.sealing import Sealer
from hitl_mlops.audit.trail_sql import SqlTrail
from hitl_mlops.database.connect import Database
from tests.collection_room import Room
from tests.fake_desk import FakeDesk


def test_four_collectors_in_threads_keep_every_answer_once(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'hitl.db'}")
    database.create()
    sealer = Sealer(signer_from_seed("test/collect", bytes(32)), InMemoryCheckpoints())
    room = Room(database, FakeDesk(page_tasks=4), SqlTrail(database, sealer))
    for number in range(40):
        room.desk.answer(room.ask(str(number)), label="2")
    brought, failed = [], []

    def collect():
        try:
            brought.append(room.collector.collect())
        except Exception as error:  # noqa: BLE001  # told to the main thread
            failed.append(error)

    threads = [threading.Thread(target=collect) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sum(one.new for one in brought) == sum(one.overrides for one in brought) == 40
    assert len(room.book.resolutions()) == 40
    told = [entry.read() for entry in room.trail.entries()]
    named = [name for one in told if one["kind"] == "resolutions.made" for name in one["refs"]["resolution"]]
    assert len(named) == len(set(named)) == 40
    database.close()
