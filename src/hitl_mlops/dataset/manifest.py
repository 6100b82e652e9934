"""What a dataset version is: numbers that anyone can recompute, and where it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hitl_mlops.errors import IntegrityError, NotFoundError
from hitl_mlops.ids import canonical_json, parse_instant, sha256_hex


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a version came from.

    Attributes:
        resolutions: how many resolutions it adds to its parent.
        resolutions_digest: content hash over their ids, in order.
        model_versions: versions whose decisions were resolved.
        policy_hashes: policies under which they were routed.
        collected_until: time of the latest resolution in it; None for base data.
        source: what the base data was: a file name and its SHA-256, for the first version.
    """

    resolutions: int
    resolutions_digest: str
    model_versions: tuple[str, ...] = ()
    policy_hashes: tuple[str, ...] = ()
    collected_until: datetime | None = None
    source: str = ""

    def digest(self) -> str:
        """Content hash of all of it, `sha256:…`."""
        return f"sha256:{sha256_hex(canonical_json(self))}"


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """One version of a dataset.

    Attributes:
        number: 1, 2, 3 … in this project.
        digest: content hash over both append-only logs up to this version, `sha256:…`.
        parent: digest of the version before; None for the first.
        example_rows: length of the examples log at this version.
        label_rows: length of the label log at this version.
        created_at: when it was committed; not part of the digest.
        lineage: where it came from.
        details: what the store needs to read it back, JSON values: `columns` [[name, type], …] of the
            examples, and for `examples` and `labels` the `head` of the log and the `batch` that this version
            appended (None where it appended nothing).
    """

    number: int
    digest: str
    parent: str | None
    example_rows: int
    label_rows: int
    created_at: datetime
    lineage: Lineage
    details: Mapping[str, Any]

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Names and types of the example columns, in order."""
        return tuple((name, kind) for name, kind in self.details["columns"])


def manifest_bytes(version: DatasetVersion) -> bytes:
    """The version as canonical JSON."""
    return canonical_json(version)


def parse_manifest(raw: bytes, name: str) -> DatasetVersion:
    """The version that `manifest_bytes` wrote.

    Raises:
        IntegrityError: the bytes are no manifest.
    """
    try:
        form = json.loads(raw)
        lineage = form.pop("lineage")
        until = lineage.pop("collected_until")
        models, policies = tuple(lineage.pop("model_versions")), tuple(lineage.pop("policy_hashes"))
        return DatasetVersion(
            created_at=parse_instant(form.pop("created_at")),
            lineage=Lineage(
                **lineage,
                model_versions=models,
                policy_hashes=policies,
                collected_until=parse_instant(until) if until else None,
            ),
            **form,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise IntegrityError(
            f"The manifest {name} is damaged.", remedy="Restore it from your backup.", manifest=name
        ) from exc


def find_version(versions: Sequence[DatasetVersion], name: str | int) -> DatasetVersion:
    """The version by number, digest or `latest`.

    Raises:
        NotFoundError: there is none of that name; the fact tells which exist.
    """
    if name == "latest" and versions:
        return versions[-1]
    for version in versions:
        if str(name) in {str(version.number), version.digest}:
            return version
    if not versions:
        raise NotFoundError(
            "There is no dataset version yet.",
            remedy="Make the first with `hitl dataset build`.",
            name=str(name),
        )
    raise NotFoundError(
        f"There is no dataset version {name!r}; there are 1 to {versions[-1].number}.",
        remedy="List them with `hitl dataset list`.",
        name=str(name),
    )
