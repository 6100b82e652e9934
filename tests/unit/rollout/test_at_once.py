"""A verdict reaches what serves: with the next answer collected, and in every process."""

from dataclasses import replace
from functools import cached_property

from hitl_mlops.project import Project
from hitl_mlops.review.desk_in_memory import InMemoryDesk
from hitl_mlops.rollout.state import Stage
from hitl_mlops.settings import read_settings
from tests.freeze_room import TwinParts, a_project, open_again, some_cases


class DeskParts(TwinParts):
    """Twins of the registry and the desk."""

    @cached_property
    def desk(self):
        return InMemoryDesk("desk:1")


def test_what_is_collected_takes_a_harmful_challenger_out_of_every_process(tmp_path):
    first = a_project(tmp_path)
    registry, folder = first.parts.registry, first.settings.folder
    champion, now = first.champion(), first.parts.clock()
    forced = replace(
        champion,
        rollout_id="ro_2",
        champion="0",
        champion_digest="sha256:0",
        stage=Stage.CANARY,
        share_percent=100.0,
        started_at=now,
        stage_at=now,
    )
    first.parts.rollouts.start(forced)
    first.decide(some_cases(0, 40))
    assert first.serving().share_percent == 100

    parts = DeskParts(read_settings(folder))
    parts.given = registry
    circuit_opens(first)
    Project(parts.settings, parts, actor="collector").collect()

    for project in (first, open_again(folder, registry)):
        assert project.parts.rollouts.live() is None
        assert project.serving().challenger is None
    assert first.parts.rollouts.latest().reason == "Guardrail: the breaker b1 (model=1) is open."


def circuit_opens(project):
    """The breaker of the challenger is open."""
    from hitl_mlops.routing.breaker import Breaker, BreakerState
    from hitl_mlops.routing.switches import MODEL, Scope

    now = project.parts.clock()
    project.parts.breakers.keep(Breaker("b1", Scope(MODEL, "1"), BreakerState.OPEN, now, None, now, 1))
