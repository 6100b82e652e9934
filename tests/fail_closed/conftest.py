"""A decision service whose project can be broken part by part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway_room import Application, serving


@pytest.fixture
def app(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Application]:
    """The service; its parameter, where there is one, is what hitl.yaml says otherwise (old text → new)."""
    with serving(tmp_path / "project", settings=getattr(request, "param", None)) as application:
        yield application
