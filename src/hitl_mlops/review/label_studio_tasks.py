"""Reading Label Studio's tasks: by time of change with their answers, or only their ids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

from hitl_mlops.errors import ServiceDownError
from hitl_mlops.review.desk import BEGINNING, Cursor
from hitl_mlops.review.label_studio_annotations import ANNOTATION_FIELDS, moment_text
from hitl_mlops.review.label_studio_http import LabelStudioHttp

PAGE_SIZE = 500
"""With more than 500 tasks a page the server needs longer for each: 0.15 s for 500, 0.5 s for 1,000."""
_MAY_MOVE = 50
"""One in so many tasks of a full page may be changed while the page is made, and none after it is missed."""
_WITH_ANSWERS = {
    "fields": "all",
    # Expanded, the server sets up its machinery for answers once a page, not once a task: four times as fast.
    "expand": "annotations",
    "include": ",".join(["id", "updated_at", "data", *(f"annotations.{name}" for name in ANNOTATION_FIELDS)]),
}
_ANSWERED = tuple(
    {"filter": f"filter:tasks:{count}", "operator": "greater", "type": "Number", "value": 0}
    for count in ("total_annotations", "cancelled_annotations")
)
Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Page:
    """Tasks in the server's order, and how many fit the query in all."""

    tasks: list[Raw]
    total: int

    @property
    def is_last(self) -> bool:
        return len(self.tasks) >= self.total


@dataclass(frozen=True, slots=True)
class LabelStudioTasks:
    """The tasks of a server.

    Attributes:
        http: the connection.
        page_tasks: how many are asked for at a time.
    """

    http: LabelStudioHttp
    page_tasks: int = PAGE_SIZE

    def changed(self, project_id: int, since: Cursor | None, readers: Executor) -> Iterator[Raw]:
        """Tasks with their answers, changed at or after `since`, by (time of change, id); None: all answered.

        The first page is asked for at once, and each next one before the one at hand is given out.
        """
        place = since or BEGINNING
        first = self._ask(readers, project_id, place.changed_at, self.page_tasks, answered=since is None)
        return self._follow(first, project_id, place, readers, answered=since is None)

    def listing(self, project_id: int, include: str, *filters: Raw) -> Iterator[Raw]:
        """All tasks that fit, by id; pages by the last id, so that deletions while paging hide none."""
        last = 0
        while True:
            later = {"filter": "filter:tasks:id", "operator": "greater", "type": "Number", "value": last}
            query = _query((later, *filters), "id")
            page = self._read(project_id, query, PAGE_SIZE, {"fields": "task_only", "include": include})
            yield from page.tasks
            if page.is_last:
                return
            last = max(int(task["id"]) for task in page.tasks)

    def _follow(
        self, coming: Future[_Page], project_id: int, place: Cursor, readers: Executor, *, answered: bool
    ) -> Iterator[Raw]:
        """Page after page by the last time seen, not by offset, which skips rows when others move.

        The server first picks the page's ids, then reads the rows. What is changed in between carries its new
        time, far ahead of its place; taken for the end of the page it would hide all that lies before. So the
        page ends at the earliest time among its last few rows; what is later comes again with the next page.
        Tasks of one instant may fill a page; then a larger one is asked for.
        """
        size, given = self.page_tasks, set[tuple[str, int]]()
        while True:
            page = coming.result()
            end = None if page.is_last else _end(page.tasks)
            if end is not None:
                size = self._next_size(page, size) if end == place.changed_at else self.page_tasks
                coming = self._ask(readers, project_id, end, size, answered=answered)
            for raw in sorted(page.tasks, key=_place):
                in_sight = end is None or raw["updated_at"] <= end
                if in_sight and _place(raw) not in given and Cursor(*_place(raw)) >= place:
                    yield raw
            if end is None:
                return
            given = {_place(raw) for raw in page.tasks if raw["updated_at"] == end}
            place = Cursor(end, 0)

    def _next_size(self, page: _Page, size: int) -> int:
        if len(page.tasks) < size:
            raise ServiceDownError(
                f"Label Studio at {self.http.url} gives at most {len(page.tasks)} tasks a page; "
                "more were changed in one instant.",
                remedy="Raise TASK_API_PAGE_SIZE_MAX in its environment and run the command again.",
                url=self.http.url,
            )
        return 2 * size

    def _ask(
        self, readers: Executor, project_id: int, changed_at: str, size: int, *, answered: bool
    ) -> Future[_Page]:
        later = {
            "filter": "filter:tasks:updated_at",
            "operator": "greater_or_equal",
            "type": "Datetime",
            "value": changed_at,
        }
        query = _query((later,), "updated_at")
        if answered:  # (later and answered) or (later and skipped): a child filter is joined by and
            either = tuple({**later, "child_filter": count} for count in _ANSWERED)
            query = _query(either, "updated_at", "or")
        return readers.submit(self._with_answers, project_id, query, size)

    def _with_answers(self, project_id: int, query: str, size: int) -> _Page:
        page = self._read(project_id, query, size, _WITH_ANSWERS)
        if not all("annotations" in task for task in page.tasks):
            raise ServiceDownError(
                f"Label Studio at {self.http.url} lists tasks without their answers.",
                remedy="Use the version that hitl_mlops installs; `hitl doctor` shows both.",
                url=self.http.url,
            )
        tasks = [{**task, "updated_at": moment_text(task["updated_at"])} for task in page.tasks]
        return _Page(tasks, page.total)

    def _read(self, project_id: int, query: str, size: int, fields: dict[str, str]) -> _Page:
        """One page. Only the named fields are built by the server."""
        params = {"project": project_id, "page_size": size, "resolve_uri": "false", "query": query, **fields}
        reply = self.http.get("/api/tasks/", params)
        return _Page(reply["tasks"], reply["total"])


def _query(filters: tuple[Raw, ...], order: str, conjunction: str = "and") -> str:
    """A condition on tasks as Label Studio's data manager takes it."""
    items = {"conjunction": conjunction, "items": list(filters)}
    return json.dumps({"filters": items, "ordering": [f"tasks:{order}"]})


def _place(raw: Raw) -> tuple[str, int]:
    return raw["updated_at"], int(raw["id"])


def _end(tasks: list[Raw]) -> str:
    """The time up to which a full page surely holds all."""
    return min(str(raw["updated_at"]) for raw in tasks[-1 - len(tasks) // _MAY_MOVE :])
