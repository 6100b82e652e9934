"""The registry's twin: versions in dictionaries, models as bytes, hashed and read like the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from hitl_mlops.decisions.model import Model
from hitl_mlops.training.artifact import Trust, pack, tree_digest, unpack
from hitl_mlops.training.notes import render_notes
from hitl_mlops.training.record import FittedModel, ModelVersion, ReleaseNotes
from hitl_mlops.training.registry import (
    DATASET_TAG,
    DIGEST_TAG,
    RUN_KEY_TAG,
    check_file_name,
    no_file,
    no_version,
)


@dataclass(slots=True)
class _Kept:
    version: ModelVersion
    files: dict[str, bytes]
    description: str
    attached: dict[str, bytes] = field(default_factory=dict)


class InMemoryRegistry:
    """See `ModelRegistry`. Empty when made; forgets all when dropped."""

    def __init__(
        self,
        name: str = "model",
        *,
        trust: Trust | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = name
        self.trust = trust or Trust()
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._aliases: dict[str, str] = {}
        self._loaded: dict[tuple[str, str], Model] = {}

    def register(self, fitted: FittedModel, notes: ReleaseNotes, *, run_key: str) -> ModelVersion:
        """See `ModelRegistry`."""
        for kept in self._kept.values():
            if kept.version.run_key == run_key:
                return self.get(kept.version.version)
        files = pack(fitted, self.trust)
        digest = tree_digest(files)
        made = ModelVersion(
            name=self.name,
            version=str(len(self._kept) + 1),
            digest=digest,
            run_key=run_key,
            created_at=self._clock(),
            tags={RUN_KEY_TAG: run_key, DIGEST_TAG: digest, DATASET_TAG: fitted.dataset_digest},
            metrics=dict(fitted.metrics),
        )
        self._kept[made.version] = _Kept(made, files, render_notes(self.name, fitted, notes))
        return self.get(made.version)

    def get(self, version: str) -> ModelVersion:
        """See `ModelRegistry`."""
        aliases = tuple(sorted(alias for alias, named in self._aliases.items() if named == version))
        kept = self._of(version)
        return replace(kept.version, aliases=aliases, description=kept.description)

    def versions(self) -> list[ModelVersion]:
        """See `ModelRegistry`."""
        return [self.get(version) for version in self._kept]

    def alias(self, alias: str) -> ModelVersion | None:
        """See `ModelRegistry`."""
        return self.get(self._aliases[alias]) if alias in self._aliases else None

    def set_alias(self, alias: str, version: str) -> None:
        """See `ModelRegistry`."""
        self._of(version)
        self._aliases[alias] = version

    def drop_alias(self, alias: str) -> None:
        """See `ModelRegistry`."""
        self._aliases.pop(alias, None)

    def load(self, version: str, *, digest: str | None = None) -> Model:
        """See `ModelRegistry`. A model of a digest is loaded once: bytes of one digest do not change."""
        kept = self._of(version)
        known = self._loaded.get((version, digest or ""))
        if known is None:
            expected = digest or kept.version.digest
            known = unpack(kept.files, version=version, expected=expected, trust=self.trust)
            if digest is not None:
                self._loaded[version, digest] = known
        return known

    def set_tag(self, version: str, key: str, value: str) -> None:
        """See `ModelRegistry`."""
        kept = self._of(version)
        kept.version = replace(kept.version, tags={**kept.version.tags, key: value})

    def describe(self, version: str, markdown: str) -> None:
        """See `ModelRegistry`."""
        self._of(version).description = markdown

    def attach(self, version: str, files: Mapping[str, bytes]) -> None:
        """See `ModelRegistry`."""
        for name in files:
            check_file_name(name)
        self._of(version).attached.update(files)

    def attached(self, version: str, name: str) -> bytes:
        """See `ModelRegistry`."""
        check_file_name(name)
        kept = self._of(version)
        if name not in kept.attached:
            raise no_file(version, name)
        return kept.attached[name]

    def _of(self, version: str) -> _Kept:
        if version not in self._kept:
            raise no_version(self.name, version, list(self._kept))
        return self._kept[version]
