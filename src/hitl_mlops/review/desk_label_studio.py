"""The desk on Label Studio Community: two projects, one where the model's answer is shown, one blind."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

import httpx

from hitl_mlops.decisions.task import Task
from hitl_mlops.errors import NotFoundError, ServiceDownError
from hitl_mlops.ids import sha256_hex
from hitl_mlops.review.desk import Cursor, DeskTask
from hitl_mlops.review.label_studio_annotations import moment_text, read_task
from hitl_mlops.review.label_studio_http import LabelStudioHttp
from hitl_mlops.review.label_studio_projects import DeskProject, ensure_project
from hitl_mlops.review.label_studio_tabs import ensure_tabs
from hitl_mlops.review.label_studio_tasks import PAGE_SIZE, LabelStudioTasks
from hitl_mlops.review.ticket import Ticket

IMPORT_CHUNK = 500
LOOKUP_CHUNK = 150
"""So many ticket ids fit into one address line of 8 kB, which proxies allow."""
READERS = 2
"""One for each project."""
Item = TypeVar("Item")


class LabelStudioDesk:
    """Tickets as Label Studio tasks. Nothing is asked of the server before the first use.

    The name is made of the project's id and its time of creation, not of the address: a server that moves to
    another port or host stays the same desk, and no answer is collected twice.

    Args:
        url: where Label Studio answers.
        token: of the account that may make projects.
        task: the shape of a case; its project gives the title.
        owner: whose desk it is; two owners with one title have a desk each.
        page_tasks: tasks in a page of `changes`.
        transport: how requests travel; None: over the network.
    """

    def __init__(
        self,
        url: str,
        token: str,
        task: Task,
        *,
        owner: str = "",
        page_tasks: int = PAGE_SIZE,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = LabelStudioHttp(url, token, transport=transport)
        self._task, self._owner = task, owner
        self._tasks = LabelStudioTasks(self._http, page_tasks)
        self._accounts = _Accounts(self._http)
        self._projects: tuple[DeskProject, DeskProject] | None = None

    @property
    def http(self) -> LabelStudioHttp:
        """The connection, for making reviewers' accounts (`accounts.enter`)."""
        return self._http

    @property
    def name(self) -> str:
        """`labelstudio:ID-DIGEST`; raises as `ensure_ready` on first use."""
        shown, _blind = self.ensure_ready()
        return f"labelstudio:{shown.project_id}-{sha256_hex(moment_text(shown.created_at).encode())[:8]}"

    @property
    def pages(self) -> tuple[str, ...]:
        """See `Desk.pages`: the project with the model's answer, and the blind one."""
        return tuple(f"{self._http.url}/projects/{one.project_id}/data" for one in self.ensure_ready())

    def ensure_ready(self) -> tuple[DeskProject, DeskProject]:
        """Both projects exist with all classes on their pages; asked once.

        Raises:
            ServiceDownError: Label Studio does not answer.
            CredentialsError: it refuses the token.
            InputError: it refuses the page.
        """
        if self._projects is None:
            shown, blind = (
                ensure_project(self._http, self._task, blind=blind, owner=self._owner)
                for blind in (False, True)
            )
            self._projects = (shown, blind)
        return self._projects

    def push(self, tickets: Sequence[Ticket]) -> dict[str, str]:
        """See `Desk.push`: looks up, imports what is missing in chunks of 500, looks up again."""
        shown, blind = self.ensure_ready()
        unique = {ticket.sheet_id: ticket for ticket in tickets}
        stored: dict[str, str] = {}
        for project, is_blind in ((shown, False), (blind, True)):
            wanted = [ticket for ticket in unique.values() if ticket.blind is is_blind]
            for chunk in _chunks(wanted, IMPORT_CHUNK):
                stored |= self._store(project, chunk)
        return stored

    def _store(self, project: DeskProject, tickets: list[Ticket]) -> dict[str, str]:
        project_id, ids = project.project_id, [ticket.sheet_id for ticket in tickets]
        there = self._find(project_id, ids)
        missing = [ticket for ticket in tickets if ticket.sheet_id not in there]
        if missing:
            tasks = [_as_task(ticket, project.fields) for ticket in missing]
            self._http.post(f"/api/projects/{project_id}/import", tasks)
            there = self._find(project_id, ids)
        lost = [sheet_id for sheet_id in ids if sheet_id not in there]
        if lost:
            raise ServiceDownError(
                f"Label Studio took {len(missing)} tickets, but {len(lost)} of them are not there.",
                remedy="Run `hitl review push` again; what is there is found and not doubled.",
                tickets=lost,
            )
        return there

    def _find(self, project_id: int, sheet_ids: Sequence[str]) -> dict[str, str]:
        """Sheet id → its task, the oldest where someone doubled it by hand."""
        found: dict[str, int] = {}
        for chunk in _chunks(sheet_ids, LOOKUP_CHUNK):
            ids = {
                "filter": "filter:tasks:data.sheet_id",
                "operator": "in_list",
                "type": "List",
                "value": chunk,
            }
            for task in self._tasks.listing(project_id, "id,data", ids):
                sheet_id, task_id = task["data"]["sheet_id"], int(task["id"])
                found[sheet_id] = min(task_id, found.get(sheet_id, task_id))
        return {sheet_id: str(task_id) for sheet_id, task_id in found.items()}

    def changes(self, since: Cursor | None = None) -> Iterator[list[DeskTask]]:
        """See `Desk.changes`. Pages of both projects, merged into one order.

        Both projects are read at once, and the next page while this one is worked on.
        """
        desk, projects = self.name, self.ensure_ready()
        readers = ThreadPoolExecutor(READERS, thread_name_prefix="desk")
        try:
            walks = [self._tasks.changed(project.project_id, since, readers) for project in projects]
            found = [(read_task(raw, desk, self._accounts) for raw in walk) for walk in walks]
            tasks = heapq.merge(*found, key=lambda task: task.cursor)
            yield from _chunks(tasks, self._tasks.page_tasks)
        finally:
            readers.shutdown(wait=False, cancel_futures=True)

    def task_ids(self) -> Mapping[str, str | None]:
        """See `Desk.task_ids`."""
        return {
            str(task["id"]): task["data"].get("ticket_id")
            for project in self.ensure_ready()
            for task in self._tasks.listing(project.project_id, "id,data")
        }

    def hand(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        """See `Desk.hand`. Label Studio replaces the data whole, so they are read first."""
        projects = self.ensure_ready() if changes else ()
        for chunk in _chunks(changes, LOOKUP_CHUNK):
            ids = {
                "filter": "filter:tasks:id",
                "operator": "in_list",
                "type": "List",
                "value": [int(task_id) for task_id in chunk],
            }
            for project in projects:
                for task in self._tasks.listing(project.project_id, "id,data", ids):
                    wanted = {**task["data"], **changes[str(task["id"])]}
                    if wanted != task["data"]:
                        self._http.patch(f"/api/tasks/{task['id']}/", {"data": wanted})

    def tabs(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """See `Desk.tabs`: a tab of the data manager in each project."""
        found: dict[str, tuple[str, ...]] = dict.fromkeys(names, ())
        for project in self.ensure_ready():
            ids = ensure_tabs(self._http, project.project_id, names)
            for name, tab in ids.items():
                found[name] += (f"{self._http.url}/projects/{project.project_id}/data?tab={tab}",)
        return found

    def data_of(self, task_id: str) -> Mapping[str, Any]:
        """See `Desk.data_of`."""
        return dict(self._http.get(f"/api/tasks/{task_id}/")["data"])

    def close(self, task_ids: Sequence[str]) -> None:
        """See `Desk.close`. Label Studio offers no task that it holds for labelled."""
        for task_id in task_ids:
            with suppress(NotFoundError):
                self._http.patch(f"/api/tasks/{task_id}/", {"is_labeled": True})

    def people(self) -> dict[str, str]:
        """See `Desk.people`."""
        return {account: str(user_id) for user_id, account in self._accounts.read().items()}


class _Accounts(Mapping[int, str]):
    """User id → e-mail, which Label Studio never changes; the list is read again for an id that is new."""

    def __init__(self, http: LabelStudioHttp) -> None:
        self._http = http
        self._known: dict[int, str] = {}
        self._gone: set[int] = set()

    def read(self) -> dict[int, str]:
        """Everybody who is on the desk now."""
        found = {int(user["id"]): str(user["email"]) for user in self._http.get("/api/users/")}
        self._known |= found
        return found

    def __getitem__(self, user_id: int) -> str:
        if user_id not in self._known and user_id not in self._gone and user_id not in self.read():
            self._gone.add(user_id)
        return self._known[user_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def _as_task(ticket: Ticket, fields: Iterable[str]) -> dict[str, Any]:
    """The task's data; a field that the ticket was opened without is empty, as none may be missing."""
    due = ticket.due_at.strftime("%Y-%m-%d %H:%M %Z")
    ours = {"ticket_id": ticket.ticket_id, "sheet_id": ticket.sheet_id, "lane": ticket.lane, "due": due}
    return {"data": {**dict.fromkeys(fields, ""), **ticket.shown, **ours}}


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
