"""MLflow's page behind the app: it works for everybody, and says why somebody may not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser import PROGRAM, browser
from tests.mlflow_app_room import Made, Room
from tests.mlflow_page import add, version_seen_by, write_approval
from tests.servers import MlflowApp

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed here"),
]
REASON = "better on the new scanner"


@pytest.fixture
def room(mlflow_app: MlflowApp) -> Iterator[Room]:
    opened = Room(mlflow_app)
    yield opened
    opened.close()


def address(room: Room, made: Made) -> str:
    return f"{room.app.url}/#/models/{made.model}/versions/{made.version}"


def test_a_release_manager_approves_on_the_page_and_sees_what_the_app_wrote(room: Room) -> None:
    made = room.judged()
    with version_seen_by(room.app.accounts.login("ann"), address(room, made)) as page:
        write_approval(page, REASON)
        add(page)
        page.wait_for_text("hitl.approval.by")
        assert page.forbidden == []
    assert room.tags(made)["hitl.approval.by"] == "ann"


def test_pages_that_only_show_refuse_a_reader_nothing(room: Room) -> None:
    made = room.judged()
    experiment = made.folder.split("/")[0]
    shown = {
        "#/models": made.model,
        f"#/models/{made.model}": "Version 1",
        "#/experiments": made.model,
        f"#/experiments/{experiment}/runs/{made.run_id}": made.run_id,
        f"#/models/{made.model}/versions/{made.version}": "hitl.verdict",
    }
    with browser() as page:
        page.log_in(*room.app.accounts.login("reader"))
        for path, text in shown.items():
            page.open(f"{room.app.url}/{path}", width=1160, height=1300)
            page.wait_for_text(text)
        assert page.forbidden == []


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("tom", "Only release manager may approve a version"),
        ("reader", "Only release manager may approve a version"),
        ("tess", "Who trained a version does not approve it"),
    ],
)
def test_whoever_may_not_approve_reads_why_on_the_page(room: Room, who: str, why: str) -> None:
    made = room.judged(by="tess")
    with version_seen_by(room.app.accounts.login(who), address(room, made)) as page:
        write_approval(page, REASON)
        add(page)
        page.wait_for_text(why)
        assert [one.rpartition("/")[2] for one in page.forbidden] == ["set-tag"]
    assert "hitl.approval" not in room.tags(made)
