"""Databases of servers as they are before anybody used them, kept from one demo to the next.

Label Studio takes 15 s to make its tables, the others some more; whoever shows the demo twice waits once.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from hitl_mlops.ids import content_id
from hitl_mlops.servers import environment, label_studio
from hitl_mlops.settings import STATE_FOLDER

FOLDER = "fresh"
DATABASES = (
    Path(label_studio.NAME, label_studio.DATABASE),
    Path("mlflow", "mlflow.db"),
    Path("prefect", "prefect.db"),
)
LOGINS = Path("credentials.json")
"""Label Studio's account stands in its database, so that the two belong together."""


def lay_out(folder: Path) -> bool:
    """The servers find databases that an earlier demo kept; False where none did for these versions."""
    state, kept = folder / STATE_FOLDER, _kept(folder)
    if not kept.exists():
        return False
    for file in (*DATABASES, LOGINS):
        (state / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(kept / file, state / file)
    return True


def keep(folder: Path) -> None:
    """What the servers made of their databases stands beside; while they run, and before anybody uses them."""  # noqa: E501
    state, kept = folder / STATE_FOLDER, _kept(folder)
    if kept.exists():
        return
    shutil.rmtree(kept.parent, ignore_errors=True)  # of other versions
    draft = kept.with_suffix(".draft")
    for file in DATABASES:
        (draft / file).parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(state / file)) as ours, closing(sqlite3.connect(draft / file)) as theirs:
            ours.backup(theirs)
    shutil.copy(state / LOGINS, draft / LOGINS)
    draft.replace(kept)  # whole or not at all


def _kept(folder: Path) -> Path:
    """Where they are kept: another set of versions, another place."""
    made_by = [environment.lock_file().read_text(), version("mlflow"), version("prefect")]
    return folder / STATE_FOLDER / FOLDER / content_id("db", made_by)
