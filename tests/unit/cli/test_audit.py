"""`hitl audit trace`: a road that people can read, and an answer where there is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.cli.main import run
from hitl_mlops.project import Project

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DATASET, POLICY, BYTES = (f"sha256:{sign * 64}" for sign in "dpb")


@pytest.fixture
def told(project: Path) -> Path:
    """The trail of a project in which model 7 learned from dataset 2 and a resolution."""
    learned = {"model": ["7"], "bytes": [BYTES], "dataset": [DATASET], "policy": [POLICY]}
    events = [
        Event(Kind.RESOLUTIONS_MADE, "cli", NOON, {"resolution": ["res_1"], "person": ["u1"]}),
        Event(
            Kind.DATASET_COMMITTED,
            "cli",
            NOON,
            {"dataset": [DATASET], "resolution": ["res_1"]},
            {"number": 2},
        ),
        Event(Kind.MODEL_REGISTERED, "cli", NOON, learned),
        Event(Kind.GATES_JUDGED, "cli", NOON, {"model": ["7"], "gates": [POLICY]}),
    ]
    with Project.open(project) as opened:
        opened.parts.trail.append(events)
    return project


def test_the_road_begins_with_what_was_asked_and_ends_with_the_way_back(
    told: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", "trace", "7", "-p", str(told)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[:2] == ["What led to model 7:", "model 7"]
    assert shown[-1].startswith("→ hitl audit trace 7 --onward")
    assert f"   dataset 2 ({DATASET})" in shown
    assert "      resolution res_1" in shown


def test_digests_are_short_and_those_of_every_step_are_left_to_json(
    told: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", "trace", "7", "-p", str(told)]) == 0
    shown = capsys.readouterr().out
    assert "gates sha256:pppppppp…" in shown
    assert BYTES[:12] not in shown
    assert run(["audit", "trace", "7", "-p", str(told), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"][0]["beside"]["bytes"] == [BYTES]


def test_an_unknown_id_is_answered_with_the_kinds_there_are_and_the_next_command(
    told: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", "trace", "cheque-0007", "-p", str(told)]) == 2
    shown = capsys.readouterr().err
    assert "a model version (7), a dataset (sha256:…, whole), a decision (d_…)" in shown
    assert "hitl rollout status" in shown
