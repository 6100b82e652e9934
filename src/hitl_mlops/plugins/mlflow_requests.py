"""What a request to MLflow asks for, read as MLflow itself reads it; what is not understood is said so."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hitl_mlops.plugins.mlflow_rules import Action
from hitl_mlops.rollout.changes import AT_TAG, BY_TAG, PAGE, RECORDS_TAG, TRAINER_TAG, Deed, page_digest
from hitl_mlops.training.registry import (
    APPROVAL_TAG,
    CHALLENGER,
    CHAMPION,
    DATASET_TAG,
    DIGEST_TAG,
    PREVIOUS,
    RUN_KEY_TAG,
)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OURS = "hitl."
SERVER_TAGS = frozenset({RECORDS_TAG, BY_TAG, AT_TAG, TRAINER_TAG})
GIVEN_BY_TRAINING = frozenset({RUN_KEY_TAG, DIGEST_TAG, DATASET_TAG})
_LONGEST_FACT = 300

_LOOKS = frozenset(
    {
        *("_search_experiments", "_search_runs", "_search_logged_models", "_get_latest_versions"),
        *("serve_search_datasets", "_search_traces_v3", "_batch_get_trace_infos", "_query_trace_metrics"),
        *("_calculate_trace_filter_correlation", "_search_evaluation_datasets_handler", "_search_issues"),
        *("serve_post_ui_telemetry", "_create_presigned_download_url"),
    }
)
_TRACKS = frozenset(
    {
        *("_create_experiment", "_update_experiment", "_restore_experiment"),
        *("_set_experiment_tag", "_delete_experiment_tag"),
        *("_create_run", "_update_run", "_restore_run", "_set_tag", "_delete_tag"),
        *("_log_batch", "_log_inputs", "_log_metric", "_log_model", "_log_param", "_log_outputs"),
        *("_create_logged_model", "_finalize_logged_model", "_log_logged_model_params"),
        *("_set_logged_model_tags", "_delete_logged_model_tag"),
        *("_deprecated_start_trace_v2", "_deprecated_end_trace_v2", "_start_trace_v3", "_set_trace_tag"),
        *("_set_trace_tag_v3", "_delete_trace_tag", "_delete_trace_tag_v3", "_link_traces_to_run"),
        *("_create_assessment", "_update_assessment", "_delete_assessment"),
        *("_create_dataset_handler", "_upsert_dataset_records_handler", "_set_dataset_tags_handler"),
        *("_delete_dataset_tag_handler", "_add_dataset_to_experiments_handler"),
    }
)
_UNTRACKS = frozenset({"_delete_experiment", "_delete_run", "_delete_logged_model", "_delete_traces"})
_FILES = frozenset({"_upload_artifact", "_delete_artifact_mlflow_artifacts"})
_QUERIES = frozenset({"mlflowSearchRuns", "mlflowSearchDatasets"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        action: what it is.
        model: the registered model it is about.
        version: the version it is about; None for a whole model, or where it is not made yet.
        deed: what to record once it is done; None for nothing.
        facts: with what.
        alias: the alias it is about.
        value: the text of an approval.
    """

    action: Action
    model: str | None = None
    version: str | None = None
    deed: Deed | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    alias: str | None = None
    value: str | None = None


NOT_UNDERSTOOD = Asked(Action.NOT_UNDERSTOOD)


def asked(request: Any) -> Asked:
    """What the Flask request asks for, by the handler that will answer it, whatever its path was.

    Args:
        request: Flask's, with its route found; a path that no route takes has none.
    """
    handler = request.url_rule.endpoint if request.url_rule is not None else None
    if request.method in SAFE_METHODS:
        return Asked(Action.LOOK)
    if handler is None:
        return NOT_UNDERSTOOD
    if handler in _FILES:
        path = str((request.view_args or {}).get("artifact_path", ""))
        return asked_of_file(path, deletes=request.method == "DELETE", sources=())
    for handlers, action in ((_LOOKS, Action.LOOK), (_TRACKS, Action.TRACK), (_UNTRACKS, Action.UNTRACK)):
        if handler in handlers:
            return Asked(action)
    if handler in _READERS:
        return _read(handler, request)
    return Asked(Action.MANAGE)


def _read(handler: str, request: Any) -> Asked:
    """The message as MLflow's handler will have it; an error of any kind is no understanding."""
    from mlflow.protos import model_registry_pb2
    from mlflow.server.handlers import _get_normalized_request_json, _get_request_message

    name, read = _READERS[handler]
    try:
        given = _get_normalized_request_json(request)
        if not isinstance(given, dict):
            return NOT_UNDERSTOOD
        message = _get_request_message(getattr(model_registry_pb2, name)(), request) if name else given
        return read(message)
    except Exception:  # noqa: BLE001 - whatever goes wrong, what cannot be read is refused
        return NOT_UNDERSTOOD


def _set_version_tag(message: Any) -> Asked:
    return _tag(message, Deed.TAGGED, Action.APPROVE)


def _delete_version_tag(message: Any) -> Asked:
    return _tag(message, Deed.UNTAGGED, Action.WITHDRAW)


def _tag(message: Any, deed: Deed, on_approval: Action) -> Asked:
    key = str(message.key)
    action, value = _tag_action(key, on_approval), str(getattr(message, "value", ""))
    facts = {key: _fact(value)}
    if action in (Action.APPROVE, Action.WITHDRAW):
        exact = key == APPROVAL_TAG
        deed = Deed.APPROVED if action is Action.APPROVE else Deed.WITHDRAWN
        return Asked(
            action if exact else Action.SERVER_TAG, message.name, message.version, deed, {}, None, value
        )
    return Asked(action, message.name, message.version, deed if _is_ours(key) else None, facts)


def _tag_action(key: str, on_approval: Action) -> Action:
    plain = _plain(key)
    if plain == APPROVAL_TAG:
        return on_approval
    if plain in SERVER_TAGS:
        return Action.SERVER_TAG
    return Action.PROJECT_TAG if _is_ours(key) else Action.FREE_TAG


def _model_tag(message: Any) -> Asked:
    return Asked(Action.PROJECT_TAG if _is_ours(message.key) else Action.FREE_TAG, message.name)


def _create_model(message: Any) -> Asked:
    ours = any(_is_ours(tag.key) for tag in message.tags)
    return Asked(Action.CREATE_FORGED if ours else Action.CREATE_MODEL, message.name)


def _create_version(message: Any) -> Asked:
    tags = [(str(tag.key), str(tag.value)) for tag in message.tags]
    ours = [key for key, _ in tags if _is_ours(key)]
    if str(message.source).strip().casefold().startswith("models:"):
        return Asked(Action.COPY_VERSION, message.name)
    if len(ours) != len(set(ours)) or not set(ours) <= GIVEN_BY_TRAINING:
        return Asked(Action.CREATE_FORGED, message.name)
    facts = {key: _fact(value) for key, value in tags if _is_ours(key)}
    facts[PAGE] = page_digest(message.description)
    return Asked(Action.CREATE_VERSION, message.name, None, Deed.CREATED, facts)


def _describe_version(message: Any) -> Asked:
    facts = {PAGE: page_digest(message.description)}
    return Asked(Action.DESCRIBE_VERSION, message.name, message.version, Deed.DESCRIBED, facts)


def _set_alias(message: Any) -> Asked:
    action = _alias_action(message.alias, Action.MOVE_CHAMPION)
    facts = {"alias": _fact(message.alias)}
    return Asked(action, message.name, message.version, Deed.ALIASED, facts, message.alias)


def _delete_alias(message: Any) -> Asked:
    action = _alias_action(message.alias, Action.DROP_CHAMPION)
    return Asked(action, message.name, None, Deed.UNALIASED, {"alias": _fact(message.alias)}, message.alias)


def _alias_action(alias: str, on_champion: Action) -> Action:
    plain = _plain(alias)
    if plain == CHAMPION:
        return on_champion if alias == CHAMPION else Action.NOT_UNDERSTOOD
    ours = {CHALLENGER: Action.CHALLENGER_ALIAS, PREVIOUS: Action.PREVIOUS_ALIAS}
    return ours.get(plain, Action.FREE_ALIAS)


def _about_model(action: Action) -> Callable[[Any], Asked]:
    return lambda message: Asked(action, message.name)


def _about_version(action: Action) -> Callable[[Any], Asked]:
    return lambda message: Asked(action, message.name, message.version)


def _password(given: Any) -> Asked:
    return Asked(Action.OWN_PASSWORD, value=str(given.get("username", "")))


def _graphql(given: Any) -> Asked:
    """Queries, and the two searches that MLflow calls mutations; any other mutation is not for readers."""
    from graphql import FieldNode, OperationDefinitionNode, OperationType, parse

    for node in parse(str(given["query"])).definitions:
        if not isinstance(node, OperationDefinitionNode):
            return Asked(Action.MANAGE)
        names = {one.name.value for one in node.selection_set.selections if isinstance(one, FieldNode)}
        names |= {"" for one in node.selection_set.selections if not isinstance(one, FieldNode)}
        if node.operation is not OperationType.QUERY and not names <= _QUERIES:
            return Asked(Action.MANAGE)
    return Asked(Action.LOOK)


_READERS: Mapping[str, tuple[str, Callable[[Any], Asked]]] = {
    "_set_model_version_tag": ("SetModelVersionTag", _set_version_tag),
    "_delete_model_version_tag": ("DeleteModelVersionTag", _delete_version_tag),
    "_set_registered_model_tag": ("SetRegisteredModelTag", _model_tag),
    "_delete_registered_model_tag": ("DeleteRegisteredModelTag", _model_tag),
    "_create_registered_model": ("CreateRegisteredModel", _create_model),
    "_create_model_version": ("CreateModelVersion", _create_version),
    "_update_model_version": ("UpdateModelVersion", _describe_version),
    "_update_registered_model": ("UpdateRegisteredModel", _about_model(Action.DESCRIBE_MODEL)),
    "_set_registered_model_alias": ("SetRegisteredModelAlias", _set_alias),
    "_delete_registered_model_alias": ("DeleteRegisteredModelAlias", _delete_alias),
    "_transition_stage": ("TransitionModelVersionStage", _about_version(Action.CHANGE_STAGE)),
    "_delete_model_version": ("DeleteModelVersion", _about_version(Action.DELETE_VERSION)),
    "_delete_registered_model": ("DeleteRegisteredModel", _about_model(Action.DELETE_MODEL)),
    "_rename_registered_model": ("RenameRegisteredModel", _about_model(Action.RENAME_MODEL)),
    "update_user_password": ("", _password),
    "_graphql": ("", _graphql),
}
"""MLflow's handler → its message, and what the message asks for."""


def asked_of_file(path: str, *, deletes: bool, sources: Sequence[str]) -> Asked:
    """What writing or deleting an artifact asks for.

    Args:
        path: below the artifact store, as MLflow has it once it is decoded.
        deletes: it is deleted.
        sources: folders, below the artifact store, in which the files of registered versions lie.
    """
    clean = posixpath.normpath("/" + path).lstrip("/")
    inside = any(_overlap(clean, one) for one in sources)
    if inside:
        return Asked(Action.REPLACE_BYTES)
    if deletes:
        return Asked(Action.DELETE_FILE)
    report = re.fullmatch(r"[^/]+/[^/]+/artifacts/hitl(/.*)?", clean)
    return Asked(Action.WRITE_REPORT if report else Action.WRITE_FILE)


def _overlap(path: str, folder: str) -> bool:
    """One lies in the other: a file of the folder, or a folder above it."""
    own, other = f"{path.strip('/')}/", f"{folder.strip('/')}/"
    return own.startswith(other) or other.startswith(own)


def _is_ours(key: str) -> bool:
    return _plain(key).startswith(OURS)


def _plain(word: str) -> str:
    """As a database that tells no capitals apart would have it."""
    return word.strip().casefold()


def _fact(value: str) -> str:
    return value if len(value) <= _LONGEST_FACT else page_digest(value)
