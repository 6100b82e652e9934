"""Label Studio's page of a ticket, as the reviewer in front of it uses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.browser import Browser, browser

WIDTH, HEIGHT = 1500, 950


@contextmanager
def reviewer_at(url: str, account: str, password: str) -> Iterator[Browser]:
    """A browser in which that person is logged in at Label Studio."""
    with browser() as page:
        page.open(f"{url}/user/login/", width=WIDTH, height=HEIGHT)
        page.wait_for_text("Log in")
        page.fill({"input[name=email]": account, "input[name=password]": password})
        page.press("Enter")
        page.wait_for_text("Documentation")
        yield page


def open_ticket(page: Browser, url: str, project: int, task: str) -> None:
    """The ticket's page is loaded to its last row, and hears the keyboard."""
    page.open(f"{url}/projects/{project}/data?task={task}", width=WIDTH, height=HEIGHT)
    page.wait_for(".rv-decide .lsf-choices")
    page.wait_for_text("keep out of training")
    page.settle()
