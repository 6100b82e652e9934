"""JSON Schema of policy.yaml, for editors: made of the forms by which the file is read."""

from __future__ import annotations

from typing import Any

from hitl_mlops.routing.forms import DEFINITIONS, map_of
from hitl_mlops.routing.policy_forms import TOP


def policy_schema() -> dict[str, Any]:
    """Draft 2020-12; refuses every key that the reader refuses, and nothing that the reader takes.

    What only the whole file can tell stays with the reader: that a route which is named is there, that
    routes rise in oversight, that ranges are not empty.

    >>> sorted(policy_schema()["properties"])[:3]
    ['actions', 'approval', 'costs']
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "policy.yaml",
        "description": "Who decides what: which decisions a person must see.",
        **map_of(TOP, required=("routes",)).schema,
        "$defs": dict(DEFINITIONS),
    }
