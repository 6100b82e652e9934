"""Tabs of Label Studio's data manager: one for each person, with what is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hitl_mlops.review.label_studio_http import LabelStudioHttp

DEFAULT = "Default"
"""The tab that Label Studio itself makes for whoever opens a project first; ours must not take its place."""


def ensure_tabs(http: LabelStudioHttp, project_id: int, names: Sequence[str]) -> dict[str, int]:
    """Name → the id of the tab with that person's unanswered tasks, made where there was none.

    Label Studio has no owners of tasks: everybody sees every tab. Its label stream follows the tab.
    """
    there = {
        str((view.get("data") or {}).get("title")): int(view["id"])
        for view in http.get("/api/dm/views/", {"project": project_id})
    }
    wanted = [name for name in names if name not in there]
    if wanted and not there:
        there[DEFAULT] = _make(http, project_id, {"title": DEFAULT})
    for name in wanted:
        there[name] = _make(http, project_id, _tab(name))
    return {name: there[name] for name in names}


def _make(http: LabelStudioHttp, project_id: int, data: dict[str, Any]) -> int:
    made = http.post("/api/dm/views/", {"project": project_id, "data": {**_LIST, **data}})
    return int(made["id"])


_LIST = {"type": "list", "target": "tasks"}


def _tab(name: str) -> dict[str, Any]:
    theirs = {"filter": "filter:tasks:data.for", "operator": "equal", "type": "String", "value": name}
    open_ = {
        "filter": "filter:tasks:total_annotations",
        "operator": "equal",
        "type": "Number",
        "value": 0,
    }
    filters = {"conjunction": "and", "items": [theirs, open_]}
    return {"title": name, "filters": filters, "ordering": ["tasks:data.due"]}
