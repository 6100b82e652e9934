"""The two Label Studio projects of ours: one where the model's answer is shown, one where it is not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hitl_mlops.decisions.task import Task
from hitl_mlops.ids import sha256_hex
from hitl_mlops.review.label_studio_http import LabelStudioHttp
from hitl_mlops.review.page_config import PAGE, labelling_config, page_fields

TITLE_LENGTH = 50
"""Label Studio refuses longer titles."""
_CONTROLS = frozenset({"verdict", "label", "rationale", "reason_code", "error_tags", "for_training"})
_MARK = re.compile(r"<!-- hitl_mlops page (\d+) -->")
_INSTRUCTION = (
    "Decide what is right from the case itself; the model may be wrong. Accept its answer, edit it, reject "
    "the case or escalate, and write one sentence on the evidence. The key of each choice stands beside it, "
    "T goes to the text, Ctrl+Enter submits."
)


@dataclass(frozen=True, slots=True)
class DeskProject:
    """One Label Studio project.

    Attributes:
        project_id: Label Studio's id.
        created_at: when it was made, as Label Studio says; never changes.
        fields: what its page shows of a task; one that lacks a field is not taken.
    """

    project_id: int
    created_at: str
    fields: frozenset[str] = frozenset()


def ensure_project(http: LabelStudioHttp, task: Task, *, blind: bool, owner: str = "") -> DeskProject:
    """The project of that title and owner exists, and its page knows all classes; found again, never doubled.

    A page changed by hand is left as it is, unless a class, a control or a field is missing or it was made by
    an earlier version of ours. Classes that stand on the page stay, as answers may use them.

    Raises:
        ServiceDownError: Label Studio does not answer.
        CredentialsError: it refuses the token.
        InputError: it refuses the page.
    """
    title = title_of(task.project, blind=blind)
    found = find_project(http, title, owner)
    if found is None:
        settings = _settings(task, title, owner, blind=blind)
        made = http.by_sdk(lambda client: client.projects.create(**settings))
        return _as_project(http.get(f"/api/projects/{made.id}/"))
    standing, codes = _standing(found, "label"), _standing(found, "reason_code")
    config = labelling_config(task, standing, codes=codes, blind=blind)
    if _is_outdated(found, task.classes, standing, config):
        found = {**found, **http.patch(f"/api/projects/{found['id']}/", {"label_config": config})}
    return _as_project(found)


def title_of(project: str, *, blind: bool) -> str:
    """The title of a project, at most 50 characters; a longer name is cut and told apart by a digest.

    >>> title_of("cheques", blind=True)
    'cheques · second look'
    """
    ending = " · second look" if blind else ""
    if len(project) + len(ending) <= TITLE_LENGTH:
        return project + ending
    mark = f"… {sha256_hex(project.encode())[:6]}"
    return project[: TITLE_LENGTH - len(mark) - len(ending)] + mark + ending


def find_project(http: LabelStudioHttp, title: str, owner: str = "") -> dict[str, Any] | None:
    """The owner's project with exactly this title, the oldest of several; None where there is none."""
    page, found, description = 1, [], _description(owner)
    while True:
        reply = http.get("/api/projects/", {"title": title, "page": page, "page_size": 100})
        found += [
            item
            for item in reply["results"]
            if (item["title"], item.get("description") or "") == (title, description)
        ]
        if not reply.get("next"):
            return min(found, key=lambda item: int(item["id"]), default=None)
        page += 1


def _description(owner: str) -> str:
    """By it two projects of one name, which share a Label Studio, are told apart."""
    return (
        f"Made by hitl_mlops for {owner}. Keep this line: it says whose tickets these are." if owner else ""
    )


def _settings(task: Task, title: str, owner: str, *, blind: bool) -> dict[str, Any]:
    return {
        "title": title,
        "description": _description(owner),
        "label_config": labelling_config(task, blind=blind),
        "expert_instruction": _INSTRUCTION,
        "show_instruction": False,
        "show_collab_predictions": False,
        "enable_empty_annotation": False,
        "maximum_annotations": 1,
        "sampling": "Sequential sampling",
        "skip_queue": "REQUEUE_FOR_OTHERS",
    }


def _standing(found: dict[str, Any], control: str) -> list[str]:
    """What the page offers under that control now."""
    offered = (found.get("parsed_label_config") or {}).get(control) or {}
    return [str(name) for name in offered.get("labels") or ()]


def _is_outdated(found: dict[str, Any], classes: Iterable[str], standing: list[str], config: str) -> bool:
    mark = _MARK.search(found.get("label_config") or "")
    ours_is_newer = mark is not None and int(mark[1]) < PAGE
    lacks_control = not _CONTROLS.issubset(found.get("parsed_label_config") or {})
    lacks_field = not page_fields(config).issubset(page_fields(found.get("label_config") or ""))
    return ours_is_newer or lacks_control or lacks_field or not set(classes).issubset(standing)


def _as_project(raw: dict[str, Any]) -> DeskProject:
    return DeskProject(int(raw["id"]), str(raw["created_at"]), page_fields(raw.get("label_config") or ""))
