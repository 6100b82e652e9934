"""The story on twins: the same chapters, no server."""

import html
import re

from hitl_mlops.demo import learning, promoting, refusing, reviewing
from hitl_mlops.demo.ending import end
from hitl_mlops.demo.report import Told
from hitl_mlops.gates.report import Verdict
from hitl_mlops.rollout.state import Stage


def test_the_story_comes_to_its_end_with_a_promotion_and_a_roll_back(scene, flows):
    decisions = reviewing.decide(scene)
    reviewing.answer(scene, decisions)
    learned = learning.learn(scene, flows)
    assert learned.report.verdict is Verdict.PASS
    assert sum(learning.reasons_of(scene.project.quarantined()).values()) >= 5

    promoted, comparison = promoting.promote(scene, learned.report.model_version)
    assert promoted.last.step.after.stage is Stage.PROMOTED
    assert comparison.change.high < 0, "the new version is better, and the interval says so"
    assert comparison.after.decisions == 200

    refused = refusing.refuse(scene)
    assert refused.report.verdict is not Verdict.PASS
    assert refused.tried.last.step.after.stage is Stage.ROLLED_BACK
    assert scene.project.champion().challenger == promoted.version
    assert refused.changed > 50

    page = end(scene, Told(decisions, learned, promoted, comparison, refused)).read_text()
    assert page.count("<svg") == 5
    for reason in learning.reasons_of(scene.project.quarantined()):
        assert reason in html.unescape(page)
    assert "Who approved version 2" in page
    assert "<td>claimed</td>" in page, "nobody signs on twins"
    screen = " ".join(scene.narrator.console.file.getvalue().split())  # lines break where the screen ends
    assert re.search(
        r"(Ada|Ben|Cleo|Dan) \(r\d\) read \d where the model read \d; reason: wrong_class", screen
    )
    assert "tries to approve version 2. Refused: Only release manager may." in screen
    assert "the approval is claimed" in screen
    assert "sound" in screen


def test_the_cheques_held_out_are_never_decided(scene, flows):
    made = scene.decide_next(100)
    decided = {one.case_id for one in made.decisions}
    assert not decided & set(scene.held_out()["field_id"])
    assert len(scene.held_out()) == 200
