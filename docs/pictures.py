"""The pictures of MLflow's page in docs/how-to: `python docs/pictures.py` takes them anew, with Chromium.

The demo runs on real servers until its challenger waits for a person. Then its engineer tries to approve on
MLflow's page, its release manager does, and the pictures show what each of them sees.
"""  # noqa: INP001 - a program of the docs' folder, not a package

from __future__ import annotations

import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))

from hitl_mlops.demo import opening, place
from hitl_mlops.demo.learning import version_page
from hitl_mlops.demo.narrator import Narrator, quiet
from hitl_mlops.demo.people import MANAGER, MLFLOW_PEOPLE, TRAINER
from hitl_mlops.demo.scene import Scene
from hitl_mlops.demo.story import until_judged
from hitl_mlops.servers.mlflow_accounts import read_or_make
from hitl_mlops.settings import STATE_FOLDER
from tests.mlflow_page import TAGS, add, version_seen_by, write_approval

PICTURES = Path(__file__).resolve().parent / "how-to" / "approve-in-mlflow"
REASON = "better on the new scanner"
LOW = 560


def main() -> int:
    """The pictures stand in their folder."""
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory() as made, place.claimed(Path(made, "demo-project")) as folder:
        log = folder / STATE_FOLDER / "logs" / "pictures.log"
        with quiet(log) as screen, opening.opened(folder, Narrator.on(screen)) as scene:
            _, learned = until_judged(scene)
            take(scene, learned.report.model_version)
    return 0


def take(scene: Scene, version: str) -> None:
    """The engineer was refused on the page; the release manager's approval stands, proved."""
    accounts = read_or_make(scene.folder / STATE_FOLDER, MLFLOW_PEOPLE.accounts)
    url = version_page(scene, version)
    with version_seen_by(accounts.login(TRAINER), url, height=LOW) as page:
        page.scroll_to(TAGS)
        write_approval(page, REASON)
        add(page)
        page.wait_for_text("Failed to add tag")
        keep("refused", page.picture())
    with version_seen_by(accounts.login(MANAGER), url) as page:
        keep("report", page.picture())
        write_approval(page, REASON)
        keep("approve", page.picture(TAGS))
        add(page)
        page.wait_for_text("hitl.approval.by")
        keep("approved", page.picture(TAGS))
    if scene.project.rollouts.consent.read(version)[0].claimed:
        raise SystemExit("What was approved on the page is not proved.")


def keep(name: str, picture: bytes) -> None:
    """The picture stands in its folder, in 256 colours."""
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(256)
    image.save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
