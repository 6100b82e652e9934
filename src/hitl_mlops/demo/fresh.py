"""Databases of servers as they are before anybody used them, kept from one demo to the next.

Label Studio takes 15 s to make its tables, the others some more; whoever shows the demo twice waits once.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from hitl_mlops.demo.people import MLFLOW_PEOPLE
from hitl_mlops.ids import content_id
from hitl_mlops.servers import environment, label_studio
from hitl_mlops.settings import STATE_FOLDER

FOLDER = "fresh"
DATABASES = (
    Path(label_studio.NAME, label_studio.DATABASE),
    Path("mlflow", "mlflow.db"),
    Path("mlflow", "basic_auth.db"),
    Path("prefect", "prefect.db"),
)
LOGINS = (Path("credentials.json"), Path("mlflow", "accounts.json"))
"""Accounts stand in the servers' databases, so that these belong together."""


def lay_out(folder: Path) -> bool:
    """The servers find databases that an earlier demo kept; False where none did for these versions."""
    state, kept = folder / STATE_FOLDER, _kept(folder)
    if not kept.exists():
        return False
    for file in (one for one in (*DATABASES, *LOGINS) if (kept / one).exists()):
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
    for file in (one for one in DATABASES if (state / one).exists()):
        (draft / file).parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(state / file)) as ours, closing(sqlite3.connect(draft / file)) as theirs:
            ours.backup(theirs)
    for file in (one for one in LOGINS if (state / one).exists()):
        (draft / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(state / file, draft / file)
    draft.replace(kept)  # whole or not at all


def _kept(folder: Path) -> Path:
    """Where they are kept: another set of versions or of accounts, another place."""
    files = [str(file) for file in (*DATABASES, *LOGINS)]
    versions = [environment.lock_file().read_text(), version("mlflow"), version("prefect")]
    made_by = [*versions, files, list(MLFLOW_PEOPLE.accounts)]
    return folder / STATE_FOLDER / FOLDER / content_id("db", made_by)
