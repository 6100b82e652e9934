from __future__ import annotations

import pytest

from hitl_mlops.database.connect import Database
from tests.collection_room import Room


@pytest.fixture
def room() -> Room:
    database = Database("sqlite://")
    database.create()
    return Room(database)
