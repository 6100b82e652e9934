"""The pictures in docs/how-to: `python docs/pictures.py` takes them anew, with Chromium.

With `reviewers` it takes those of the reviewers' page in Label Studio, with `mlflow` those of MLflow's page.
For the latter the demo runs on real servers until its challenger waits for a person. Then its engineer tries
to approve on MLflow's page, its release manager does, and the pictures show what each of them sees.
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
from hitl_mlops.review import accounts
from hitl_mlops.servers.mlflow_accounts import read_or_make
from hitl_mlops.settings import STATE_FOLDER
from tests.label_studio_page import open_ticket, reviewer_at
from tests.mlflow_page import TAGS, add, version_seen_by, write_approval
from tests.page_room import shelf_of
from tests.servers import label_studio_server

HOW_TO = Path(__file__).resolve().parent / "how-to"
PICTURES = HOW_TO / "approve-in-mlflow"
REVIEWERS = HOW_TO / "reviewers-page"
ANN, PASSWORD = "ann@example.org", "pass-word-1"
REASON = "better on the new scanner"
LOW = 560


def main(*which: str) -> int:
    """The pictures stand in their folders."""
    for take_them in [TAKEN[name] for name in which or TAKEN]:
        take_them()
    return 0


def of_the_reviewers_page() -> None:
    """A letter with its table and scan, before and while the answer is edited, and a digit shown blind."""
    with TemporaryDirectory() as made, label_studio_server(Path(made)) as server:
        take_reviewers_page(server.url, server.token, Path(made))


def take_reviewers_page(url: str, token: str, folder: Path) -> None:
    """As `of_the_reviewers_page`, at a server that runs."""
    REVIEWERS.mkdir(exist_ok=True)
    letter, digit = (shelf_of(kind, url, token, folder, "of the pictures") for kind in ("letter", "image"))
    accounts.enter(letter.desk.http, ANN, PASSWORD)
    with reviewer_at(url, ANN, PASSWORD) as page:
        open_ticket(page, url, *letter.shown)
        keep("ticket", page.picture(), REVIEWERS)
        page.press("e", "2")
        keep("edit", page.picture(".rv-side"), REVIEWERS)
        open_ticket(page, url, *digit.blind)
        keep("blind", page.picture(), REVIEWERS)


def of_mlflow() -> None:
    """An approval on MLflow's page."""
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory() as made, place.claimed(Path(made, "demo-project")) as folder:
        log = folder / STATE_FOLDER / "logs" / "pictures.log"
        with quiet(log) as screen, opening.opened(folder, Narrator.on(screen)) as scene:
            _, learned = until_judged(scene)
            take(scene, learned.report.model_version)


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


def keep(name: str, picture: bytes, folder: Path = PICTURES) -> None:
    """The picture stands in its folder, in 256 colours."""
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(256)
    image.save(folder / f"{name}.png", optimize=True)


TAKEN = {"reviewers": of_the_reviewers_page, "mlflow": of_mlflow}

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
