"""MLflow's page of a model version, as the person in front of it uses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hitl_mlops.training.registry import APPROVAL_TAG
from tests.browser import Browser, browser

WIDTH, HEIGHT = 1160, 1300
ASSISTANT_CLOSED = {
    "mlflow.assistant.panelOpen_v1": "false",
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
}
"""MLflow's assistant opens by itself on the first visit, and covers a third of the page."""
TAGS = '.du-bois-light-collapse-item:has([data-testid="editable-table"])'


@contextmanager
def version_seen_by(login: tuple[str, str], url: str, *, height: int = HEIGHT) -> Iterator[Browser]:
    """The version's page, loaded to its last row, in front of whom the log-in names."""
    with browser() as page:
        page.log_in(*login)
        page.remember(ASSISTANT_CLOSED)
        page.open(url, width=WIDTH, height=height)
        page.wait_for_text("hitl.verdict")
        yield page


def write_approval(page: Browser, reason: str) -> None:
    """The approval is written below the tags, and not yet added."""
    page.type("tag name", APPROVAL_TAG)
    page.type("tag value", f"approve: {reason}")


def add(page: Browser) -> None:
    """*Add* was pressed."""
    page.click('[data-testid="add-tag-button"]')
