"""What both models said, read from the log's blocks."""

from datetime import timedelta

import numpy as np

from hitl_mlops.decisions.record import Arm, ShadowPrediction
from hitl_mlops.rollout.compared import Pair, compare
from hitl_mlops.rollout.state import Rollout, Stage
from tests.builders import NOW, a_case, a_decision, a_log, record

ROLLOUT = Rollout(
    "ro", "1", "sha256:a", "2", "sha256:b", Stage.CANARY, 25.0, NOW, NOW + timedelta(minutes=30)
)


def a_log_of(count, seed):
    """Cases of three models, some before the start, some left unanswered, some without a shadow."""
    rng, log = np.random.default_rng(seed), a_log()
    for number in range(count):
        arm = Arm.CHALLENGER if rng.random() < 0.4 else Arm.CHAMPION
        version, other = ("2", "1") if arm is Arm.CHALLENGER else ("1", "2")
        if rng.random() < 0.1:
            version, other = str(rng.choice(["1", "3"])), "3"
        at = NOW + timedelta(minutes=int(rng.integers(-10, 60)))
        name, label, beside = f"c{number}", str(rng.choice(["yes", "no", ""])), str(rng.choice(["yes", "no"]))
        decision = a_decision(case_id=name, label=label, model_version=version, arm=arm, at=at)
        said = [ShadowPrediction(decision.decision_id, other, "sha256:x", beside, 0.9)]
        record(log, [a_case(case_id=name)], [decision], said if rng.random() < 0.8 else [])
    return log


def one_by_one(log):
    """The same, from records."""
    shadows = {one.decision_id: one for version in ("1", "2", "3") for one in log.shadows(version)}
    decisions = [one for one in log.decisions() if one.at >= ROLLOUT.started_at]
    pairs = []
    for one in decisions:
        beside, by_challenger = shadows.get(one.decision_id), one.arm is Arm.CHALLENGER
        wanted = ("2", "1") if by_challenger else ("1", "2")
        if beside is not None and (one.model_version, beside.model_version) == wanted:
            said = (beside.label, one.label) if by_challenger else (one.label, beside.label)
            pairs.append(Pair(one.decision_id, one.at, *said))
    own = [one for one in decisions if one.arm is Arm.CHALLENGER and one.model_version == "2"]
    return pairs, own


def test_blocks_tell_the_same_as_their_records():
    for seed in range(3):
        log = a_log_of(120, seed)
        compared, (pairs, own) = compare(ROLLOUT, log.store.blocks()), one_by_one(log)
        assert compared.differs.tolist() == [not pair.agreed for pair in pairs]
        assert list(compared.disagreements) == [pair for pair in pairs if not pair.agreed]
        assert compared.served == sum(one.at >= ROLLOUT.stage_at for one in own)
        assert compared.unanswered.tolist() == [not one.label for one in own]


def test_without_a_case_there_is_nothing_to_compare():
    compared = compare(ROLLOUT, [])
    assert (compared.differs.size, compared.disagreements, compared.served) == (0, (), 0)
